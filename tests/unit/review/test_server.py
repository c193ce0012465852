"""What the server answers, to whom, and that nothing that was scored is lost."""

import errno
import json
import socket
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.labels.journal import Journal
from cellfate.review.guard import Guard
from cellfate.review.ordering import order_keys
from cellfate.review.server import create_app
from cellfate.review.serving import serve

from .tiny import N_FRAMES, NASTY, find_source, open_labelling, open_tiny, read_film

PORT = 8123
HOST = f"127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return open_tiny(tmp_path_factory.mktemp("review"))


@pytest.fixture
def labelling(study, tmp_path):
    found = open_labelling(study)
    found.journal.folder = tmp_path / "labels"
    found.journal.path = tmp_path / "labels" / "journal.jsonl"
    return found


@pytest.fixture
def guard():
    return Guard(PORT)


@pytest.fixture
def stranger(study, labelling, guard):
    """A browser without the cookie."""
    return create_app(study, labelling, guard).server.test_client()


@pytest.fixture
def page(stranger, guard):
    """A browser that opened the printed address."""
    stranger.get(f"/?token={guard.token}", headers={"Host": HOST})
    return stranger


def get(page, address, **headers):
    return page.get(address, headers={"Host": HOST, **headers})


def post(page, label, since=0, **headers):
    return page.post(
        "/labels", json={"label": label, "since": since}, headers={"Host": HOST, "Origin": f"http://{HOST}", **headers}
    )


def score(fate="mitosis", **changes):
    label = {"entry_id": uuid4().hex, "scorer": "ann", "queue": "random", "recording_id": "A1", "cell_id": 1}
    return label | {"fate": fate, "event_frame": 10, "after": None} | changes


ADDRESSES = (
    "/",
    "/cells",
    "/film/0",
    "/surroundings/0/1",
    "/labels",
    "/labels.csv",
    "/hand_over/0.html",
    "/_dash-layout",
)


@pytest.mark.parametrize("address", [*ADDRESSES, "/assets/review.js", "/session"])
def test_nothing_is_answered_without_the_token(stranger, address):
    answer = get(stranger, address)
    assert answer.status_code == 401
    assert b"token" in answer.data


@pytest.mark.parametrize("address", ADDRESSES)
def test_with_the_token_everything_is_answered(page, address):
    assert get(page, address).status_code == 200


def test_a_wrong_token_is_no_token(stranger):
    assert get(stranger, "/?token=wrong").status_code == 401
    assert get(stranger, "/?token=%C3%A9").status_code == 401


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_cannot_use(stranger, guard):
    answer = get(stranger, f"/?token={guard.token}")
    cookie = answer.headers["Set-Cookie"]
    assert answer.status_code == 303
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert guard.token not in cookie


def test_other_host_names_are_refused_even_with_the_cookie(page):
    answer = page.get("/cells", headers={"Host": f"rebound.example:{PORT}"})
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", ""])
def test_writes_from_other_pages_are_refused(page, labelling, origin):
    assert post(page, score(), Origin=origin).status_code == 403
    assert labelling.journal.read() == []


def test_the_page_loads_nothing_from_elsewhere_and_says_so(page):
    answer = get(page, "/")
    assert b"http://" not in answer.data
    assert b"https://" not in answer.data
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_a_token_page_holds_what_was_asked_as_text_only(stranger):
    answer = get(stranger, "/?token=<script>alert(1)</script>", Accept="text/html")
    assert answer.status_code == 401
    assert b"alert(1)" not in answer.data


def test_a_label_is_in_the_journal_when_it_is_answered(page, labelling):
    answer = post(page, score())
    assert answer.status_code == 200
    (stored,) = labelling.journal.read()
    assert (stored.fate, stored.event_frame, stored.scorer) == ("mitosis", 10, "ann")
    assert stored.seen.fate == "mitosis"
    assert stored.seen.last_frame == 9
    assert [label["key"] for label in answer.json["labels"]] == [0]


