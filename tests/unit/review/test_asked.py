"""What a page asks that makes no sense is refused with one sentence, and nothing of it is stored."""

import pytest

from .asking import HOST, get, post, score
from .tiny import N_FRAMES


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
def test_a_label_that_is_none_is_refused_with_one_sentence(client, labelling, change):
    answer = post(client, score(**change))
    assert answer.status_code == 422
    assert answer.json["sentence"].endswith(".")
    assert labelling.journal.read() == []


@pytest.mark.parametrize("since", ["x", None, True, 1.5, [], {}, "", "-"])
def test_a_label_beside_nonsense_is_refused_before_it_is_stored(client, labelling, since):
    answer = post(client, score(), since=since)
    assert answer.status_code == 400
    assert answer.json["sentence"].endswith(".")
    assert labelling.journal.read() == []


def test_a_place_in_the_journal_that_is_none_is_its_beginning(client):
    end = post(client, score()).json["since"]
    for since in (-1, 1, end - 1, end + 1, 10**30):
        assert get(client, f"/labels?since={since}").json == get(client, "/labels").json
    assert get(client, f"/labels?since={end}").json["labels"] == []
    assert get(client, "/labels?since=x").status_code == 400


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"3", b'"label"', b"null", b"\xff", b"[" * 60_000])
def test_a_body_that_is_no_label_is_refused_with_one_sentence(client, labelling, body):
    for address in ("/labels", "/blind"):
        answer = client.post(address, data=body, headers={"Host": HOST, "Origin": f"http://{HOST}"})
        assert answer.status_code == 400
        assert "no JSON object" in answer.json["sentence"]
    assert labelling.journal.read() == []


def test_the_page_has_no_callbacks(client):
    for body in (b"{}", b"[]", b'{"output": 1}'):
        answer = client.post("/_dash-update-component", data=body, headers={"Host": HOST, "Origin": f"http://{HOST}"})
        assert answer.status_code == 404


def test_a_body_that_is_too_large_is_not_read(client, labelling):
    answer = post(client, score(note="x" * 100_000))
    assert answer.status_code == 413
    assert answer.json["sentence"].endswith(".")
    assert labelling.journal.read() == []
