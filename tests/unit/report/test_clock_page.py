"""The page of the fate clock says what its tables say, and no more than their intervals allow."""

import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from markupsafe import escape

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS
from cellfate.crops.store import CellSequence
from cellfate.metrics.settings import ScoreSettings
from cellfate.plots.filmstrip import draw_film_strips
from cellfate.report import (
    ReportSettings,
    assemble_clock_report,
    build_clock_strips,
    choose_clock_examples,
    clock_tables,
)
from cellfate.report import clock_contents as contents
from cellfate.report import clock_headline as headline
from tests.cases.incidence_tables import incidence_case

FEW = ScoreSettings(n_resamples=100)
NAN = float("nan")


@pytest.fixture(scope="module")
def case():
    return incidence_case()


@pytest.fixture(scope="module")
def follow_up(case):
    return FollowUpSettings(**case.model["follow_up"])


def make_page(case, **changed):
    figures = {text.name: go.Figure(go.Scatter(x=[0, 1], y=[1, 0])) for text in contents.FIGURES}
    artefacts = {**case.tables, **figures, **changed}
    return assemble_clock_report(artefacts, case.model, {"training": {"note": "<b>odd</b>"}}, ReportSettings(), FEW)


@pytest.fixture(scope="module")
def page(case):
    return make_page(case)


def without_scripts(page):
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def write(case, follow_up, metrics=None, comparisons=None):
    metrics = case.tables["incidence_metrics"] if metrics is None else metrics
    comparisons = case.tables["incidence_comparisons"] if comparisons is None else comparisons
    return headline.write_headline(metrics, comparisons, follow_up, "recording", 0.95)


def test_the_page_needs_no_network_and_holds_plotly_once(page):
    assert page.count("plotly.js v") == 1
    assert not re.findall(r"""<(?:script|img|iframe)[^>]*\ssrc=|<link\b|@import|url\(""", without_scripts(page))


def test_the_same_inputs_give_the_same_page(case, page):
    assert page == make_page(case)


def test_every_section_and_figure_says_how_to_read_it_and_what_it_does_not_show(page):
    body = without_scripts(page)
    for text in (*contents.SECTIONS, *contents.FIGURES):
        assert str(escape(text.reads)) in body
        assert str(escape(text.not_shown)) in body
    n_texts = len(contents.SECTIONS) + len(contents.FIGURES)
    assert body.count("How to read it.") == body.count("What it does not show.") == n_texts
    assert len(re.findall(r'id="figure-\w+"', body)) == len(contents.FIGURES)
    assert {text.section for text in contents.FIGURES} <= {section.anchor for section in contents.SECTIONS}


def test_the_page_puts_the_question_and_lists_parameters_settings_and_what_was_left_out(page):
    body = without_scripts(page)
    assert "what will this cell do within 5 h, how surely, since when was it clear?" in body
    assert "less than 1 h before the end of a track are never shown" in body
    assert "a track of 3 frames is shorter than the guard" in body
    assert "&lt;b&gt;odd&lt;/b&gt;" in body
    assert "0123abcd" in body


def test_a_missing_table_is_named(case):
    with pytest.raises(InputError, match="'commitment_summary'"):
        make_page(case, commitment_summary=go.Figure())


def test_a_page_is_made_where_nothing_was_scored(case):
    nothing = {name: case.tables[name].head(0) for name in contents.TABLES if name not in ("follow_ups", "landmarks")}
    body = without_scripts(make_page(case, **nothing))
    assert "The clock was not scored: no landmark of the test part has a known answer." in body


def test_the_page_can_be_about_one_event(case):
    tables = {name: t[t["outcome"] == "mitosis"] for name, t in case.tables.items() if name.startswith("incidence_")}
    model = {**case.model, "follow_up": {**case.model["follow_up"], "events": ["mitosis"]}}
    page = assemble_clock_report({**case.tables, **tables}, model, {}, ReportSettings(), FEW)
    body = without_scripts(page)
    assert "Apoptosis within" not in body
    assert "each of these 2 scores" in body
    assert not re.findall(r'<th scope="row">apoptosis</th>', body)


