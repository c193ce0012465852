"""The page in a real browser: what a person sees and presses."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from .conftest import SAVED, open_cell, open_page, port_of, running, serving, shown, stored, wait
from .tiny import N_FRAMES, NASTY, find_source, open_tiny


def test_cells_are_scored_by_keys_alone_and_are_there_after_a_reload(page, study_folder):
    first = shown(page)
    page.keyboard.press("m")
    wait(page, SAVED)
    second = shown(page)
    assert second != first, "it goes on by itself"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    at = page.evaluate("review.state.frame")
    page.keyboard.press("e")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    wait(page, SAVED)
    page.keyboard.press("c")
    page.keyboard.type("not sure; n m a are letters here")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    wait(page, SAVED)
    labels = stored(study_folder)
    assert [label["fate"] for label in labels] == ["mitosis", "apoptosis", "unusable"]
    assert [labels[0]["recording_id"], labels[0]["cell_id"]] == first
    assert labels[1]["event_frame"] == at
    assert labels[2]["event_frame"] is None
    assert labels[2]["note"] == "not sure; n m a are letters here"
    assert {label["queue"] for label in labels} == {"random"}
    page.reload()
    wait(page, "review.pictureMs !== null")
    assert page.evaluate("review.state.rows.filter((row) => row.label).length") == 3
    assert shown(page) not in [[label["recording_id"], label["cell_id"]] for label in labels]
    assert "3" in page.inner_text("#counts tr.all")
    page.keyboard.press("n")
    wait(page, SAVED)
    assert stored(study_folder)[-1]["queue"] == "random", "a reload is no search"


def test_an_event_is_scored_only_where_its_film_was_seen(page, study_folder):
    page.route("**/film/**", lambda route: route.abort())
    page.evaluate("review.state.films.clear()")
    page.keyboard.press("j")
    before = shown(page)
    wait(page, "document.body.innerText.includes('The server does not answer')")
    page.keyboard.press("m")
    wait(page, "document.body.innerText.includes('The film is not there yet')")
    assert shown(page) == before
    page.keyboard.press("n")
    wait(page, SAVED)
    assert [label["fate"] for label in stored(study_folder)] == ["neither"], "which needs no frame"


def test_a_held_key_scores_one_cell_and_a_chosen_order_leaves_the_keys(page, study_folder):
    press = "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', repeat, bubbles: true }))"
    page.evaluate(f"() => {{ for (const repeat of [false, true, true]) {press}; }}")
    wait(page, SAVED)
    assert len(stored(study_folder)) == 1
    page.select_option("#queue", "by_recording")
    wait(page, "document.activeElement === document.body")


def test_undo_and_redo_are_labels_too_and_outlive_a_reload(page, study_folder):
    first = shown(page)
    page.keyboard.press("n")
    page.keyboard.press("l")
    wait(page, SAVED)
    page.reload()
    wait(page, "review.pictureMs !== null")
    page.keyboard.press("u")
    page.keyboard.press("u")
    wait(page, SAVED)
    assert shown(page) == first
    page.keyboard.press("r")
    wait(page, SAVED)
    assert [label["fate"] for label in stored(study_folder)] == ["neither", "lost", None, None, "neither"]
    assert page.evaluate("review.state.rows.filter((row) => row.label).map((row) => row.label)") == ["neither"]
    assert "You scored neither" in page.inner_text("#mine")


def test_nothing_is_lost_when_the_server_dies_between_a_key_and_its_answer(context, study_folder):
    with serving(study_folder, 0) as (process, first):
        page = open_page(context, first)
        page.keyboard.press("n")
        wait(page, SAVED)
        os.kill(process.pid, signal.SIGSTOP)
        page.keyboard.press("m")
        wait(page, "review.state.outbox.length === 1")
    wait(page, "document.getElementById('told').textContent.includes('does not answer')")
    assert "1 not saved yet" in page.inner_text("#saved")
    page.keyboard.press("l")  # scoring goes on
    with serving(study_folder, port_of(first)) as (_, second):
        wait(page, "document.getElementById('told').textContent.includes('token')")
        open_page(context, second)
        wait(page, SAVED)
    labels = stored(study_folder)
    assert [label["fate"] for label in labels] == ["neither", "mitosis", "lost"]
    assert len({label["entry_id"] for label in labels}) == 3


def test_what_was_not_sent_is_sent_by_the_next_page(context, study_folder):
    with serving(study_folder, 0) as (process, first):
        page = open_page(context, first)
        os.kill(process.pid, signal.SIGSTOP)
        page.keyboard.press("m")
        wait(page, "review.state.outbox.length === 1")
    page.close()
    with serving(study_folder, port_of(first)) as (_, second):
        wait(open_page(context, second), SAVED)
    assert [label["fate"] for label in stored(study_folder)] == ["mitosis"]


def test_two_pages_do_not_overwrite_each_other(context, page, address, study_folder):
    other = open_page(context, address)
    for one in (page, other):
        open_cell(one, "A1", 2)
    page.keyboard.press("m")
    wait(page, SAVED)
    other.keyboard.press("a")
    wait(other, SAVED)
    assert [label["fate"] for label in stored(study_folder)] == ["mitosis"]
    told = other.inner_text("#told")
    assert "in the meantime" in told
    assert (
        other.evaluate("review.state.rows.find((row) => row.recording === 'A1' && row.cell === 2).label") == "mitosis"
    )
    other.click("#told button:has-text('store mine')")
    wait(other, SAVED)
    assert [label["fate"] for label in stored(study_folder)] == ["mitosis", "apoptosis"]


def test_two_scorers_score_the_same_cell(context, page, address, study_folder):
    other = open_page(context, address, scorer="bob")
    for one, key in ((page, "m"), (other, "a")):
        open_cell(one, "A1", 2)
        one.keyboard.press(key)
        wait(one, SAVED)
    assert [(label["scorer"], label["fate"]) for label in stored(study_folder)] == [
        ("ann", "mitosis"),
        ("bob", "apoptosis"),
    ]


def test_a_third_settles_what_two_do_not_agree_on(context, page, address, study_folder):
    other = open_page(context, address, scorer="bob")
    for one, key in ((page, "m"), (other, "a")):
        open_cell(one, "A1", 2)
        one.keyboard.press(key)
        wait(one, SAVED)
    third = open_page(context, address, scorer="cleo")
    assert third.is_hidden("#settle"), "nobody scored this one"
    open_cell(third, "A1", 2)
    third.check("#settles")
    third.keyboard.press("m")
    wait(third, SAVED)
    assert [label["adjudicates"] for label in stored(study_folder)] == [False, False, True]


def test_the_blind_see_neither_conditions_nor_fates_nor_names(page, study_folder):
    page.keyboard.press("m")
    wait(page, SAVED)
    page.check("#blind")
    wait(page, "document.getElementById('title').textContent.includes('in this order')")
    wait(page, "review.state.curvesOf === review.state.films.get(review.state.key)")
    text = page.inner_text("body")
    for hidden in ("plain", NASTY, "recorded:", "mother", "daughter", "HTML\n", "agreement\n"):
        assert hidden not in text
    assert page.evaluate("location.hash") == ""
    page.keyboard.press("a")
    wait(page, SAVED)
    label = stored(study_folder)[-1]
    assert label["blind"]
    assert not label["looked_at_forecasts"]


def test_an_order_that_needs_forecasts_says_so_and_the_old_one_stays(page):
    page.select_option("#queue", "uncertain")
    wait(page, "document.getElementById('told').textContent.includes('train a model first')")
    assert page.input_value("#queue") == "random"
    page.keyboard.press("n")
    wait(page, SAVED)
    page.select_option("#queue", "by_recording")
    wait(page, "review.state.queue === 'by_recording' && review.state.drawn !== null")
    assert shown(page)[0] == "A1"


def test_cells_whose_forecast_leaves_most_open_come_first_and_are_not_for_tests(context, study_folder):
    source = find_source(study_folder)
    source.paths["unscored_forecasts"].parent.mkdir()
    sure = pd.DataFrame({"cell_id": [4, 5, 6], "p_apoptosis": [0.98, 0.3, 0.5], "p_mitosis": [0.01, 0.3, 0.3]})
    sure = sure.assign(recording_id="A1", frame=15, within_h=5.0, predictor="blend", part="test", fold=0)
    sure.assign(p_none=1 - sure["p_apoptosis"] - sure["p_mitosis"]).to_parquet(source.paths["unscored_forecasts"])
    unscored = source.tracks.model_copy(update={"fates_file": "fates.csv", "missing_fates": "unscored"})
    with running(replace(source, tracks=unscored)) as address:
        page = open_page(context, address)
        page.select_option("#queue", "uncertain")
        wait(page, "review.state.queue === 'uncertain' && review.state.drawn !== null")
        assert page.evaluate("review.state.order.map((key) => review.state.rows[key].cell)") == [5, 6, 4]
        assert page.is_checked("#forecasts")
        page.keyboard.press("n")
        wait(page, SAVED)
    assert stored(study_folder)[-1]["queue"] == "uncertain"
    assert stored(study_folder)[-1]["looked_at_forecasts"]


def test_names_with_markup_are_text(page):
    open_cell(page, "B1", 1)
    assert NASTY in page.inner_text("#about")
    assert NASTY in page.inner_text("#counts")
    assert page.evaluate("window.hacked") is None


def test_the_film_steps_plays_and_shows_where_a_curve_is_clicked(page):
    open_cell(page, "A1", 2)
    assert page.evaluate("review.state.frame") == 20
    page.keyboard.press("Home")
    assert page.evaluate("review.state.frame") == 10
    page.keyboard.press("Space")
    wait(page, "review.played > 5")
    page.keyboard.press("Space")
    assert not page.evaluate("review.state.playing")
    red = page.evaluate(
        "document.getElementById('film').getContext('2d').getImageData(0, 0, 16, 16).data.slice(0, 64).join()"
    )
    page.keyboard.press("1")
    changed = page.evaluate(
        "document.getElementById('film').getContext('2d').getImageData(0, 0, 16, 16).data.slice(0, 64).join()"
    )
    assert changed != red, "a channel went off"
    page.keyboard.press("s")
    wait(page, "review.state.whole")
    assert page.evaluate("document.getElementById('film').width") == 64
    page.keyboard.press("s")
    assert page.evaluate("document.getElementById('film').width") == 16
    page.click("#family button:has-text('mother')")
    wait(page, "review.state.rows[review.state.key].cell === 1")
    assert page.evaluate("review.state.from") == "search", "it did not come by the order"


def test_a_link_from_elsewhere_opens_its_cell(context, page, address, tmp_path):
    origin = address.split("/?")[0]
    report = tmp_path / "report.html"
    report.write_text(f'<a href="{origin}/#B1/2">cell</a>')
    other = context.new_page()
    other.goto(report.as_uri())
    other.click("a")
    wait(other, "review.pictureMs !== null")
    assert shown(other) == ["B1", 2]


def test_scoring_a_cell_takes_two_requests_at_most(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for key in "manlxmanlx":
        page.keyboard.press(key)
        wait(page, f"{SAVED} && review.state.drawn !== null")
    wait(page, "[...review.state.films.values()].every((film) => film.done)")
    assert len(asked) <= 20, asked


def test_the_view_is_handed_over_as_png_and_html(page):
    with page.expect_download() as download:
        page.click("button:has-text('PNG')")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as download:
        page.click("#html")
    content = Path(download.value.path()).read_text()
    other = page.context.new_page()
    other.set_content(content)
    other.click("#play")
    other.wait_for_function("document.getElementById('frame').textContent.includes('frame')")


@pytest.fixture
def large_address(tmp_path):
    """A study of 20,000 cells, of which only the tables are there."""
    small = open_tiny(tmp_path)
    source = small.source
    n = 20_000
    recordings = [f"W{well:03d}" for well in range(200)]
    cells = pd.concat([small.cells.head(1)] * n, ignore_index=True).assign(
        recording_id=[recordings[i % 200] for i in range(n)], cell_id=[i // 200 + 1 for i in range(n)]
    )
    (tmp_path / "data").mkdir()
    cells.to_parquet(source.paths["cells"])
    pd.concat([small.recordings.head(1)] * 200, ignore_index=True).assign(recording_id=recordings).to_parquet(
        source.paths["recordings"]
    )
    small.frame_files.to_parquet(source.paths["frame_files"])
    seen = cells[["recording_id", "cell_id"]].assign(frame=2, y_px=20.0, x_px=30.0)
    seen.to_parquet(source.paths["detections"])
    with running(source) as address:
        yield address


def test_a_table_of_20000_cells_is_searched_sorted_and_scored(context, large_address):
    page = open_page(context, large_address)
    assert page.evaluate("review.state.grid.getDisplayedRowCount()") == 20_000
    assert page.locator("#cells-box .ag-row").count() < 100, "only what is seen is built"
    page.keyboard.press("/")
    page.keyboard.type("W199")
    wait(page, "review.state.grid.getDisplayedRowCount() === 100")
    page.keyboard.press("Escape")
    page.click("#cells-box .ag-row[row-index='96'] [col-id='cell']")
    wait(page, "review.state.rows[review.state.key].recording === 'W199' && review.state.drawn !== null")
    page.keyboard.press("n")
    wait(page, SAVED)


def test_a_frame_beyond_the_recording_is_never_asked_for(page):
    open_cell(page, "A1", 2)
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("review.state.frame") == N_FRAMES - 1
