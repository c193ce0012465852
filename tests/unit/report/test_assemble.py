"""One page says what its tables say, the answers first, and leaves out what was not asked."""

import re

import pandas as pd
import plotly.graph_objects as go
import pytest
from markupsafe import escape
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.core.tables import Metrics
from cellfate.metrics.settings import ScoreSettings
from cellfate.plots.theme import say_nothing
from cellfate.prediction.settings import AlarmSettings
from cellfate.report import ReportSettings, assemble_report, belief, contents
from cellfate.report.assemble import name_unit
from tests.cases.report_tables import make_questions, make_reproduction, report_case
from tests.cases.score_tables import FOLLOW_UP

DRAWN = [*(text.name for text in contents.FIGURES), *contents.OPENINGS]


@pytest.fixture(scope="module")
def case():
    return report_case()


def make_page(case, settings=None, figures=DRAWN, follow_up=FOLLOW_UP, **changed):
    drawn = {name: go.Figure(go.Scatter(x=[0, 1], y=[1, 0])) for name in figures}
    parameters = {"training": {"seed": 7, "note": "<b>odd</b>"}, "scores": ScoreSettings()}
    artefacts = {**case.tables, **drawn, **changed}
    return assemble_report(
        artefacts, case.models, parameters, settings or ReportSettings(), ScoreSettings(), follow_up, AlarmSettings()
    )


@pytest.fixture(scope="module")
def page(case):
    return make_page(case)


def body_of(page: str) -> str:
    return re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)


def test_plotly_is_in_the_page_once_and_nothing_is_fetched(page):
    assert page.count("plotly.js v") == 1
    assert not re.findall(r"""<(?:script|img|iframe)[^>]*\ssrc=|<link\b|@import|url\(""", body_of(page))
    assert not re.findall(r"<script[^>]*\ssrc=", page)


def test_the_same_inputs_give_the_same_page(case, page):
    assert page == make_page(case)


def test_answers_stand_first_then_the_picture_then_chapters_by_question_and_the_study_last(page):
    body = body_of(page)
    anchors = re.findall(r'<section id="(\w+)"', body)
    assert anchors == ["answer", *(section.anchor for section in contents.SECTIONS)]
    assert anchors[-6:] == ["data", "preflight", "split", "training", "published", "settings"]
    opening = body.index("figure-clock_opening_figure")
    assert body.index("Which fate comes, given that one comes?") < body.index("What happens within 5 h?") < opening
    assert opening < body.index('<section id="scores"')
    assert re.findall(r'<a href="#(\w+)"', body) == anchors


def test_every_figure_and_section_is_explained_and_nothing_is_said_twice(page):
    body = body_of(page)
    sentences = {sentence for text in contents.FIGURES for sentence in (text.reads, text.not_shown) if sentence}
    for sentence in {*sentences, *(section.reads for section in contents.SECTIONS)}:
        assert body.count(str(escape(sentence))) == 1, sentence
    assert len(re.findall(r'id="figure-\w+"', body)) == len(contents.FIGURES) + 1


def test_the_page_has_half_the_words_of_the_two_before():
    texts = [section.reads for section in contents.SECTIONS]
    texts += {sentence for text in contents.FIGURES for sentence in (text.reads, text.not_shown)}
    assert len(" ".join(texts).split()) <= 2798 / 2


def test_figures_without_data_are_left_out_and_so_are_sections_without_anything(case):
    figures = {name: say_nothing("Nothing (n = 0)", "Nothing.") for name in DRAWN}
    body = body_of(make_page(case, figures=(), **figures))
    assert "figure-" not in body
    assert '<section id="examples"' not in body
    assert '<section id="data"' in body


def test_a_question_that_was_not_asked_is_one_sentence(case):
    asked = make_questions(which=False)
    scored = ("metrics", "comparisons", "seed_scores")
    tables = {name: t[t["within_h"].notna()] for name, t in case.tables.items() if name in scored}
    empty = {name: case.tables[name].head(0) for name in case.tables if name.startswith("classifier_")}
    figures = [name for name in DRAWN if not name.startswith(("which_fate", "classifier"))]
    tables["reproduction"] = make_reproduction({**case.tables, "questions": asked})
    page = make_page(case, figures=figures, questions=asked, background_swap=Metrics.empty(), **tables, **empty)
    body = body_of(page)
    assert body.count("Not asked: all 12 cells end in mitosis.") == 1
    assert "Balanced accuracy" not in body
    assert "What happens within 5 h?" in body
    assert "Every predictor: which fate comes" not in body


def test_a_reservation_is_said_beside_what_was_asked(case):
    remark = "no followed cell is censored: check that cells without a fate were kept."
    reserved = make_questions().assign(remark=[None, remark])
    assert f"never shown. {remark.capitalize()}" in body_of(make_page(case, questions=reserved))


