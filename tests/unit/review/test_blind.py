"""Blind mode: what the server keeps from a scorer until the mode is ended, and what it does not."""

import errno

import numpy as np

from cellfate.review.ordering import order_keys

from .asking import HOST, get, post, score
from .tiny import NASTY, open_labelling, open_tiny, read_film


def switch_blind(client, on=True):
    answer = client.post("/blind", json={"on": on}, headers={"Host": HOST, "Origin": f"http://{HOST}"})
    assert answer.json == {"blind": on}
    return answer


def test_the_blind_get_neither_conditions_nor_fates_nor_what_others_said(client):
    post(client, score(note="drug looks strong"))
    post(client, score("apoptosis", scorer="bob", note="mine"))
    cookie = switch_blind(client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Max-Age" in cookie, "a new start of browser or server does not end it"
    answer = get(client, "/cells?scorer=bob")
    assert not {"condition", "dose", "fate", "forecast", "findings", "daughters", "name"} & answer.json["rows"].keys()
    assert NASTY.encode() not in answer.data
    assert [(label["scorer"], label["fate"], label["note"]) for label in answer.json["labels"]] == [
        ("bob", "apoptosis", "mine")
    ], "a scorer's own labels are there to be corrected"
    assert "recorded fates" in answer.json["hidden"]
    assert get(client, "/study").json["blind"], "a page that is loaded again knows it"
    switch_blind(client, on=False)
    assert len(get(client, "/cells?scorer=bob").json["labels"]) == 2


def test_no_other_address_tells_the_blind_what_is_hidden(client):
    first = post(client, score()).json["labels"][0]
    switch_blind(client)
    assert get(client, "/labels?since=0&scorer=bob").json["labels"] == []
    assert post(client, score(cell_id=2, scorer="bob")).json["labels"] == [], "the asker's name is not given"
    for address in ("/agreement", "/labels.csv", "/hand_over/0.html", "/queue/uncertain", "/queue/disagreement"):
        answer = get(client, address)
        assert answer.status_code == 403
        assert "blind" in answer.json["sentence"]
    stale = post(client, score("apoptosis"))
    assert stale.status_code == 409
    assert stale.json["newest"]["entry_id"] == first["entry_id"]
    assert b"mitosis" not in stale.data
    own = client.post(
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


def test_the_blind_read_no_names_of_files_in_what_cannot_be_shown(client, monkeypatch):
    def fail(self, frame):
        raise PermissionError(errno.EACCES, "Permission denied", "drug_7.tif")

    monkeypatch.setattr("cellfate.imaging.Recording.read_frame", fail)
    for address in ("/film/2", "/surroundings/2/12"):
        switch_blind(client, on=False)
        assert "drug_7" in read_film(get(client, address).data)[0]["remark"]
        switch_blind(client)
        assert b"drug_7" not in get(client, address).data
        assert "cannot be shown" in read_film(get(client, address).data)[0]["remark"]


def test_the_blind_get_no_forecasts_with_a_film(client, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "cellfate.review.server.draw_curves", lambda *_, with_forecasts: asked.append(with_forecasts) or {}
    )
    for on in (True, False):
        switch_blind(client, on)
        assert get(client, "/film/0?forecasts=1").data
    assert asked == [False, True]
