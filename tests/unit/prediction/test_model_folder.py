import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

import cellfate
from cellfate.core.errors import InputError
from cellfate.prediction import load_model_folder, save_model_folder
from cellfate.prediction.boosting import load_boosting
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.clock_member import load_clock_member
from cellfate.prediction.forecasts import forecast_classifier, forecast_clock
from cellfate.prediction.model_folder import digest_config
from tests.cases.trained_models import model_without_members

KINDS = ["classifier", "clock"]


@pytest.fixture
def trained(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def folder(trained, tmp_path):
    save_model_folder(trained.model, tmp_path / "model")
    return tmp_path / "model"


both = pytest.mark.parametrize("trained", KINDS, indirect=True)
of_classifier = pytest.mark.parametrize("trained", ["classifier"], indirect=True)
of_clock = pytest.mark.parametrize("trained", ["clock"], indirect=True)


@both
def test_a_round_trip_is_identity(trained, folder):
    loaded, model = load_model_folder(folder), trained.model
    assert type(loaded.config) is type(model.config)
    assert loaded.config.model_copy(update={"file_digests": {}}) == model.config
    assert loaded.weights.keys() == model.weights.keys()
    for name, value in model.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], value)
        assert loaded.weights[name].dtype == value.dtype
    assert loaded.boosters == model.boosters
    assert loaded.trained_on == model.trained_on != frozenset()


@both
def test_a_folder_from_before_the_classifier_had_a_mask_channel_is_read(trained, folder):
    file = folder / "config.json"
    config = json.loads(file.read_text())
    shown = config["architecture"].pop("mask_channel")
    if config["kind"] == "clock":
        config["architecture"]["causal"]["mask_channel"] = shown
    else:
        del config["features"]
    config["file_digests"]["config.json"] = digest_config(config)
    file.write_text(json.dumps(config))
    loaded = load_model_folder(folder).config
    assert loaded.model_copy(update={"file_digests": {}}) == trained.model.config
    assert loaded.architecture.mask_channel == (config["kind"] == "clock")


