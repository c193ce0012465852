"""Nodes of the `known_answer` pipeline."""

import pandas as pd


def stack_scenarios(**tables: pd.DataFrame) -> pd.DataFrame:
    """Put the tables of scenarios under each other, with a column `scenario` in front."""
    return pd.concat(
        [table.assign(scenario=name)[["scenario", *table.columns]] for name, table in tables.items()], ignore_index=True
    )


def assemble_page(
    attribution_scores: pd.DataFrame,
    metrics: pd.DataFrame,
    comparisons: pd.DataFrame,
    background_swap: pd.DataFrame,
    attention_summary: pd.DataFrame,
) -> str:
    raise NotImplementedError