def test_the_boxes_hold_the_scores_of_the_ensemble_at_the_headline_horizon(case, follow_up):
    boxes = headline.write_scores(case.tables["incidence_metrics"], follow_up, 0.95)
    assert [box.name for box in boxes] == [
        "AUROC, apoptosis",
        "Average precision, apoptosis",
        "AUROC, mitosis",
        "Average precision, mitosis",
    ]
    assert (boxes[2].value, boxes[2].interval) == ("0.84", "95 % interval 0.79 to 0.88")
    assert [box.chance for box in boxes[2:]] == ["no knowledge would give 0.50", "no knowledge would give 0.25"]


def test_the_headline_counts_what_was_tested_and_warns_of_few_groups(case, follow_up):
    assert write(case, follow_up)[0].startswith(
        "Tested on 1,200 landmarks (150 followed by apoptosis and 300 followed by mitosis within 5 h) of 36 cells of 3 "
        "recordings that the scored model was not trained on; intervals hold 95 %"
    )
    assert "With only 3 recordings the intervals are rough" in write(case, follow_up)[0]


def test_the_headline_sets_ensemble_and_clock_against_the_best_reference(case, follow_up):
    sentences = write(case, follow_up)
    assert sentences[1] == (
        "Beside the best reference of each of these 4 scores, the ensemble is better in 4 and worse in 0 (paired "
        "intervals that exclude zero); in 0 these data do not tell them apart."
    )
    assert sentences[4] == (
        "Mitosis within 5 h: in AUROC the ensemble reaches 0.84 (0.79 to 0.88) and the clock reaches 0.80 (0.75 to "
        "0.84). The best reference, gradient boosting on handcrafted features and track age, reaches 0.81 (0.76 to "
        "0.85). The ensemble is higher by 0.03 (paired difference 0.01 to 0.07): the interval excludes zero. The clock "
        "is lower by 0.01 (paired difference -0.05 to 0.03): the interval includes zero, so these data do not show "
        "that the clock is better or worse."
    )
    assert len(sentences) == 6


def test_the_headline_is_honest_where_nothing_is_shown_to_be_better(follow_up):
    sentences = write(incidence_case(low=-0.01), follow_up)
    assert "the ensemble is better in 0 and worse in 0" in sentences[1]
    assert "in 4 these data do not tell them apart" in sentences[1]
    assert (
        "The ensemble is higher by 0.03 (paired difference -0.01 to 0.07): the interval includes zero" in sentences[4]
    )


def test_the_headline_says_so_where_the_ensemble_is_worse(case, follow_up):
    turned = case.tables["incidence_comparisons"].assign(difference=-0.2, low=-0.3, high=-0.1)
    sentences = write(case, follow_up, comparisons=turned)
    assert "the ensemble is better in 0 and worse in 4" in sentences[1]
    assert (
        "The ensemble is lower by 0.20 (paired difference -0.30 to -0.10): the interval excludes zero." in sentences[4]
    )


def test_a_difference_without_an_interval_tells_nothing_apart(case, follow_up):
    vague = case.tables["incidence_comparisons"].assign(low=NAN, high=NAN)
    sentences = write(case, follow_up, comparisons=vague)
    assert "in 4 these data do not tell them apart" in sentences[1]
    assert "nothing can be said about which is better" in sentences[2]


def test_the_best_reference_is_chosen_for_each_score_and_is_never_the_clock_or_the_truth(case, follow_up):
    metrics = case.tables["incidence_metrics"]
    truth = metrics[metrics["predictor"] == "clock"].assign(predictor="truth", estimate=1.0)
    is_dose = (metrics["predictor"] == "dose") & (metrics["metric"] == "average_precision")
    is_undefined = (metrics["predictor"] == "handcrafted_and_age") & (metrics["metric"] == "auroc")
    changed = metrics.assign(estimate=metrics["estimate"].mask(is_dose, 0.99).mask(is_undefined))
    scored = headline.select_headline(pd.concat([changed, truth]), follow_up)
    assert headline.find_best_reference(scored, "average_precision", "mitosis") == "dose"
    assert headline.find_best_reference(scored, "auroc", "mitosis") == "age_and_time"
    ours = scored[scored["predictor"].isin(["ensemble", "clock", "truth"])]
    assert headline.find_best_reference(ours, "auroc", "mitosis") is None
    assert "No reference was scored." in write(case, follow_up, metrics=ours)[1]


