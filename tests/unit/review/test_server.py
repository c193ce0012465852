"""What the server answers, to whom, and that nothing that was scored is lost."""

import errno
import json
import socket
import time

import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.labels.journal import Journal
from cellfate.review.serving import serve

from .asking import PORT, get, post, score
from .tiny import NASTY, find_source, read_film

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


@pytest.mark.parametrize("address", [*ADDRESSES, "/assets/main.js", "/session"])
def test_nothing_is_answered_without_the_token(stranger, address):
    answer = get(stranger, address)
    assert answer.status_code == 401
    assert b"token" in answer.data


@pytest.mark.parametrize("address", ADDRESSES)
def test_with_the_token_everything_is_answered(client, address):
    assert get(client, address).status_code == 200


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


def test_other_host_names_are_refused_even_with_the_cookie(client):
    answer = client.get("/cells", headers={"Host": f"rebound.example:{PORT}"})
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", ""])
def test_writes_from_other_pages_are_refused(client, labelling, origin):
    assert post(client, score(), Origin=origin).status_code == 403
    assert labelling.journal.read() == []


def test_the_page_loads_nothing_from_elsewhere_and_says_so(client):
    answer = get(client, "/")
    assert b"http://" not in answer.data
    assert b"https://" not in answer.data
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_a_token_page_holds_what_was_asked_as_text_only(stranger):
    answer = get(stranger, "/?token=<script>alert(1)</script>", Accept="text/html")
    assert answer.status_code == 401
    assert b"alert(1)" not in answer.data


def test_a_label_is_in_the_journal_when_it_is_answered(client, labelling):
    answer = post(client, score())
    assert answer.status_code == 200
    (stored,) = labelling.journal.read()
    assert (stored.fate, stored.event_frame, stored.scorer) == ("mitosis", 10, "ann")
    assert stored.seen.fate == "mitosis"
    assert stored.seen.last_frame == 9
    assert [(label["recording_id"], label["cell_id"]) for label in answer.json["labels"]] == [("A1", 1)]


def test_the_same_label_sent_again_is_stored_once(client, labelling):
    label = score()
    first, again = post(client, label), post(client, label)
    assert (first.status_code, again.status_code) == (200, 200)
    assert len(labelling.journal.read()) == 1


def test_a_page_that_did_not_know_a_label_does_not_overwrite_it(client, labelling):
    post(client, score("mitosis"))
    answer = post(client, score("apoptosis"))
    assert answer.status_code == 409
    assert answer.json["newest"]["fate"] == "mitosis"
    assert [label.fate for label in labelling.journal.read()] == ["mitosis"]


def test_a_page_learns_what_another_scored_with_its_next_answer(client):
    first = post(client, score())
    post(client, score(scorer="bob"))
    answer = post(client, score(cell_id=2), since=first.json["since"])
    assert [(label["scorer"], label["cell_id"]) for label in answer.json["labels"]] == [("bob", 1), ("ann", 2)]


def test_a_study_that_cannot_be_read_is_one_sentence(client, monkeypatch):
    def fail(self, offset):
        raise PermissionError(errno.EACCES, "Permission denied", "journal.jsonl")

    monkeypatch.setattr(Journal, "since", fail)
    answer = get(client, "/cells")
    assert answer.status_code == 503
    assert answer.json["sentence"] == "The study cannot be read: journal.jsonl: Permission denied."


def test_curves_that_cannot_be_drawn_take_no_film_away(client, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EIO, "Input/output error", "<b>forecasts.parquet")

    monkeypatch.setattr("cellfate.review.server.draw_curves", fail)
    _, frames, figure = read_film(get(client, "/film/0").data)
    assert frames
    assert "&lt;b&gt;forecasts.parquet" in figure["layout"]["annotations"][0]["text"]


def test_a_full_disk_is_told_and_nothing_is_half_stored(client, monkeypatch):
    def fail(self, label):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "append", fail)
    answer = post(client, score())
    assert answer.status_code == 507
    assert "disk is full" in answer.json["sentence"]
    assert "kept in the page" in answer.json["sentence"]


def test_a_line_that_was_cut_costs_that_label_only(client, labelling):
    post(client, score())
    with labelling.journal.path.open("ab") as file:
        file.write(b'{"entry_id": "12')
    assert get(client, "/cells").json["labels"][0]["fate"] == "mitosis"
    assert post(client, score(cell_id=2)).status_code == 200
    assert [label["cell_id"] for label in get(client, "/cells").json["labels"]] == [1, 2]