def test_the_same_label_sent_again_is_stored_once(page, labelling):
    label = score()
    first, again = post(page, label), post(page, label)
    assert (first.status_code, again.status_code) == (200, 200)
    assert len(labelling.journal.read()) == 1


def test_a_page_that_did_not_know_a_label_does_not_overwrite_it(page, labelling):
    post(page, score("mitosis"))
    answer = post(page, score("apoptosis"))
    assert answer.status_code == 409
    assert answer.json["newest"]["fate"] == "mitosis"
    assert [label.fate for label in labelling.journal.read()] == ["mitosis"]


def test_a_page_learns_what_another_scored_with_its_next_answer(page):
    first = post(page, score())
    post(page, score(scorer="bob"))
    answer = post(page, score(cell_id=2), since=first.json["since"])
    assert [(label["scorer"], label["key"]) for label in answer.json["labels"]] == [("bob", 0), ("ann", 1)]


@pytest.mark.parametrize(
    "change",
    [
        {"cell_id": 99},
        {"cell_id": -1},
        {"cell_id": 1 - 2**40, "recording_id": "B1"},
        {"cell_id": 2**63},
        {"cell_id": 2**80},
        {"fate": "dead"},
        {"scorer": " "},
        {"entry_id": "1"},
        {"unknown": 1},
        {"event_frame": -1},
        {"event_frame": N_FRAMES},
        {"note": "\ud800"},
    ],
)
def test_a_label_that_is_none_is_refused_with_one_sentence(page, labelling, change):
    answer = post(page, score(**change))
    assert answer.status_code == 422
    assert answer.json["sentence"].endswith(".")
    assert labelling.journal.read() == []


@pytest.mark.parametrize("since", ["x", None, True, 1.5, [], {}, "", "-"])
def test_a_label_beside_nonsense_is_refused_before_it_is_stored(page, labelling, since):
    answer = post(page, score(), since=since)
    assert answer.status_code == 400
    assert answer.json["sentence"].endswith(".")
    assert labelling.journal.read() == []


def test_a_place_in_the_journal_that_is_none_is_its_beginning(page):
    end = post(page, score()).json["since"]
    for since in (-1, 1, end - 1, end + 1, 10**30):
        assert get(page, f"/labels?since={since}").json == get(page, "/labels").json
    assert get(page, f"/labels?since={end}").json["labels"] == []
    assert get(page, "/labels?since=x").status_code == 400


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"3", b'"label"', b"null", b"\xff", b"[" * 60_000])
def test_a_body_that_is_no_label_is_refused_with_one_sentence(page, labelling, body):
    for address in ("/labels", "/blind"):
        answer = page.post(address, data=body, headers={"Host": HOST, "Origin": f"http://{HOST}"})
        assert answer.status_code == 400
        assert "no JSON object" in answer.json["sentence"]
    assert labelling.journal.read() == []


def test_a_body_that_is_too_large_is_not_read(page, labelling):
    answer = post(page, score(note="x" * 100_000))
    assert answer.status_code == 413
    assert answer.json["sentence"].endswith(".")
    assert labelling.journal.read() == []


def test_a_study_that_cannot_be_read_is_one_sentence(page, monkeypatch):
    def fail(self, offset):
        raise PermissionError(errno.EACCES, "Permission denied", "journal.jsonl")

    monkeypatch.setattr(Journal, "since", fail)
    answer = get(page, "/cells")
    assert answer.status_code == 503
    assert answer.json["sentence"] == "The study cannot be read: journal.jsonl: Permission denied."


def test_curves_that_cannot_be_drawn_take_no_film_away(page, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EIO, "Input/output error", "<b>forecasts.parquet")

    monkeypatch.setattr("cellfate.review.server.draw_curves", fail)
    _, frames, figure = read_film(get(page, "/film/0").data)
    assert frames
    assert "&lt;b&gt;forecasts.parquet" in figure["layout"]["annotations"][0]["text"]


