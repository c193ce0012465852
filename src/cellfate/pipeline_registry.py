"""The named pipelines of the project."""

from collections.abc import Sequence
from typing import Final

from kedro.pipeline import Pipeline

from cellfate.core.errors import InputError
from cellfate.pipelines import (
    data_processing,
    evaluation,
    explainability,
    inference,
    known_answer,
    known_hazards,
    model_training,
    reporting,
    simulation,
)

TRACES: Final = "traces"
"""Pipeline of a study without images; `traces_<stage>` are its stages."""


def register_pipelines() -> dict[str, Pipeline]:
    """Name every pipeline; spelled out so that composed names run from the command line.

    Returns
    -------
    dict
        Pipelines by name. `__default__` goes from raw recordings to the report; `demo` simulates the recordings first;
        `inference` takes the models of a run to other recordings; `comparison_trainings` holds the classifier's
        explanations against classifiers trained otherwise; `known_answer` goes from simulation to scores of
        explanations, once a scenario; `known_hazards` simulates recordings first and holds the fate clock against
        their truth. `traces` and `traces_<stage>` leave out what reads images.
    """
    stages = {
        "data_processing": data_processing.create_pipeline(),
        "model_training": model_training.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
        "explainability": explainability.create_pipeline(),
    }
    stages["reporting"] = reporting.create_pipeline(sum(stages.values(), Pipeline([])))
    study = sum(stages.values(), Pipeline([]))
    without_images = list_stages_of_traces()
    simulate, compare = simulation.create_pipeline(), model_training.create_comparison_pipeline()
    return {
        "__default__": study,
        "demo": simulate + study,
        "inference": inference.create_pipeline(),
        "comparison_trainings": compare,
        "known_answer": known_answer.create_pipeline(simulate + study + compare),
        "known_hazards": simulate + study + known_hazards.create_pipeline(),
        "simulation": simulate,
        TRACES: sum(without_images.values(), Pipeline([])),
        **{f"{TRACES}_{name}": stage for name, stage in without_images.items()},
        f"{TRACES}_inference": inference.create_pipeline(images=False),
        **stages,
    }


def list_stages_of_traces() -> dict[str, Pipeline]:
    """Stages of a study without images, by the names that they have with them."""
    stages = {
        "data_processing": data_processing.create_pipeline(images=False),
        "model_training": model_training.create_pipeline(images=False),
        "evaluation": evaluation.create_pipeline(images=False),
        "explainability": explainability.create_pipeline(images=False),
    }
    return stages | {"reporting": reporting.create_pipeline(sum(stages.values(), Pipeline([])))}


def name_pipelines(asked: Sequence[str]) -> list[str]:
    """Name the pipelines that are run in place of those that are asked for, of a study without images.

    Raises
    ------
    InputError
        If one reads images and has no other.

    Examples
    --------
    >>> name_pipelines(["data_processing"])
    ['traces_data_processing']
    """
    stages = [*list_stages_of_traces(), "inference"]
    others = {"__default__": TRACES} | {name: f"{TRACES}_{name}" for name in stages}
    reading = [name for name in asked if name not in {*others, *others.values()}]
    if reading:
        raise InputError(
            f"Pipeline '{reading[0]}' reads images, but recordings.layout is 'traces', which has none; run without a "
            f"name of a pipeline, or one of {', '.join(stages)}."
        )
    return [others.get(name, name) for name in asked or ["__default__"]]
