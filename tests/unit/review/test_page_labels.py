"""Labels on the page in a real browser: what two pages, two scorers and a blind one do to each other."""

import os
import re
import signal

import pandas as pd
import pytest

from .conftest import SAVED, open_cell, open_page, port_of, running, serving, shown, stored, wait
from .tiny import find_source, write_recordings

TOLD = "document.getElementById('told').textContent"


def fates(folder):
    return [(label["scorer"], label["cell_id"], label["fate"]) for label in stored(folder)]


def test_each_label_that_was_stale_waits_for_the_person_with_what_it_knew(context, study_folder):
    with serving(study_folder, 0) as (process, address):
        page, other = open_page(context, address), open_page(context, address)
        score_apart(page, other, process)
        ask_about_both(other)
    written = stored(study_folder)
    assert [(label["cell_id"], label["fate"]) for label in written] == [
        (2, "mitosis"),
        (3, "neither"),
        (2, "lost"),
        (3, "unusable"),
    ]
    assert [label["queue"] for label in written[2:]] == ["by_recording"] * 2, "not that of the cell that is shown"


def score_apart(page, other, process):
    """Score two cells in one page, and in another that does not know it yet, differently."""
    other.select_option("#queue", "by_recording")
    wait(other, "review.state.queue === 'by_recording' && review.state.drawn !== null")
    other.evaluate("document.getElementById('advance').checked = false")
    assert shown(other) == ["A1", 1]
    page.evaluate("document.getElementById('advance').checked = false")
    for cell, key in ((2, "m"), (3, "n")):
        open_cell(page, "A1", cell)
        page.keyboard.press(key)
    wait(page, SAVED)
    os.kill(process.pid, signal.SIGSTOP)
    for key in "lx":
        other.keyboard.press("j")
        other.keyboard.press(key)
    os.kill(process.pid, signal.SIGCONT)
    wait(other, f"{SAVED} && review.state.undecided.length === 2")


def ask_about_both(other):
    other.reload()  # what is undecided outlives the page
    wait(other, "review.state.undecided.length === 2 && review.state.drawn !== null")
    told = other.inner_text("#told")
    assert "A1, cell 2, was scored mitosis in another page of ann" in told
    assert "A1, cell 3, was scored neither in another page of ann" in told
    open_cell(other, "B1", 5)
    for _ in range(2):
        other.click("#told button:has-text('store mine') >> nth=0")
    wait(other, f"{SAVED} && review.state.undecided.length === 0")
    assert other.is_hidden("#told")


def test_what_followed_a_stale_label_is_not_stored_over_the_other_page(context, study_folder):
    with serving(study_folder, 0) as (process, address):
        page, other = open_page(context, address), open_page(context, address)
        for one in (page, other):
            open_cell(one, "A1", 2)
            one.evaluate("document.getElementById('advance').checked = false")
        page.keyboard.press("m")
        wait(page, SAVED)
        os.kill(process.pid, signal.SIGSTOP)
        for key in "anu":
            other.keyboard.press(key)
        os.kill(process.pid, signal.SIGCONT)
        wait(other, f"{SAVED} && review.state.undecided.length === 1")
        assert fates(study_folder) == [("ann", 2, "mitosis")]
        assert "apoptosis" in other.inner_text("#told"), "what the last step, undo, came to"
        other.click("#told button:has-text('drop mine')")
        other.reload()
        wait(other, "review.pictureMs !== null && review.state.undecided.length === 0")
        assert fates(study_folder) == [("ann", 2, "mitosis")]


def test_undo_takes_back_nothing_of_another_scorer(page, study_folder):
    page.keyboard.press("m")
    wait(page, SAVED)
    page.fill("#scorer", "bob")
    page.keyboard.press("Enter")
    wait(page, "review.state.scorer === 'bob' && review.state.drawn !== null")
    page.keyboard.press("u")
    page.keyboard.press("n")
    wait(page, SAVED)
    assert [(scorer, fate) for scorer, _, fate in fates(study_folder)] == [("ann", "mitosis"), ("bob", "neither")]
    page.fill("#scorer", "ann")
    page.keyboard.press("Enter")
    wait(page, "review.state.scorer === 'ann' && review.state.done.length === 1 && review.state.drawn !== null")
    page.keyboard.press("u")
    wait(page, SAVED)
    assert fates(study_folder)[-1] == ("ann", stored(study_folder)[0]["cell_id"], None)


def test_undo_overwrites_nothing_that_was_scored_since(context, page, address, study_folder):
    other = open_page(context, address)
    open_cell(page, "A1", 2)
    page.keyboard.press("m")
    wait(page, SAVED)
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    open_cell(other, "A1", 2)
    wait(other, "document.getElementById('mine').textContent.includes('You scored mitosis')")
    other.keyboard.press("a")
    wait(other, SAVED)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    wait(page, "review.state.rows.some((row) => row.label === 'apoptosis')")
    page.keyboard.press("u")
    wait(page, f"{TOLD}.includes('in another page since')")
    assert [fate for *_, fate in fates(study_folder)] == ["mitosis", "apoptosis"]