def test_a_full_disk_is_told_and_nothing_is_half_stored(page, monkeypatch):
    def fail(self, label):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "append", fail)
    answer = post(page, score())
    assert answer.status_code == 507
    assert "disk is full" in answer.json["sentence"]
    assert "kept in the page" in answer.json["sentence"]


def test_a_line_that_was_cut_costs_that_label_only(page, labelling):
    post(page, score())
    with labelling.journal.path.open("ab") as file:
        file.write(b'{"entry_id": "12')
    assert get(page, "/cells").json["labels"][0]["fate"] == "mitosis"
    assert post(page, score(cell_id=2)).status_code == 200
    assert [label["cell_id"] for label in get(page, "/cells").json["labels"]] == [1, 2]


def test_a_damaged_journal_is_one_sentence(page, labelling):
    post(page, score())
    labelling.journal.path.write_bytes(b"nonsense\n" + labelling.journal.path.read_bytes())
    answer = get(page, "/cells")
    assert answer.status_code == 503
    assert "is damaged" in answer.json["sentence"]
    assert post(page, score(cell_id=2)).status_code == 503, "at which the page keeps the label and tries again"


def switch_blind(page, on=True):
    answer = page.post("/blind", json={"on": on}, headers={"Host": HOST, "Origin": f"http://{HOST}"})
    assert answer.json == {"blind": on}
    return answer


def test_the_blind_get_neither_conditions_nor_fates_nor_what_others_said(page):
    post(page, score(note="drug looks strong"))
    post(page, score("apoptosis", scorer="bob", note="mine"))
    cookie = switch_blind(page).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Max-Age" in cookie, "a new start of browser or server does not end it"
    answer = get(page, "/cells?scorer=bob")
    assert not {"condition", "dose", "fate", "forecast", "findings", "daughters", "name"} & answer.json["rows"].keys()
    assert NASTY.encode() not in answer.data
    assert [(label["scorer"], label["fate"], label["note"]) for label in answer.json["labels"]] == [
        ("bob", "apoptosis", "mine")
    ], "a scorer's own labels are there to be corrected"
    assert "recorded fates" in answer.json["hidden"]
    assert get(page, "/study").json["blind"], "a page that is loaded again knows it"
    switch_blind(page, on=False)
    assert len(get(page, "/cells?scorer=bob").json["labels"]) == 2


def test_no_other_address_tells_the_blind_what_is_hidden(page):
    first = post(page, score()).json["labels"][0]
    switch_blind(page)
    assert get(page, "/labels?since=0&scorer=bob").json["labels"] == []
    assert post(page, score(cell_id=2, scorer="bob")).json["labels"] == [], "the asker's name is not given"
    for address in ("/agreement", "/labels.csv", "/hand_over/0.html", "/queue/uncertain", "/queue/disagreement"):
        answer = get(page, address)
        assert answer.status_code == 403
        assert "blind" in answer.json["sentence"]
    stale = post(page, score("apoptosis"))
    assert stale.status_code == 409
    assert stale.json["newest"]["entry_id"] == first["entry_id"]
    assert b"mitosis" not in stale.data
    own = page.post(
        "/labels",
        json={"label": score("apoptosis"), "scorer": "ann"},
        headers={"Host": HOST, "Origin": f"http://{HOST}"},
    )
    assert own.json["newest"]["fate"] == "mitosis"


def test_the_order_of_the_blind_does_not_tell_which_fates_are_recorded(tmp_path):
    study = open_tiny(tmp_path, cells_each=8)
    divided = set(np.flatnonzero(study.cells["fate"] == "mitosis"))
    journal = open_labelling(study).journal
    seen, blind = (order_keys(study, journal, "random", "ann", blind=on) for on in (False, True))
    assert divided
    assert set(seen[-len(divided) :]) == divided, "known ones come last"
    assert set(blind[-len(divided) :]) != divided
    assert sorted(blind) == sorted(seen)


def test_the_blind_get_no_forecasts_with_a_film(page, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "cellfate.review.server.draw_curves", lambda *_, with_forecasts: asked.append(with_forecasts) or {}
    )
    for on in (True, False):
        switch_blind(page, on)
        assert get(page, "/film/0?forecasts=1").data
    assert asked == [False, True]


