"""Servers of a tiny study, and their page in a real browser."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from cellfate.review.guard import Guard
from cellfate.review.server import create_app
from cellfate.review.serving import open_server

from .asking import HOST, PORT
from .tiny import find_source, open_labelling, open_tiny, write_recordings

STATE = """JSON.stringify([review.pictureMs, review.state.key, review.state.drawn, review.state.frame,
    [...review.state.films].map(([key, film]) => [key, film.done, film.used, String(film.error)])])"""
"""What is told of a page on which nothing happens."""
SAVED = "review.state.outbox.length === 0"


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


def stored(folder):
    path = find_source(folder).paths["labels"] / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def shown(page):
    return page.evaluate("(({ recording, cell }) => [recording, cell])(review.state.rows[review.state.key])")


def open_cell(page, recording, cell):
    page.evaluate(f"location.hash = '#{recording}/{cell}'")
    is_row = f"review.state.rows[review.state.key].cell === {cell}"
    is_row += f" && review.state.rows[review.state.key].recording === '{recording}'"
    is_shown = "review.state.drawn !== null && review.state.curvesOf === review.state.films.get(review.state.key)"
    wait(page, f"{is_row} && {is_shown}")


@contextmanager
def serving(folder, port):
    """A server in a process of its own, which can be killed, and the address that it prints."""
    code = (
        "import sys; from pathlib import Path; from tests.unit.review.tiny import find_source; "
        "from cellfate.review.serving import serve; "
        "serve(find_source(Path(sys.argv[1])), int(sys.argv[2]), lambda line: print(line, flush=True))"
    )
    command = [sys.executable, "-c", code, str(folder), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().split("open ")[1].strip()
        finally:
            process.kill()


def port_of(address):
    return int(address.split(":")[2].split("/")[0])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The tiny study, opened."""
    return open_tiny(tmp_path_factory.mktemp("review"))


@pytest.fixture
def labelling(study, tmp_path):
    """Its labels, none yet."""
    found = open_labelling(study)
    found.journal.folder = tmp_path / "labels"
    found.journal.path = tmp_path / "labels" / "journal.jsonl"
    return found


@pytest.fixture
def guard():
    """Who is answered."""
    return Guard(PORT)


@pytest.fixture
def stranger(study, labelling, guard):
    """A browser without the cookie."""
    return create_app(study, labelling, guard).server.test_client()


@pytest.fixture
def client(stranger, guard):
    """A browser that opened the printed address."""
    stranger.get(f"/?token={guard.token}", headers={"Host": HOST})
    return stranger
