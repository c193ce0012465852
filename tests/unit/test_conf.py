"""What stands in conf: every environment's parameters are allowed, and the catalog and the pipelines name the same."""

import re
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project, pipelines
from kedro.io import CatalogConfigResolver
from kedro.validation import TypeExtractor

from cellfate.cohort.settings import FollowUpSettings
from cellfate.context import check_groups, explain_parameters, known_groups
from cellfate.core import tables
from cellfate.models.settings import ModelSettings
from cellfate.settings import CONFIG_LOADER_ARGS
from cellfate.simulation import SimulationSettings

CONF = Path(__file__).parents[2] / "conf"
ENVIRONMENTS = sorted({path.parent.name for path in CONF.glob("*/parameters.yml")})
IN_MEMORY = {
    # every frame, of which `landmarks` are some
    "forecast_frames",
    # one file holds those of all predictors
    "classifier_forecasts",
    "clock_forecasts",
    "reference_forecasts",
    "new_reference_forecasts",
    # before its temperatures are chosen
    "untempered_classifier",
    # the networks alone; with boosted hazards and their weights they become clock_model
    "clock_networks",
    "boosted_clock",
    # values of single cells, of which the scores are means
    *(
        f"{reading}_{check}_cells"
        for reading in ("classifier", "clock")
        for check in ("agreement", "faithfulness", "sanity")
    ),
    "training_cells",
    # settings and tables on the way
    "new_recording_settings",
    "new_track_settings",
    "new_scored_follow_ups",
    "reseeded_training",
    "permuted_landmarks",
    "permuted_history",
    "retrained_history",
    "first_fold_splits",
    "classifier_training_landmarks",
}
"""What is handed on and not saved."""
SCENARIO_SAVED = {
    "raw_recordings",
    "labels",
    "crops",
    "classifier_model",
    "truth",
    "forecasts",
    "metrics",
    "comparisons",
}


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    configure_project("cellfate")


@cache
def read_conf(kind: str, environment: str) -> dict[str, Any]:
    return dict(OmegaConfigLoader(conf_source=str(CONF), env=environment, **CONFIG_LOADER_ARGS)[kind])


def list_groups() -> dict[str, Any]:
    """Settings class of every group of parameters that a node reads."""
    return dict(TypeExtractor(dict(pipelines)).extract_types_from_pipelines())


@pytest.fixture(scope="module")
def resolver() -> CatalogConfigResolver:
    return CatalogConfigResolver(read_conf("catalog", "base"))


def test_every_environment_is_looked_at():
    assert {*ENVIRONMENTS, "base", "local"} == {path.name for path in CONF.iterdir() if path.is_dir()}


@pytest.mark.parametrize("environment", ["base", *ENVIRONMENTS])
def test_parameters_are_allowed(environment):
    parameters = read_conf("parameters", environment)
    check_groups(parameters, known_groups())
    assert explain_parameters(parameters, list_groups()) == ""


def test_a_parameter_that_is_not_allowed_is_found():
    parameters = read_conf("parameters", "base") | {"preflight": {"focus_frames": 1}}
    assert "preflight.focus_frames" in explain_parameters(parameters, list_groups())


def test_base_spells_out_every_key():
    """What can be decided stands in conf/base, so that a person sees it there; scenarios say what is theirs."""
    parameters = read_conf("parameters", "base")
    groups = {name: kind for name, kind in list_groups().items() if "." not in name}
    assert {"training", "model", "explanation", "inference", "clock_training", "known_answer_training"} <= set(groups)
    missing = [name for key, kind in groups.items() for name in missing_keys(kind, parameters[key], f"{key}.")]
    assert missing == []


def missing_keys(settings: Any, given: Any, place: str) -> list[str]:
    if not hasattr(settings, "model_fields"):
        return []
    missing = [place + key for key in settings.model_fields if key not in given]
    for key in settings.model_fields.keys() & given.keys():
        annotation = settings.model_fields[key].annotation
        for kind in (annotation, *get_args(annotation)):
            if isinstance(given[key], dict):
                missing += missing_keys(kind, given[key], f"{place}{key}.")
    return missing


def test_paper_has_the_published_network_and_training_whatever_base_says():
    read = read_conf("parameters", "paper")
    published = ModelSettings(encoder="resnet50", embedding_size=2048, n_layers=8, n_heads=4, feed_forward_size=1024)
    unread = {"encoder_channels", "encoder_grid"}  # of the small encoder
    asked = ModelSettings(**read["model"])
    assert asked.model_dump(exclude=unread) == published.model_dump(exclude=unread)
    assert (read["training"]["pretraining_epochs"], read["training"]["encoder_rate"]) == (0, 1.0)


def test_known_hazards_are_simulated_as_the_truth_needs_it():
    parameters = read_conf("parameters", "known_hazards")
    simulation = SimulationSettings(**parameters["simulation"])
    assert simulation.hazards is not None
    assert simulation.event_shape_h <= FollowUpSettings(**parameters["follow_up"]).guard_h
    assert set(simulation.hazards.p53_on_per_h) == {dose.dose for dose in simulation.doses}


