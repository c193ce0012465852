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

STACKED: Final = {
    "planted_scores": "planted_scores",
    "metrics": "metrics",
    "comparisons": "comparisons",
    "background_swap": "background_swap",
    "attention_summary": "classifier_attention_summary",
}
"""Tables of every scenario that are put side by side, by the name they get there."""

OWN: Final = ("follow_up", "training")
"""Groups of parameters that the scenarios have their own of, with `known_answer_` before the name."""


def create_pipeline(way: Pipeline) -> Pipeline:
    """Wire `known_answer`: the way from simulation to scored explanations, once a scenario, and what came of it.

    Parameters
    ----------
    way
        Pipelines from `simulation` to `comparison_trainings`. Each scenario takes it under a namespace of its name:
        data and `params:<scenario>.simulation` are its own; all other parameters are everybody's, but
        `known_answer_<group>` stands for those of `OWN`.
    """
    wanted = (way + _score_planted()).to_outputs(*STACKED.values())
    shared = {name: name for name in wanted.inputs() if name.startswith("params:") and name != "params:simulation"}
    shared |= {f"params:{name}": f"params:known_answer_{name}" for name in OWN}
    scenarios = [Pipeline(wanted, namespace=name, parameters=shared) for name in SCENARIOS]
    return sum(scenarios, Pipeline([])) + _stack() + _report()


def _score_planted() -> Pipeline:
    """Score the attributions for finding what was planted."""
    explained = ["classifier_attributions", "classifier_explained_landmarks", "truth"]
    return Pipeline(
        [
            node(score_planted, explained, "planted_cells", name="score_planted"),
            node(
                add_planted_scores,
                ["compared_attribution_scores", "planted_cells", "params:explanation"],
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
                {scenario: f"{scenario}.{made}" for scenario in SCENARIOS},
                f"known_answer_{name}",
                name=f"stack_{name}",
            )
            for name, made in STACKED.items()
        ]
    return Pipeline(stacking)


def _report() -> Pipeline:
    """Print the scores and write the page."""
    tables = {name: f"known_answer_{name}" for name in STACKED if name != "attention_summary"}
    return Pipeline([node(nodes.assemble_page, tables, "known_answer_report", name="assemble_known_answer_report")])
