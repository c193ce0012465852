"""Servers of a tiny study, and their page in a real browser."""

import time
from contextlib import contextmanager
from threading import Thread

import pytest

from cellfate.review.serving import open_server

from .tiny import find_source, write_recordings

STATE = """JSON.stringify([review.pictureMs, review.state.key, review.state.drawn, review.state.frame,
    [...review.state.films].map(([key, film]) => [key, film.done, film.used, String(film.error)])])"""
"""What is told of a page on which nothing happens."""


@pytest.fixture
def study_folder(tmp_path):
    """Recordings and tracks of a tiny study."""
    write_recordings(tmp_path / "raw", cells_each=8)
    return tmp_path


@contextmanager
def running(source):
    """A server of a study in a thread of this process; give its address."""
    server, guard, _ = open_server(source, 0)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield guard.address
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def address(study_folder):
    """Address of a server of the tiny study."""
    with running(find_source(study_folder)) as found:
        yield found


@pytest.fixture
def page(context, address):
    """The page, with a scorer named."""
    return open_page(context, address)


def open_page(context, address, scorer="ann"):
    """Open the page and wait for the first picture; errors of the page fail the test."""
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page failed: {error}"))
    page.add_init_script(f"localStorage.setItem('cellfate:scorer', '{scorer}')")
    page.goto(address)
    wait(page, "review.pictureMs !== null && review.state.curvesOf")
    return page


def wait(page, is_true, seconds=30.0):
    """Wait until an expression of the page is true; the page's policy forbids what playwright brings for this."""
    end = time.monotonic() + seconds
    while not _is_true(page, f"!!(window.review && ({is_true}))"):
        assert time.monotonic() < end, f"not true in {seconds} s: {is_true}; {page.evaluate(STATE)}"
        time.sleep(0.02)


def _is_true(page, expression):
    from playwright.sync_api import Error

    try:
        return page.evaluate(expression)
    except Error as error:
        if "navigation" in str(error):
            return False
        raise