def test_what_an_undo_brings_back_is_what_the_label_was(page, study_folder):
    page.select_option("#queue", "by_recording")
    wait(page, "review.state.queue === 'by_recording' && review.state.drawn !== null")
    page.evaluate("document.getElementById('advance').checked = false")
    page.keyboard.press("m")
    open_cell(page, "B1", 5)
    page.keyboard.press("u")
    page.keyboard.press("r")
    wait(page, SAVED)
    written = stored(study_folder)
    same = ("queue", "fate", "event_frame", "recording_id", "cell_id")
    assert [written[2][name] for name in same] == [written[0][name] for name in same]


def test_mine_settles_it_is_kept_by_a_note_and_a_frame(context, page, address, study_folder):
    other = open_page(context, address, scorer="bob")
    open_cell(other, "A1", 2)
    other.keyboard.press("a")
    wait(other, SAVED)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.evaluate("document.getElementById('advance').checked = false")
    open_cell(page, "A1", 2)
    wait(page, "!document.getElementById('settle').hidden")
    page.keyboard.press("m")
    page.check("#settles")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("e")
    page.keyboard.press("c")
    page.keyboard.type("sure")
    page.keyboard.press("Escape")
    wait(page, SAVED)
    open_cell(page, "A1", 3)
    open_cell(page, "A1", 2)
    assert page.is_checked("#settles")
    page.uncheck("#settles")
    wait(page, SAVED)
    assert [label["adjudicates"] for label in stored(study_folder)[1:]] == [False, True, True, True, False]


def test_the_blind_correct_their_own_labels_and_stay_blind(page, study_folder):
    open_cell(page, "A1", 2)
    page.evaluate("document.getElementById('advance').checked = false")
    page.keyboard.press("m")
    wait(page, SAVED)
    page.check("#blind")
    wait(page, "review.state.blind && review.state.drawn !== null")
    page.reload()
    wait(page, "review.pictureMs !== null && review.state.curvesOf")
    assert page.is_checked("#blind")
    assert "recorded fates" in page.inner_text("#hidden")
    assert page.is_hidden("#html")
    assert page.is_hidden("text=labels.csv")
    page.evaluate("document.getElementById('advance').checked = false")
    key = page.evaluate("review.state.rows.find((row) => row.label === 'mitosis').key")
    page.click(f"#cells-box .ag-row[row-id='{key}'] [col-id='cell']")
    wait(page, f"review.state.key === {key} && review.state.drawn !== null")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("e")
    page.keyboard.press("c")
    page.keyboard.type("late")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.keyboard.press("u")
    page.keyboard.press("a")
    wait(page, SAVED)
    written = stored(study_folder)
    first = written[0]["event_frame"]
    assert [(label["fate"], label["event_frame"], label["note"]) for label in written[1:]] == [
        ("mitosis", first - 1, ""),
        ("mitosis", first - 1, "late"),
        ("mitosis", first - 1, ""),
        ("mitosis", first, ""),
        ("apoptosis", first - 1, ""),
    ]
    assert all(label["blind"] for label in written[1:3])
    assert page.inner_text("#told") == ""


def test_blind_mode_is_that_of_all_pages_of_a_browser(context, page, address):
    other = open_page(context, address)
    page.check("#blind")
    wait(page, "review.state.blind && review.state.drawn !== null")
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    wait(other, "document.getElementById('blind').checked && review.state.rows[0].condition === undefined")
    page.uncheck("#blind")
    wait(page, "!review.state.blind && review.state.rows[0].condition")


def test_a_note_without_a_fate_waits_for_one(page, study_folder):
    first = shown(page)
    page.keyboard.press("c")
    page.keyboard.type("odd shape")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    assert page.input_value("#note") == "odd shape"
    page.keyboard.press("j")
    assert page.input_value("#note") == ""
    page.keyboard.press("k")
    page.reload()
    wait(page, "review.pictureMs !== null")
    assert shown(page) == first
    assert page.input_value("#note") == "odd shape"
    page.keyboard.press("l")
    wait(page, SAVED)
    assert [label["note"] for label in stored(study_folder)] == ["odd shape"]


@pytest.mark.parametrize(
    ("link", "sentence"),
    [("%", "names no cell"), ("A1", "names no cell"), ("A1/99", "no cell 99 in recording A1"), ("A1/x", "no cell x")],
)
def test_a_link_that_names_no_cell_is_told(page, link, sentence):
    page.evaluate(f"location.hash = '#{link}'")
    wait(page, f"{TOLD}.includes('{sentence}')")
    page.keyboard.press("n")
    wait(page, SAVED)