@both
def test_the_folder_holds_text_and_weights_and_no_pickle(trained, folder):
    boosters = ["boosters.json"] if trained.model.config.kind == "clock" else []
    names = ["README.md", *boosters, "config.json", "trained_on.json", "weights.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    config = json.loads((folder / "config.json").read_text())
    assert config["format_version"] == 2
    assert config["kind"] == trained.model.config.kind
    assert "checkpoint_folder" not in config["training"]
    assert sorted(config["file_digests"]) == sorted(set(names) - {"README.md"})


@both
def test_the_card_says_what_is_forecast_and_where_it_ends(trained, folder):
    card = (folder / "README.md").read_text()
    of_kind = {
        "classifier": ("# Fate classifier", "apoptosis or mitosis", "balanced_accuracy"),
        "clock": ("# Fate clock", "apoptosis and mitosis over the coming 2.5 h", "boosting on embeddings"),
    }
    common = ("Intended use", "circadian, p53", trained.model.config.data_digest, "| log_loss |", "## Limits")
    for words in (*of_kind[trained.model.config.kind], *common):
        assert words in card


@of_classifier
def test_saving_replaces_an_older_model_and_a_half_written_one(trained, folder):
    (folder / "stale.txt").write_text("old")
    partial = folder.with_name("model.partial")
    partial.mkdir()
    (partial / "weights.safetensors").write_text("half")
    save_model_folder(trained.model, folder)
    assert not partial.exists()
    assert not (folder / "stale.txt").exists()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no model folder .*nowhere; .*run model_training"):
        load_model_folder(tmp_path / "nowhere")


@of_clock
@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "boosters.json", "trained_on.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"has no {name}"):
        load_model_folder(folder)


@of_clock
@pytest.mark.parametrize("name", ["weights.safetensors", "boosters.json", "trained_on.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"{ cut", b"[]", pickle.dumps({"fold_0.boosting": "x"})])
def test_files_that_were_changed_are_refused(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} is not the file that config.json beside it describes"):
        load_model_folder(folder)


@both
@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["events"].reverse(),
        lambda config: config["follow_up"].update(min_frames=1),
        lambda config: config["members"][0].update(sd=[-1.0, 1.0]),
        lambda config: config["file_digests"].pop("trained_on.json"),
    ],
)
def test_a_config_that_was_changed_is_refused(folder, change):
    """It would be read without a fault, and its forecasts would be of something else."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config))
    load_model_folder(folder)  # only laid out otherwise
    change(config)
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"config\.json was changed after the model was trained"):
        load_model_folder(folder)


@of_clock
def test_boosters_swapped_between_folds_are_refused(folder):
    """The file is whole and every text in it is; only what belongs to which fold was changed."""
    text = (folder / "boosters.json").read_text()
    swapped = text.replace("fold_0.", "x").replace("fold_1.", "fold_0.").replace("x", "fold_1.")
    (folder / "boosters.json").write_text(swapped)
    with pytest.raises(InputError, match="their digests differ"):
        load_model_folder(folder)


@of_classifier
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"\(the file: Invalid JSON"),
        ("[]", "the file: "),
        ("{}", "the file: Unable to extract tag using discriminator 'kind'"),
        ('{"format_version": 2, "kind": "crystal_ball"}', "'crystal_ball'"),
        ('{"format_version": 3, "kind": "clock"}', r"\(clock\.format_version: Input should be 2\)"),
        ('{"format_version": 2, "kind": "clock"}', "Field required"),
    ],
)
def test_a_config_of_something_else_is_refused(folder, text, words):
    (folder / "config.json").write_text(text)
    with pytest.raises(InputError, match=rf"config\.json does not describe a model.*{words}"):
        load_model_folder(folder)


@of_classifier
@pytest.mark.parametrize(
    "old", ['"format_version": 1, "kind": "classifier"', '"format_version": 1, "kind": "fate_clock"']
)
def test_a_folder_of_an_older_version_ends_in_a_sentence_that_says_what_to_do(folder, old):
    (folder / "config.json").write_text("{" + old + "}")
    expected = r"holds a model of format 1, .* train it again and load it with cellfate\.Predictor\.from_folder\."
    for load in (load_model_folder, cellfate.Predictor.from_folder):
        with pytest.raises(InputError, match=expected):
            load(folder)


@pytest.mark.parametrize("name", ["FatePredictor", "ClockPredictor"])
def test_old_names_end_in_a_sentence_that_names_the_new_one(name):
    with pytest.raises(ImportError, match=rf"{name} is gone; cellfate\.Predictor\.from_folder"):
        exec(f"from cellfate.prediction import {name}")


@of_classifier
def test_weights_that_are_no_safetensors_are_refused(folder):
    import hashlib

    content = pickle.dumps({"fold_0.head.weight": 1})
    (folder / "weights.safetensors").write_bytes(content)
    config = json.loads((folder / "config.json").read_text())
    config["file_digests"]["weights.safetensors"] = hashlib.sha256(content).hexdigest()
    config["file_digests"]["config.json"] = digest_config(config)
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="not readable as safetensors"):
        load_model_folder(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_whose_question_was_not_asked_is_saved_and_loaded_and_forecasts_nothing(kind, tmp_path, clock):
    save_model_folder(model_without_members(kind), tmp_path / "model")
    loaded = load_model_folder(tmp_path / "model")
    assert loaded.config.members == ()
    assert loaded.config.reason == "not asked: a reason."
    assert "There are none: not asked: a reason." in (tmp_path / "model" / "README.md").read_text()
    study = clock.study
    if kind == "classifier":
        table = forecast_classifier(study.crops, study.landmarks, study.splits, loaded)
    else:
        table = forecast_clock(*clock.new, study.splits, clock.frame_features, loaded)
    filled = forecast_clock(*clock.new, study.splits, clock.frame_features, clock.model)
    assert len(table) == 0
    assert list(table.columns) == list(filled.columns)
    assert (table.dtypes == filled.dtypes).all()
    with pytest.raises(InputError, match=f"This {kind} was not trained and forecasts nothing: not asked: a reason"):
        cellfate.Predictor.from_folder(tmp_path / "model")


def test_members_or_a_reason_for_none_are_needed():
    config = model_without_members("clock").config
    with pytest.raises(ValidationError, match="0 members and the reason for none is ''"):
        type(config)(**(config.model_dump() | {"reason": ""}))


@of_classifier
def test_statistics_match_the_channels(trained):
    config = trained.model.config
    member = config.members[0].model_dump() | {"mean": (1.0,)}
    with pytest.raises(ValidationError, match="1 means and 2 deviations but there are 2 channels"):
        type(config)(**(config.model_dump() | {"members": [member]}))


@both
def test_weights_of_another_architecture_are_refused(trained):
    wider = trained.model.config.architecture.model_copy(update={"feed_forward_size": 99})
    other = replace(trained.model, config=trained.model.config.model_copy(update={"architecture": wider}))
    load = load_clock_member if other.config.kind == "clock" else load_classifier_member
    with pytest.raises(InputError, match="weights of fold 0 do not fit the architecture"):
        load(other, 0)


@of_classifier
def test_weights_that_are_no_numbers_do_not_load(trained, tmp_path):
    name, values = next(iter(trained.model.weights.items()))
    weights = {**trained.model.weights, name: np.full_like(values, np.inf)}
    save_model_folder(replace(trained.model, weights=weights), tmp_path / "model")
    with pytest.raises(InputError, match=f"weights that are not finite, the first are {name}"):
        load_model_folder(tmp_path / "model")


@both
def test_a_fold_without_member_is_named(trained):
    load = load_clock_member if trained.model.config.kind == "clock" else load_classifier_member
    with pytest.raises(InputError, match=r"members of folds \[0, 1, 2\] but not of fold 4"):
        load(trained.model, 4)


def test_one_kind_is_not_taken_for_the_other(classifier, clock):
    with pytest.raises(InputError, match="The model is a classifier, but a fate clock is needed"):
        load_clock_member(classifier.model, 0)
    with pytest.raises(InputError, match="The model is a fate clock, but a classifier is needed"):
        forecast_classifier(clock.study.crops, clock.study.landmarks, clock.study.splits, clock.model)


def test_boosted_hazards_that_are_damaged_or_were_never_fitted_are_named(clock):
    name = "fold_0.boosting"
    damaged = replace(clock.model, boosters=clock.model.boosters | {name: clock.model.boosters[name][:-40]})
    with pytest.raises(InputError, match="not that of boosted hazards"):
        load_boosting(damaged, "fold_0", "boosting")
    with pytest.raises(InputError, match=r"has no boosted hazards all\.boosting; take the model of a finished run"):
        cellfate.Predictor(replace(clock.model, boosters={}))
