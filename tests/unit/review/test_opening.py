"""How the page is opened: nobody else of the computer learns the token."""

import os
import threading
import webbrowser
from urllib.request import urlopen

from cellfate.review import opening, serving
from cellfate.review.opening import write_opening_page

from .tiny import find_source, write_recordings

ADDRESS = "http://127.0.0.1:8060/?token=secret"


def test_the_opening_page_is_for_its_owner_alone_and_is_gone_afterwards(tmp_path):
    with write_opening_page(ADDRESS, tmp_path) as page:
        assert page.parent == tmp_path
        assert page.stat().st_mode & 0o777 == 0o600
        assert f"url={ADDRESS}" in page.read_text()
        assert "secret" not in page.as_uri()
    assert not page.exists()


def test_where_the_folder_cannot_have_it_the_one_for_temporary_files_has(tmp_path, monkeypatch):
    with write_opening_page(ADDRESS, tmp_path / "none") as page:
        assert page.exists()
    monkeypatch.setattr(opening.os, "fstat", lambda number: os.stat_result([0o100777, *[0] * 9]))
    told = []
    try:
        with write_opening_page(ADDRESS, tmp_path):
            pass
    except OSError as error:
        told.append(str(error))
    assert told == ["No folder keeps a file from other users"]
    assert list(tmp_path.iterdir()) == []


def test_the_browser_is_started_without_the_token_and_what_opens_the_page_goes(tmp_path, monkeypatch):
    write_recordings(tmp_path / "raw")
    (tmp_path / "data").mkdir()
    opened, told, done = [], [], threading.Event()
    servers = []
    open_server = serving.open_server

    def keep(source, port):
        servers.append(open_server(source, port))
        return servers[-1]

    def browse(address):
        opened.append(address)
        done.set()

    monkeypatch.setattr(serving, "open_server", keep)
    monkeypatch.setattr(webbrowser, "open", browse)
    thread = threading.Thread(
        target=serving.serve, args=(find_source(tmp_path), 0, told.append), kwargs={"opens": True}
    )
    thread.start()
    assert done.wait(60)
    server, guard, _ = servers[0]
    pages = list((tmp_path / "data").glob("open_review_*.html"))
    assert opened == [pages[0].as_uri()]
    assert guard.token not in opened[0]
    assert guard.token in told[0]
    with _open(guard.address):
        assert not pages[0].exists(), "it is used once"
    server.shutdown()
    thread.join()


def _open(address):
    from urllib.error import HTTPError

    try:
        return urlopen(address, timeout=30)
    except HTTPError as error:  # urlopen keeps no cookie, so that the page behind asks for the token
        return error
