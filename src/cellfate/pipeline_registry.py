"""The named pipelines of the project."""

from kedro.pipeline import Pipeline

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


def register_pipelines() -> dict[str, Pipeline]:
    """Name every pipeline; spelled out so that composed names run from the command line.

    Returns
    -------
    dict
        Pipelines by name. `__default__` goes from raw recordings to the report; `demo` simulates the recordings first;
        `inference` takes the models of a run to other recordings; `comparison_trainings` holds the classifier's
        explanations against classifiers trained otherwise; `known_answer` goes from simulation to scores of
        explanations, once a scenario; `known_hazards` simulates recordings first and holds the fate clock against
        their truth.
    """
    stages = {
        "data_processing": data_processing.create_pipeline(),
        "model_training": model_training.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
        "explainability": explainability.create_pipeline(),
    }
    stages["reporting"] = reporting.create_pipeline(sum(stages.values(), Pipeline([])))
    study = sum(stages.values(), Pipeline([]))
    simulate, compare = simulation.create_pipeline(), model_training.create_comparison_pipeline()
    return {
        "__default__": study,
        "demo": simulate + study,
        "inference": inference.create_pipeline(),
        "comparison_trainings": compare,
        "known_answer": known_answer.create_pipeline(simulate + study + compare),
        "known_hazards": simulate + study + known_hazards.create_pipeline(),
        "simulation": simulate,
        **stages,
    }