def test_the_table_names_relatives_and_recorded_fates(page):
    rows = get(page, "/cells").json["rows"]
    assert rows["daughters"][0] == [1, 2]
    assert rows["mother"][1] == 0
    assert rows["sisters"][1] == [2]
    assert rows["fate"][0] == "mitosis"
    assert rows["condition"][3] == NASTY


def test_a_cell_that_is_not_there_is_one_sentence(page):
    for address in ("/film/6", "/surroundings/6/0", "/hand_over/6.html"):
        answer = get(page, address)
        assert answer.status_code == 422
        assert "no cell 6" in answer.json["sentence"]


def test_a_film_ends_with_the_curves(page):
    header, frames, figure = read_film(get(page, "/film/0?forecasts=1").data)
    assert header["remark"] == ""
    assert frames
    assert figure["layout"]["meta"]["hours"] == [0.0, 9.5]


def test_labels_leave_as_csv_that_no_spreadsheet_runs(page):
    post(page, score(note="=cmd()"))
    answer = get(page, "/labels.csv")
    assert answer.mimetype == "text/csv"
    assert "'=cmd()" in answer.text


def test_labels_leave_as_csv_where_their_folder_cannot_be_written(page, labelling, monkeypatch):
    post(page, score())
    monkeypatch.setattr("cellfate.core.whole_files.Path.replace", _fail)
    monkeypatch.setattr("cellfate.labels.table.replace_when_whole", _fail)
    assert "mitosis" in get(page, "/labels.csv").text


def _fail(*_):
    raise PermissionError(errno.EROFS, "Read-only file system")


def test_a_cell_is_handed_over_as_one_file_that_needs_nothing(page):
    answer = get(page, "/hand_over/3.html")
    assert "attachment" in answer.headers["Content-Disposition"]
    outside = [part for part in answer.text.split("<script")[1:] if part.split(">")[0].count("src=")]
    assert outside == []
    assert "Recording B1, cell 1" in answer.text


def test_a_port_in_use_is_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} is in use"):
            serve(find_source(tmp_path), port, print)


def test_curves_are_json_without_numbers_that_json_does_not_know(page):
    text = json.dumps(read_film(get(page, "/film/1?forecasts=1").data)[2])
    assert "NaN" not in text


def test_the_table_beside_the_journal_is_written_by_itself(page, labelling):
    post(page, score())
    post(page, score(cell_id=2))
    labelling.write_table()
    table = pd.read_csv(labelling.journal.folder / "labels.csv")
    assert table[["recording_id", "cell_id", "fate"]].to_numpy().tolist() == [
        ["A1", 1, "mitosis"],
        ["A1", 2, "mitosis"],
    ]


def test_a_table_that_cannot_be_written_takes_nothing_from_the_journal(page, labelling, monkeypatch):
    def fail(journal):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cellfate.review.labelling.write_table", fail)
    assert post(page, score()).status_code == 200
    labelling.write_table()
    assert len(labelling.journal.read()) == 1


def test_scorers_are_held_against_each_other(page):
    for cell, fates in ((1, ("mitosis", "mitosis")), (2, ("apoptosis", "apoptosis")), (3, ("neither", "mitosis"))):
        for scorer, fate in zip(("ann", "bob"), fates, strict=True):
            event = {"event_frame": 10 + 2 * (scorer == "bob")} if fate != "neither" else {"event_frame": None}
            assert post(page, score(fate, cell_id=cell, scorer=scorer, **event)).status_code == 200
    answer = get(page, "/agreement").json
    (row,) = answer["rows"]
    assert row[:3] == ["ann, bob", "3 cells", "67 %"]
    assert row[4] == "1.0", "two frames of half an hour"
    assert len(row) == len(answer["columns"])


def test_where_nobody_scored_what_another_did_the_answer_says_what_to_do(page):
    assert "let another score" in get(page, "/agreement").json["sentence"]