def test_without_an_ensemble_the_page_is_about_the_clock(case, follow_up):
    metrics = case.tables["incidence_metrics"].query("predictor != 'ensemble'")
    assert headline.write_scores(metrics, follow_up, 0.95)[2].value == "0.80"
    sentences = write(case, follow_up, metrics=metrics)
    assert "the clock is better in 0 and worse in 0" in sentences[1]
    assert not any("ensemble" in sentence for sentence in sentences)


def test_the_table_beside_lists_every_predictor_for_each_event(case, follow_up):
    table = headline.tabulate_beside(case.tables["incidence_metrics"], case.tables["incidence_comparisons"], follow_up)
    assert len(table.rows) == 10
    assert table.columns[3:5] == ("AUROC", "Ensemble minus this one")
    assert table.rows[0][:5] == (
        "apoptosis", "The ensemble of clock and boosting", "images and measurements on them", "0.81 (0.76 to 0.85)", ""
    )  # fmt: skip
    assert table.rows[2][4] == "+0.03 (0.01 to 0.07)"
    assert table.rows[4][2] == "no image"


def test_parts_count_cells_fates_and_landmarks(case):
    tables = case.tables
    table = clock_tables.tabulate_clock_parts(tables["follow_ups"], tables["clock_splits"], tables["landmarks"])
    assert [row[:4] for row in table.rows] == [
        ("0", "train", "12", "2"),
        ("0", "validation", "6", "1"),
        ("0", "test", "18", "3"),
    ]
    assert table.columns == ("Fold", "Part", "Cells", "Groups", "Landmarks", "Apoptosis", "Mitosis", "Censored")
    assert sum(int(row[4]) for row in table.rows) == len(tables["landmarks"])


def test_commitments_are_listed_by_fate_and_predictor(case):
    table = clock_tables.tabulate_commitments(case.tables["commitment_summary"], EVENTS)
    assert [row[:2] for row in table.rows[:2]] == [
        ("apoptosis", "Ensemble (clock and boosting)"),
        ("apoptosis", "Clock (network)"),
    ]
    of_ensemble = case.tables["commitments"].query("predictor == 'ensemble' and fate == 'apoptosis'")
    right = (of_ensemble["call"] == "apoptosis").mean()
    assert table.rows[0][2] == str(len(of_ensemble))
    assert table.rows[0][3].startswith(f"{right:.2f} (")
    assert table.rows[-1][0] == "censored"
    assert table.rows[-1][3] == ""
    assert clock_tables.tabulate_commitments(case.tables["commitment_summary"].head(0), EVENTS).rows == ()


class ShortStore:
    """Stands in for a crop store: every frame that is asked for, filled with its number."""

    channels = ("p53",)

    def read(self, recording_id, cell_id, first_frame=None, last_frame=None):
        numbers = np.arange(first_frame, last_frame + 1)
        frames = np.broadcast_to(numbers[:, None, None, None], (len(numbers), 1, 4, 4)).astype(np.uint16)
        zeros = np.zeros(len(numbers), dtype=np.int64)
        inside = np.ones((len(numbers), 4, 4), dtype=bool)
        return CellSequence(frames, None, inside, numbers, zeros, zeros, recording_id, cell_id, ("p53",), 30.0)


def make_cells(rows):
    """Cells of one recording by (cell, fate, call, p_apoptosis, p_mitosis at the last frame)."""
    cells = pd.DataFrame(rows, columns=["cell_id", "fate", "call", "p_apoptosis", "p_mitosis"])
    shared = cells.assign(recording_id="r0", sample_id=[f"r0:{cell}" for cell in cells["cell_id"]])
    follow_ups = shared[["sample_id", "recording_id", "cell_id", "fate"]].assign(
        dose="Low", first_frame=0, last_frame=7, end_frame=10, frame_interval_min=30.0
    )
    incidence = shared[["recording_id", "cell_id", "p_apoptosis", "p_mitosis"]].assign(
        predictor="ensemble", part="test", frame=7, within_h=5.0, p_none=1 - cells["p_apoptosis"] - cells["p_mitosis"]
    )
    earlier = incidence.assign(frame=5, p_apoptosis=0.2, p_mitosis=0.2, p_none=0.6)
    called = cells["call"] != "none"
    commitments = shared[["recording_id", "cell_id", "call"]].assign(
        predictor="ensemble", within_h=5.0, threshold=np.where(called, 0.4, np.nan),
        frame=pd.array([5 if yes else pd.NA for yes in called], dtype="Int64"),
    )  # fmt: skip
    return commitments, pd.concat([earlier, incidence, incidence.assign(within_h=2.0)]), follow_ups


