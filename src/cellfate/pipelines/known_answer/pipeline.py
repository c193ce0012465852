"""Wiring of the `known_answer` pipeline."""

import warnings
from typing import Final

from kedro.pipeline import Pipeline, node

from cellfate.attribution.known_answer import score_planted
from cellfate.attribution.scoring import add_planted_scores
from cellfate.pipelines.known_answer import nodes

SCENARIOS: Final = (
    "null",
    "p53_early",
    "cell_cycle_mid",
    "morphology_late",
    "two_windows",
    "length_shortcut",
    "background_shortcut",
    "sister_coupled",
)
"""Studies whose answer is planted; `conf/base/parameters/scenarios` has a file for each."""

STACKED: Final = ("planted_scores", "metrics", "comparisons", "background_swap", "attention_summary")
"""Tables of every scenario that are put side by side."""


def create_pipeline(way: Pipeline) -> Pipeline:
    """Wire `known_answer`: the way from simulation to scored explanations, once a scenario, and what came of it.

    Parameters
    ----------
    way
        Pipelines from `simulation` to `explainability`. Each scenario takes it under a namespace of its name: data and
        `params:<scenario>.simulation` are its own, all other parameters are everybody's, but `known_answer_training`
        stands for `training`.
    """
    wanted = (way + _score_planted()).to_outputs(*STACKED)
    shared = {name: name for name in wanted.inputs() if name.startswith("params:") and name != "params:simulation"}
    shared["params:training"] = "params:known_answer_training"
    scenarios = [Pipeline(wanted, namespace=name, parameters=shared) for name in SCENARIOS]
    return sum(scenarios, Pipeline([])) + _stack() + _report()


def _score_planted() -> Pipeline:
    """Score the attributions for finding what was planted."""
    return Pipeline(
        [
            node(score_planted, ["attributions", "explained_samples", "truth"], "planted_cells", name="score_planted"),
            node(
                add_planted_scores,
                ["attribution_scores", "planted_cells", "params:explanation"],
                "planted_scores",
                name="add_planted_scores",
            ),
        ]
    )


def _stack() -> Pipeline:
    """Put the tables of all scenarios under each other."""
    with warnings.catch_warnings():
        # Kedro advises against dots in names; what a namespace makes has one
        warnings.filterwarnings("ignore", message="One or more dataset names contain")
        stacking = [
            node(
                nodes.stack_scenarios,
                {scenario: f"{scenario}.{name}" for scenario in SCENARIOS},
                f"known_answer_{name}",
                name=f"stack_{name}",
            )
            for name in STACKED
        ]
    return Pipeline(stacking)


def _report() -> Pipeline:
    """Print the scores and write the page."""
    tables = {name: f"known_answer_{name}" for name in STACKED if name != "attention_summary"}
    return Pipeline([node(nodes.assemble_page, tables, "known_answer_report", name="assemble_known_answer_report")])
