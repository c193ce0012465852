"""Wiring of the `known_answer` pipeline."""

import warnings
from typing import Final

from kedro.pipeline import Pipeline, node

from cellfate.alteration.altering import alter_study
from cellfate.attribution.known_answer import score_planted
from cellfate.pipelines.known_answer import nodes

SCENARIOS: Final = (
    "null",
    "p53_early",
    "cell_cycle_mid",
    "morphology_late",
    "two_windows",
    "own_hours",
    "length_shortcut",
    "background_shortcut",
    "sister_coupled",
)
"""Studies whose answer is planted; `conf/base/parameters/scenarios` has a file for each."""

ALTERED: Final = ("real_brightness_dip", "real_texture_window", "real_neighbour_visit", "real_size", "real_null")
"""Scenarios in the pixels of a finished study; files as of `SCENARIOS`."""

PIXELS: Final = ("crops", "detections", "cells", "recordings", "frame_features")
"""What is taken of that study, `pixels.` before the name."""

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
    """Wire `known_answer`: the way from recordings to scored explanations, once a scenario, and what came of it.

    Parameters
    ----------
    way
        Pipelines from `simulation` to `comparison_trainings`. Each scenario takes it under a namespace of its name:
        data and `params:<scenario>.simulation` are its own; all other parameters are everybody's, but
        `known_answer_<group>` stands for those of `OWN`. Those of `ALTERED` begin with altered crops of the study
        whose results are in `pixels_root`, and have `params:<scenario>.alteration`.
    """
    made = {"crops", "detections", "cells", "recordings", "truth"}
    later = Pipeline([node for node in way.nodes if not made & set(node.outputs)])
    with warnings.catch_warnings():
        # Kedro advises against dots in names; what a namespace makes has one
        warnings.filterwarnings("ignore", message="One or more dataset names contain")
        simulated = (way + _score_planted()).to_outputs(*STACKED.values())
        altered = (_alter() + later + _score_planted()).to_outputs(*STACKED.values())
        named = [_name_scenario(simulated, name) for name in SCENARIOS]
        named += [_name_scenario(altered, name) for name in ALTERED]
        return sum(named, Pipeline([])) + _stack() + _report()


def _name_scenario(way: Pipeline, scenario: str) -> Pipeline:
    """Give a scenario's datasets and own parameters its name; those of the study whose pixels it takes keep theirs."""
    own = {f"params:{name}" for name in ("simulation", "alteration")}
    shared = {name: name for name in way.inputs() if name.startswith("params:") and name not in own}
    shared |= {f"params:{name}": f"params:known_answer_{name}" for name in OWN}
    taken = [name for name in way.inputs() if ":" not in name and name != "labels"]  # labels are of another study
    study = {name: f"pixels.{name}" if name in PIXELS else name for name in taken}
    return Pipeline(way, namespace=scenario, parameters=shared, inputs=study)


def _alter() -> Pipeline:
    """Make the study of a scenario of the pixels of another; recordings are those of the other."""
    own = ["params:alteration", "params:follow_up", "params:features"]
    inputs = [*(f"pixels.{name}" if name != "recordings" else name for name in PIXELS), *own]
    return Pipeline([node(alter_study, inputs, ["crops", "detections", "cells", "truth"], name="alter_study")])


def _score_planted() -> Pipeline:
    """Score the attributions for finding what was planted."""
    explained = ["classifier_attributions", "classifier_explained_landmarks", "truth", "classifier_tree_shapley"]
    return Pipeline(
        [
            node(score_planted, explained, "planted_cells", name="score_planted"),
            node(
                nodes.grade_scenario,
                ["compared_attribution_scores", "planted_cells", "metrics", "params:explanation"],
                "planted_scores",
                name="grade_scenario",
            ),
        ]
    )


def _stack() -> Pipeline:
    """Put the tables of all scenarios under each other."""
    return Pipeline(
        [
            node(
                nodes.stack_scenarios,
                {scenario: f"{scenario}.{made}" for scenario in (*SCENARIOS, *ALTERED)},
                f"known_answer_{name}",
                name=f"stack_{name}",
            )
            for name, made in STACKED.items()
        ]
    )


def _report() -> Pipeline:
    """Print the scores and write the page."""
    tables = {name: f"known_answer_{name}" for name in STACKED if name != "attention_summary"}
    tables["pixels"] = "pixels.recordings"
    return Pipeline([node(nodes.assemble_page, tables, "known_answer_report", name="assemble_known_answer_report")])