CELLS = [
    (1, "apoptosis", "apoptosis", 0.7, 0.1),
    (2, "apoptosis", "apoptosis", 0.9, 0.1),
    (3, "apoptosis", "none", 0.3, 0.1),
    (4, "mitosis", "apoptosis", 0.6, 0.2),
    (5, "mitosis", "none", 0.1, 0.1),
    (6, "censored", "none", 0.1, 0.0),
    (7, "censored", "mitosis", 0.1, 0.8),
]


def test_examples_are_the_surest_right_and_wrong_cells_and_two_censored_ones():
    chosen = choose_clock_examples(*make_cells(CELLS))
    found = [(row.kind, row.fate, row.heading, row.cell_id, round(row.p_fate, 2)) for row in chosen.itertuples()]
    assert found == [
        ("right and sure", "apoptosis", "right and sure", 2, 0.9),
        ("right and sure", "censored", "surest of no event", 6, 0.9),
        ("wrong and sure", "apoptosis", "wrong and sure", 3, 0.3),
        ("wrong and sure", "mitosis", "wrong and sure", 5, 0.1),
        ("wrong and sure", "censored", "surest of an event", 7, 0.1),
    ]


def test_a_single_censored_cell_is_shown_once():
    chosen = choose_clock_examples(*make_cells(CELLS[:6]))
    assert list(chosen["fate"]).count("censored") == 1


def test_a_cell_that_ended_in_an_event_that_is_not_forecast_is_no_example():
    commitments, incidence, follow_ups = make_cells(CELLS)
    only_mitosis = incidence.drop(columns="p_apoptosis")
    assert set(choose_clock_examples(commitments, only_mitosis, follow_ups)["fate"]) == {"mitosis", "censored"}


def test_no_call_gives_no_example():
    commitments, incidence, follow_ups = make_cells(CELLS)
    assert choose_clock_examples(commitments.head(0), incidence, follow_ups).empty


def test_strips_hold_the_forecast_of_each_event_with_threshold_and_commitment():
    commitments, incidence, follow_ups = make_cells(CELLS)
    examples = choose_clock_examples(commitments, incidence, follow_ups)
    strips = build_clock_strips(ShortStore(), examples, incidence, ReportSettings(frames_per_strip=9))
    first = strips[0]
    assert first.hours_t.tolist() == [-3.0, -2.0, -1.0, 0.0]
    assert [(curve.name, curve.hours.tolist(), curve.values.round(2).tolist()) for curve in first.panels[0].curves] == [
        ("apoptosis", [-1.0, 0.0], [0.2, 0.9]),
        ("mitosis", [-1.0, 0.0], [0.2, 0.1]),
        ("none", [-1.0, 0.0], [0.6, 0.0]),
    ]
    assert first.panels[0].curves[0].threshold == 0.4
    assert np.isnan(first.panels[0].curves[1].threshold)
    assert first.panels[0].mark_h == -1.0
    assert "apoptosis after 1.5 h" in first.title
    assert "gave apoptosis 0.90 within 5 h; called apoptosis from -1.0 h on" in first.title
    assert "censored, seen for 1.5 h more" in strips[1].title
    assert np.isnan(strips[1].panels[0].mark_h)


def test_curves_stand_in_the_legend_once_with_their_thresholds_in_the_colours_of_the_fates():
    commitments, incidence, follow_ups = make_cells(CELLS)
    examples = choose_clock_examples(commitments, incidence, follow_ups)
    strips = build_clock_strips(ShortStore(), examples, incidence, ReportSettings())
    figure = draw_film_strips(strips, (0.5, 99.8))
    assert [trace.name for trace in figure.data if trace.showlegend] == ["apoptosis", "mitosis", "none"]
    lines = [trace for trace in figure.data if trace.name == "apoptosis"]
    assert {line.line.color for line in lines} == {"#c8553d"}
    assert len([shape for shape in figure.layout.shapes if shape.line.dash == "dot"]) == 2  # cells 2 and 7 were called
    assert "n = 5 cells" in figure.layout.title.text
    assert not any(trace.fill for trace in figure.data)