def test_environments_write_into_folders_of_their_own():
    roots = {name: yaml.safe_load((CONF / name / "globals.yml").read_text()) for name in ("base", *ENVIRONMENTS)}
    assert len({root["data_root"] for root in roots.values()}) == len(roots)
    for root in roots.values():
        assert all(root[name].startswith(root["data_root"] + "/") for name in root if name != "data_root")


def test_the_report_lists_the_parameters_of_the_study_as_settings_whatever_was_given():
    (reads,) = [node for node in pipelines["reporting"].nodes if node.name == "report.read_settings"]
    given = read_conf("parameters", "base")
    del given["report"]["longest_table"]  # a default is listed too
    read = reads.func(given)
    assert {"follow_up", "training", "clock_training", "splits", "report"} <= read.keys()
    assert not {"simulation", "inference", "known_answer_training", "p53_early"} & read.keys()
    assert {name: type(value) for name, value in read.items()} == {name: list_groups()[name] for name in read}
    assert read["report"].longest_table == 40


def saved_names() -> set[str]:
    return {name for pipeline in pipelines.values() for name in pipeline.datasets() if not is_parameter(name)}


def is_parameter(name: str) -> bool:
    return name == "parameters" or name.startswith("params:")


def test_what_is_not_saved_is_known(resolver):
    """A name that is misspelt in a pipeline or in the catalog is held in memory, and nobody notices."""
    unsaved = {
        name for name in saved_names() if resolver.match_dataset_pattern(name) is None and name not in resolver.config
    }
    of_scenarios = {name for name in unsaved if "." in name}
    chapters = {name for name in unsaved if name.endswith("_chapter")}
    assert unsaved - of_scenarios - chapters == IN_MEMORY
    assert not {name.split(".", 1)[1] for name in of_scenarios} & SCENARIO_SAVED


def test_every_entry_of_the_catalog_is_used(resolver):
    names = saved_names()
    entries = set(read_conf("catalog", "base"))
    matched = {resolver.match_dataset_pattern(name) for name in names}
    assert {name for name in entries if not name.startswith("_") and name not in names and name not in matched} == set()


def resolved_entries() -> dict[str, dict[str, Any]]:
    catalog = read_conf("catalog", "base")
    return {name: entry for name, entry in catalog.items() if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(resolved_entries()))
def test_an_entry_names_its_layer_and_a_table_its_schema(name):
    entry = resolved_entries()[name]
    assert entry["metadata"]["kedro-viz"]["layer"]
    if "validator" in entry or entry["type"].startswith("pandas.") or "csv_table" in entry["type"]:
        room, schema = entry["validator"].rsplit(".", 1)
        assert room == tables.__name__
        assert issubclass(getattr(tables, schema), tables.Table)


RECORDINGS = {"raw_recordings": "recordings", "new_recordings": "new_recordings"}


def paths_and_parameters(env: str, **given: str) -> tuple[dict[str, str], str]:
    """Paths of the catalog, and the parameters, in an environment with what is given at the command line."""
    loader = OmegaConfigLoader(conf_source=str(CONF), env=env, runtime_params=given, **CONFIG_LOADER_ARGS)
    entries = {name: entry for name, entry in loader["catalog"].items() if not name.startswith("_")}
    saved = {name: entry for name, entry in entries.items() if entry["type"] != "kedro.io.MemoryDataset"}
    return {name: entry["filepath"] for name, entry in saved.items()}, str(loader["parameters"])


@pytest.mark.parametrize("env", sorted({path.parent.name for path in CONF.glob("*/globals.yml")} - {"mydata"}))
def test_every_path_lies_under_the_data_root_that_is_given(env):
    """With `--params data_root=...` nothing is written elsewhere, and simulated recordings are written there too."""
    paths, parameters = paths_and_parameters(env, data_root="/elsewhere")
    assert [name for name, path in paths.items() if not path.startswith("/elsewhere/")] == []
    assert {name: paths[name] for name in RECORDINGS} == {
        name: f"/elsewhere/01_raw/{folder}" for name, folder in RECORDINGS.items()
    }
    folders = re.findall(r"'([^']*/[^']*)'", parameters)
    assert [folder for folder in folders if "06_models" in folder and not folder.startswith("/elsewhere/")] == []


def test_a_second_batch_of_new_recordings_can_have_a_folder_of_its_own():
    first, _ = paths_and_parameters("base")
    second, _ = paths_and_parameters("base", new_results="inference_plate2")
    moved = {name for name in first if first[name] != second[name]}
    assert moved == {name for name in first if name.startswith("new_")} - {"new_recordings"}
    assert second["new_fate_table"] == "data/07_model_output/inference_plate2/fate_table.csv"
    assert first["new_fate_table"] == "data/07_model_output/inference/fate_table.csv"


@pytest.mark.parametrize("env", ["base", "mydata"])
def test_recordings_can_lie_elsewhere(env):
    given = {"recordings_root": "/recordings", "new_recordings_root": "/new"}
    paths, _ = paths_and_parameters(env, **given)
    assert {name: paths[name] for name in RECORDINGS} == {"raw_recordings": "/recordings", "new_recordings": "/new"}
    of_globals, _ = paths_and_parameters("mydata", data_root="/elsewhere")
    assert of_globals["raw_recordings"] == "data/mydata/01_raw/recordings"
