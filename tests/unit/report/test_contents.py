"""What the report lists agrees with the catalog, and every predictor has its words."""

from pathlib import Path
from typing import get_args

import yaml

from cellfate.core import predictors, words
from cellfate.metrics.settings import HazardName, ReferenceName
from cellfate.models.settings import BlendSettings
from cellfate.report import contents

CATALOG = Path(__file__).parents[3] / "conf" / "base" / "catalog.yml"
ENTRIES = set(yaml.safe_load(CATALOG.read_text(encoding="utf-8")))
READINGS = ("classifier", "clock")


def in_catalog(name: str) -> bool:
    patterns = {name, *(name.replace(f"{reading}_", "{reading}_", 1) for reading in READINGS)}
    return bool(patterns & ENTRIES)


def test_every_table_of_the_report_is_in_the_catalog_and_every_figure_fits_its_pattern():
    assert [name for name in contents.TABLES if not in_catalog(name)] == []
    assert "{figure}_figure" in ENTRIES
    assert all(name.endswith("_figure") for name in contents.OPENINGS)
    assert all(text.name.endswith("_figure") for text in contents.FIGURES)


def test_every_figure_stands_in_a_section_once():
    assert {text.section for text in contents.FIGURES} <= {section.anchor for section in contents.SECTIONS}
    assert len({text.name for text in contents.FIGURES}) == len(contents.FIGURES)
    assert {text.of for text in contents.FIGURES} == {"", "which_fate", "within_hours", *READINGS}


def test_every_predictor_has_its_words():
    known = {predictors.CLASSIFIER, predictors.ON_OTHER_BACKGROUND, predictors.TRUTH, *predictors.CLOCK_PREDICTORS}
    assert set(predictors.PREDICTORS) == known | set(get_args(ReferenceName)) | set(get_args(HazardName))
    assert set(BlendSettings().parts) <= set(predictors.PREDICTORS)
    assert len({word.label for word in predictors.PREDICTORS.values()}) == len(predictors.PREDICTORS)
    assert predictors.order_predictors(["b", "dose", "truth", "a", "blend"]) == ["blend", "dose", "truth", "a", "b"]


def test_doses_stand_from_low_to_high():
    assert words.order_doses(["Unknown", "High", "x", "Control", "Low"]) == ["Control", "Low", "High", "Unknown", "x"]


def test_a_predictor_has_one_name_on_a_card_and_in_a_sentence():
    word = predictors.PREDICTORS[predictors.MEASUREMENTS]
    assert word.label == words.capitalise(word.sentence)
