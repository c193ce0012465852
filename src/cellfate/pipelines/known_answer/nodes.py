"""Nodes of the `known_answer` pipeline."""

import logging

import pandas as pd

from cellfate.attribution.scoring import add_planted_scores
from cellfate.attribution.settings import ExplanationSettings
from cellfate.report.known_answer import assemble_known_answer_page, print_known_answer, print_scenario

logger = logging.getLogger(__name__)


def grade_scenario(
    attribution_scores: pd.DataFrame,
    planted_cells: pd.DataFrame,
    metrics: pd.DataFrame,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Add the scores against what was planted to the others, and log all of this scenario, method by score."""
    scores = add_planted_scores(attribution_scores, planted_cells, explanation)
    logger.info("Method by score:\n%s", print_scenario(scores, metrics))
    return scores


def stack_scenarios(**tables: pd.DataFrame) -> pd.DataFrame:
    """Put the tables of scenarios under each other, with a column `scenario` in front."""
    return pd.concat(
        [table.assign(scenario=name)[["scenario", *table.columns]] for name, table in tables.items()], ignore_index=True
    )


def assemble_page(
    planted_scores: pd.DataFrame,
    metrics: pd.DataFrame,
    comparisons: pd.DataFrame,
    background_swap: pd.DataFrame,
    pixels: pd.DataFrame,
) -> str:
    """Log the table method by score, and give the page as HTML."""
    logger.info("Method by score, scenario by scenario:\n%s", print_known_answer(planted_scores, metrics))
    return assemble_known_answer_page(planted_scores, metrics, comparisons, background_swap, pixels)
