import re

import plotly.graph_objects as go
import pytest
from markupsafe import escape
from pydantic import ValidationError

from cellfate.metrics.settings import ScoreSettings
from cellfate.report import ReportSettings, assemble_report, contents
from cellfate.report.assemble import name_unit, share_positive
from tests.cases.report_tables import report_case


def make_page(outcomes=("apoptosis", "mitosis"), **settings) -> str:
    case = report_case(outcomes)
    figures = {text.name: go.Figure(go.Scatter(x=[0, 1], y=[1, 0])) for text in contents.FIGURES}
    parameters = {"training": {"seed": 7, "note": "<b>odd</b>"}, "scores": ScoreSettings()}
    return assemble_report(
        {**case.tables, **figures}, case.model, parameters, ReportSettings(**settings), ScoreSettings()
    )


@pytest.fixture(scope="module")
def page() -> str:
    return make_page()


def without_scripts(page: str) -> str:
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_plotly_is_in_the_page_once_and_nothing_is_fetched(page):
    assert page.count("plotly.js v") == 1
    assert not re.findall(r"""<(?:script|img|iframe)[^>]*\ssrc=|<link\b|@import|url\(""", without_scripts(page))
    assert not re.findall(r"<script[^>]*\ssrc=", page)


def test_the_same_inputs_give_the_same_page(page):
    assert page == make_page()


def test_every_section_and_figure_says_how_to_read_it_and_what_it_does_not_show(page):
    body = without_scripts(page)
    for text in (*contents.SECTIONS, *contents.FIGURES):
        assert str(escape(text.reads)) in body
        assert str(escape(text.not_shown)) in body
    n_texts = len(contents.SECTIONS) + len(contents.FIGURES)
    assert body.count("How to read it.") == body.count("What it does not show.") == n_texts
    assert len(re.findall(r'id="figure-\w+"', body)) == len(contents.FIGURES)


def test_set_aside_recordings_are_listed_with_their_reason(page):
    assert "frame 3 of r9 has 2 channels, expected 3" in page
    assert "whole recording" in page
    assert "censored: no fate was seen" in page


def test_parameters_are_listed_and_escaped(page):
    assert "training.seed" in page
    assert "scores.n_resamples" in page
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "0123abcd" in page


def test_landmark_report_leads_with_ranking_scores():
    body = without_scripts(make_page(("mitosis", "none")))
    assert "will this cell go through mitosis within the next 5.0 h" in body
    assert '<span class="name">AUROC</span>' in body
    assert '<span class="name">Balanced accuracy</span>' not in body


def test_long_tables_are_cut_and_counted():
    case = report_case()
    many = case.tables["recordings_set_aside"].loc[[0] * 8].reset_index(drop=True)
    figures = {text.name: go.Figure() for text in contents.FIGURES}
    artefacts = {**case.tables, **figures, "recordings_set_aside": many}
    page = assemble_report(artefacts, case.model, {}, ReportSettings(longest_table=5), ScoreSettings())
    assert "3 further rows are not shown here" in page


def test_unit_is_named_by_what_the_groups_are():
    cells = report_case().tables["cells"]
    assert name_unit(cells) == "recording"
    assert name_unit(cells.assign(group_id=cells["recording_id"] + ":1")) == "lineage"
    assert name_unit(cells.assign(group_id="well A")) == "group"


def test_share_of_the_positive_outcome_is_that_of_the_test_part():
    tables = report_case().tables
    samples = tables["samples"]
    in_test = samples["recording_id"].isin(["r6", "r7", "r8"])
    changed = samples.assign(outcome=samples["outcome"].where(~in_test, "apoptosis"))
    assert share_positive({**tables, "samples": changed}, ("apoptosis", "mitosis")) == 1.0
    assert share_positive(tables, ("apoptosis", "mitosis")) == 0.5


def test_percentiles_that_do_not_rise_are_named():
    with pytest.raises(ValidationError, match=r"\(90.0, 10.0\), expected 0 <= low < high <= 100"):
        ReportSettings(brightness_percentiles=(90, 10))