def test_a_forecast_that_was_seen_is_not_forgotten(context, study_folder):
    source = find_source(study_folder)
    source.paths["unscored_forecasts"].parent.mkdir()
    told = pd.DataFrame({"cell_id": range(1, 8), "p_apoptosis": 0.5, "p_mitosis": 0.3, "p_none": 0.2})
    told = told.assign(recording_id="A1", frame=15, within_h=5.0, predictor="blend", part="test", fold=0)
    told.to_parquet(source.paths["unscored_forecasts"])
    with running(source) as address:
        page = open_page(context, address)
        open_cell(page, "A1", 2)
        page.keyboard.press("f")
        wait(page, "document.getElementById('mine').textContent.includes('for training only')")
        page.keyboard.press("f")
        page.reload()
        wait(page, "review.pictureMs !== null")
        assert shown(page) == ["A1", 2]
        assert not page.is_checked("#forecasts")
        page.keyboard.press("n")
        wait(page, SAVED)
        open_cell(page, "A1", 4)  # its row stood in the table meanwhile
        page.keyboard.press("n")
        wait(page, SAVED)
        open_cell(page, "A1", 8)  # it has none
        page.keyboard.press("n")
        wait(page, SAVED)
        page.fill("#scorer", "bob")
        page.keyboard.press("Enter")
        wait(page, "review.state.scorer === 'bob' && review.state.drawn !== null")
        open_cell(page, "A1", 2)
        page.keyboard.press("n")
        wait(page, SAVED)
    assert [label["looked_at_forecasts"] for label in stored(study_folder)] == [True, True, False, False]


def test_labels_that_wait_are_never_sent_to_another_study_of_that_name_and_port(context, study_folder, tmp_path):
    write_recordings(tmp_path / "other" / "raw", cells_each=8)
    with serving(study_folder, 0) as (process, first):
        page = open_page(context, first)
        os.kill(process.pid, signal.SIGSTOP)
        page.keyboard.press("m")
        wait(page, "review.state.outbox.length === 1")
    page.close()
    with serving(tmp_path / "other", port_of(first)) as (_, second):
        page = open_page(context, second)
        wait(page, SAVED)
        page.close()
    assert stored(tmp_path / "other") == []
    with serving(study_folder, 0) as (_, third):
        page = open_page(context, third)
        wait(page, f"{TOLD}.includes('--port {port_of(first)}')")
        page.reload()
        wait(page, f"{TOLD}.includes('--port {port_of(first)}')")
        page.click("text=say it no more")
        page.reload()
        wait(page, "review.pictureMs !== null")
        assert page.is_hidden("#told")
        page.close()
    with serving(study_folder, port_of(first)) as (_, fourth):
        page = open_page(context, fourth)
        wait(page, f"{SAVED} && !document.cookie.includes('_{port_of(first)}')")
    assert len(stored(study_folder)) == 1


def test_caps_lock_changes_no_key_and_shift_is_no_letter(page, study_folder):
    press = "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '%s', shiftKey: %s, bubbles: true }))"
    for key, shift in (("M", "true"), ("m", "true"), ("N", "false")):
        page.evaluate(press % (key, shift))
    wait(page, SAVED)
    assert [label["fate"] for label in stored(study_folder)] == ["neither"]


def test_all_that_waits_is_shown_after_a_reload(context, page, address, study_folder):
    page.route("**/labels", lambda route: route.abort())
    open_cell(page, "A1", 2)
    page.evaluate("document.getElementById('advance').checked = false")
    for key in "nlx":
        page.keyboard.press(key)
    wait(page, "review.state.outbox.length === 3")
    page.reload()
    wait(page, "review.pictureMs !== null")
    assert "You scored unusable" in page.inner_text("#mine")
    page.unroute("**/labels")
    wait(page, SAVED)
    assert [label["fate"] for label in stored(study_folder)] == ["neither", "lost", "unusable"]


def test_a_study_that_was_made_anew_shows_no_film_of_another_cell(page):
    page.evaluate("review.state.films.clear()")
    page.route("**/film/*", lambda route: route.continue_(url=re.sub(r"film/\d+", "film/15", route.request.url)))
    page.evaluate("location.hash = '#A1/2'")
    wait(page, f"{TOLD}.includes('has changed since this page was opened')")
    assert page.evaluate("review.state.frame") is None


def test_what_is_reached_with_the_tabulator_takes_its_own_keys(page):
    page.focus("#advance")
    page.keyboard.press("Space")
    assert not page.is_checked("#advance")
    assert not page.evaluate("review.state.playing")
    page.click("#advance")
    page.keyboard.press("Space")
    assert page.evaluate("review.state.playing"), "after the mouse keys mean what they always do"
    assert page.is_checked("#advance")
    page.keyboard.press("Space")
    page.keyboard.press("/")
    page.keyboard.type("B1")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait(page, "review.state.rows[review.state.key].recording === 'B1' && review.state.drawn !== null")
    page.keyboard.press("Escape")
    at = page.evaluate("review.state.frame")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("review.state.frame") == at - 1


def test_playing_ends_with_the_cell(page):
    open_cell(page, "A1", 2)
    page.keyboard.press("Space")
    wait(page, "review.played > 2")
    page.keyboard.press("j")
    wait(page, "review.state.drawn !== null")
    assert not page.evaluate("review.state.playing")
    assert page.inner_text("#play") == "play"