def test_a_damaged_journal_is_one_sentence(client, labelling):
    post(client, score())
    labelling.journal.path.write_bytes(b"nonsense\n" + labelling.journal.path.read_bytes())
    answer = get(client, "/cells")
    assert answer.status_code == 503
    assert "is damaged" in answer.json["sentence"]
    assert post(client, score(cell_id=2)).status_code == 503, "at which the page keeps the label and tries again"


def test_the_table_names_relatives_and_recorded_fates(client):
    rows = get(client, "/cells").json["rows"]
    assert rows["daughters"][0] == [1, 2]
    assert rows["mother"][1] == 0
    assert rows["sisters"][1] == [2]
    assert rows["fate"][0] == "mitosis"
    assert rows["condition"][3] == NASTY


def test_a_cell_that_is_not_there_is_one_sentence(client):
    for address in ("/film/6", "/surroundings/6/0", "/hand_over/6.html"):
        answer = get(client, address)
        assert answer.status_code == 422
        assert "no cell 6" in answer.json["sentence"]


def test_a_film_ends_with_the_curves(client):
    header, frames, figure = read_film(get(client, "/film/0?forecasts=1").data)
    assert header["remark"] == ""
    assert frames
    assert figure["layout"]["meta"]["hours"] == [0.0, 9.5]


def test_labels_leave_as_csv_that_no_spreadsheet_runs(client):
    post(client, score(note="=cmd()"))
    answer = get(client, "/labels.csv")
    assert answer.mimetype == "text/csv"
    assert "'=cmd()" in answer.text


def test_labels_leave_as_csv_where_their_folder_cannot_be_written(client, labelling, monkeypatch):
    post(client, score())
    monkeypatch.setattr("cellfate.core.whole_files.Path.replace", _fail)
    monkeypatch.setattr("cellfate.labels.table.replace_when_whole", _fail)
    assert "mitosis" in get(client, "/labels.csv").text


def _fail(*_):
    raise PermissionError(errno.EROFS, "Read-only file system")


def test_a_cell_is_handed_over_as_one_file_that_needs_nothing(client):
    answer = get(client, "/hand_over/3.html")
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


def test_curves_are_json_without_numbers_that_json_does_not_know(client):
    text = json.dumps(read_film(get(client, "/film/1?forecasts=1").data)[2])
    assert "NaN" not in text


def test_the_table_beside_the_journal_is_written_by_itself(client, labelling):
    post(client, score())
    post(client, score(cell_id=2))
    labelling.write_table()
    table = pd.read_csv(labelling.journal.folder / "labels.csv")
    assert table[["recording_id", "cell_id", "fate"]].to_numpy().tolist() == [
        ["A1", 1, "mitosis"],
        ["A1", 2, "mitosis"],
    ]


def test_a_table_that_takes_long_is_written_seldom(client, labelling, monkeypatch):
    monkeypatch.setattr("cellfate.review.labelling.write_table", lambda journal: time.sleep(0.3))
    post(client, score())
    assert labelling._timer.interval == 3
    labelling.write_table()
    post(client, score(cell_id=2))
    assert labelling._timer.interval >= 6
    labelling.write_table()


def test_a_table_that_cannot_be_written_takes_nothing_from_the_journal(client, labelling, monkeypatch):
    def fail(journal):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cellfate.review.labelling.write_table", fail)
    assert post(client, score()).status_code == 200
    labelling.write_table()
    assert len(labelling.journal.read()) == 1


def test_scorers_are_held_against_each_other(client):
    for cell, fates in ((1, ("mitosis", "mitosis")), (2, ("apoptosis", "apoptosis")), (3, ("neither", "mitosis"))):
        for scorer, fate in zip(("ann", "bob"), fates, strict=True):
            event = {"event_frame": 10 + 2 * (scorer == "bob")} if fate != "neither" else {"event_frame": None}
            assert post(client, score(fate, cell_id=cell, scorer=scorer, **event)).status_code == 200
    answer = get(client, "/agreement").json
    (row,) = answer["rows"]
    assert row[:3] == ["ann, bob", "3 cells", "67 %"]
    assert row[4] == "1.0", "two frames of half an hour"
    assert len(row) == len(answer["columns"])


def test_where_nobody_scored_what_another_did_the_answer_says_what_to_do(client):
    assert "let another score" in get(client, "/agreement").json["sentence"]