def test_a_page_is_made_where_nothing_was_scored(case):
    kept = ("questions", "follow_ups", "landmarks", "recordings", "cells", "splits", "frame_files")
    kept += ("leakage", "sister_concordance")
    nothing = {name: case.tables[name].head(0) for name in contents.TABLES if name not in kept}
    body = body_of(make_page(case, figures=(), **nothing))
    assert body.count("Not scored: no landmark of the test part has a known answer.") == 2


def test_a_missing_table_is_named(case):
    with pytest.raises(InputError, match="'commitment_summary'"):
        make_page(case, commitment_summary=go.Figure())


@pytest.mark.parametrize(("predictor", "reading"), [("classifier", "Classifier"), ("network", "Fate clock")])
def test_a_model_at_chance_has_nothing_to_explain_in_either_reading(case, predictor, reading):
    metrics = case.tables["metrics"]
    at_chance = (metrics["predictor"] == predictor) & (metrics["metric"] == "auroc")
    body = body_of(make_page(case, metrics=metrics.assign(low=metrics["low"].mask(at_chance, 0.4))))
    believed = body[body.index('<section id="belief"') : body.index('<section id="examples"')]
    assert f"<p>{reading}: {escape(belief.NOTHING_TO_EXPLAIN)}</p>" in believed
    assert believed.count("Believe of a single cell") == 1


def test_the_opening_picture_is_of_a_model_that_is_not_at_chance(case):
    metrics = case.tables["metrics"]
    at_chance = (metrics["predictor"] == "network") & (metrics["metric"] == "auroc")
    changed = metrics.assign(low=metrics["low"].mask(at_chance, 0.4))
    assert 'id="figure-classifier_opening_figure"' in make_page(case, metrics=changed)
    assert 'id="figure-clock_opening_figure"' in make_page(case)
    only_clock = make_page(case, figures=["clock_opening_figure"], metrics=changed)
    assert str(escape(belief.NOTHING_TO_EXPLAIN)) in only_clock.split('<section id="scores"')[0]


def test_what_was_left_out_is_listed_with_its_reason(page):
    for reason in ("frame 3 of r9 has 2 channels, expected 3", "no position", "no tracked frame before the guard"):
        assert reason in page


def test_parameters_are_listed_and_escaped(page):
    for text in ("training.seed", "scores.n_resamples", "&lt;b&gt;odd&lt;/b&gt;", "0123abcd"):
        assert text in page


def test_the_order_of_parameters_is_that_of_their_names(case, page):
    read = page[page.index("Every parameter of the study") :].split("</table>")[0]
    names = re.findall(r">\s*((?:scores|training)\.\w+)\s*<", read)
    assert names == sorted(names)
    assert "training.seed" in names


def test_a_training_that_stopped_early_is_said_beside_the_headline_and_in_its_section(case):
    history = case.tables["clock_history"].query("epoch <= 3")  # the best epoch, 3, is the last
    body = body_of(make_page(case, clock_history=history))
    words = "The fate clock stopped at the epoch limit (4 epochs) while still improving"
    answers, rest = body.split('<section id="scores"')
    assert answers.count(words) == rest.count(words) == 1
    assert answers.index("What happens within 5 h?") < answers.index(words)
    assert 'class="caveat"' not in body_of(make_page(case))


def test_the_opening_is_described_by_the_panels_it_has(case):
    figure = go.Figure(go.Scatter(x=[0], y=[0])).update_layout(yaxis_title="forecast<br>within 5 h")
    page = make_page(case, clock_opening_figure=figure.update_layout(yaxis2={"title": "Shapley<br>values"}))
    said = page[page.index('id="figure-clock_opening_figure"') :].split("<figcaption>")[1].split("</figcaption>")[0]
    assert "under them the forecast made at each frame and Shapley values of channels and hours" in said
    assert "attention" not in said
    assert "What this does not show:" in said
    assert "under them" not in make_page(case).split('<section id="scores"')[0]


def test_events_that_are_not_shown_have_no_commitments(case):
    body = body_of(make_page(case, follow_up=FOLLOW_UP.model_copy(update={"events": ("mitosis",)})))
    calls = body[body.index("Commitments, looking back") :].split("</table>")[0]
    assert "mitosis" in calls
    assert "apoptosis" not in calls


def test_long_tables_are_cut_and_counted(case):
    many = pd.concat([case.tables["cells_set_aside"].assign(reason=f"reason {n}") for n in range(8)])
    page = make_page(case, ReportSettings(longest_table=5), cells_set_aside=many)
    assert "5 further rows are not shown here" in page


def test_unit_is_named_by_what_the_groups_are(case):
    cells = case.tables["follow_ups"]
    assert name_unit(cells) == "recording"
    assert name_unit(cells.assign(group_id=cells["recording_id"] + ":1")) == "lineage"
    assert name_unit(cells.assign(group_id="well A")) == "group"


def test_percentiles_that_do_not_rise_are_named():
    with pytest.raises(ValidationError, match=r"\(90.0, 10.0\), expected 0 <= low < high <= 100"):
        ReportSettings(brightness_percentiles=(90, 10))


def test_the_report_links_to_the_checklists(page):
    assert '<a href="checklist.html">Reporting checklists</a>' in body_of(page)
