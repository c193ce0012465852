"""The named pipelines of the project."""

from kedro.pipeline import Pipeline

from cellfate.pipelines import (
    data_processing,
    evaluation,
    explainability,
    fate_clock,
    fate_clock_inference,
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
        `fate_clock` goes from raw recordings to the page of the fate clock; `fate_clock_inference` takes that clock to
        other recordings; `known_answer` goes from simulation to scores of explanations once a scenario;
        `known_hazards` simulates recordings first and holds the fate clock against their truth.
    """
    stages = {
        "data_processing": data_processing.create_pipeline(),
        "model_training": model_training.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
        "explainability": model_training.create_sanity_pipeline() + explainability.create_pipeline(),
        "reporting": reporting.create_pipeline(),
    }
    from_recordings_to_report = sum(stages.values(), Pipeline([]))
    simulate = simulation.create_pipeline()
    # of data_processing, what cuts and measures cells: samples, splits and leakage are the classifier's own
    clock = stages["data_processing"].to_nodes("measure_cells") + fate_clock.create_pipeline()
    return {
        "__default__": from_recordings_to_report,
        "demo": simulate + from_recordings_to_report,
        "fate_clock": clock,
        "fate_clock_inference": fate_clock_inference.create_pipeline(),
        "known_answer": known_answer.create_pipeline(simulate + from_recordings_to_report),
        "known_hazards": simulate + clock + known_hazards.create_pipeline(),
        "simulation": simulate,
        "inference": inference.create_pipeline(),
        **stages,
    }
