"""What the report and the page of the fate clock list agrees with the catalog."""

from pathlib import Path
from typing import get_args

import pytest
import yaml

from cellfate.core.predictors import CLOCK, ENSEMBLE, MODEL, SWAPPED, TRUTH
from cellfate.metrics.settings import BaselineName
from cellfate.plots import words as of_figures
from cellfate.report import clock_contents, contents
from cellfate.report import words as of_sentences

CATALOG = Path(__file__).parents[3] / "conf" / "base" / "catalog"
ENTRIES = {name: entry for path in CATALOG.glob("*.yml") for name, entry in yaml.safe_load(path.read_text()).items()}
SIMULATION_ONLY = {"recordings_preview"}


PAGES = (contents, clock_contents)


@pytest.mark.parametrize("page", PAGES)
def test_every_table_and_figure_of_a_page_is_in_the_catalog(page):
    assert {*page.TABLES, *(figure.name for figure in page.FIGURES)} <= set(ENTRIES)


def test_every_figure_of_the_catalog_is_on_one_page():
    figures = {name for name, entry in ENTRIES.items() if entry["type"] == "plotly.JSONDataset"}
    shown = [figure.name for page in PAGES for figure in page.FIGURES]
    assert sorted(figures - SIMULATION_ONLY) == sorted(shown)


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_stands_in_a_section(page):
    assert {figure.section for figure in page.FIGURES} <= {section.anchor for section in page.SECTIONS}


@pytest.mark.parametrize("names", [of_figures.PREDICTORS, of_sentences.PREDICTORS])
def test_every_predictor_has_a_name_in_figures_and_in_sentences(names):
    assert set(names) == {MODEL, CLOCK, ENSEMBLE, SWAPPED, TRUTH, *get_args(BaselineName)}
