"""What a run builds on is whole, belongs together, and was made with the parameters of the run."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from kedro.framework.project import configure_project
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline, node
from kedro.runner import SequentialRunner

from cellfate.cohort.settings import SplitSettings
from cellfate.core.errors import InputError
from cellfate.core.settings import WITHOUT_EFFECT, Settings
from cellfate.labels.journal import Journal
from cellfate.made_from import LEDGER, MadeFromHook, list_ancestors, list_differences
from tests.unit.labels.cases import make_label

FOLLOW = Pipeline([node(list, "recordings", "landmarks", name="list_landmarks")])
SPLIT = Pipeline(
    [
        node(sorted, "landmarks", "ordered", name="order"),  # held in memory only
        node(lambda cells, settings: cells[settings.seed :], ["ordered", "params:splits"], "splits", name="split"),
    ]
)
TRAIN = Pipeline([node(lambda *tables: tables, ["landmarks", "splits"], "model", name="train")])


class Study:
    """A data_root, and runs in it; every run is a process of its own as far as the hook can tell."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hooks: list[MadeFromHook] = []  # as a notebook keeps its sessions
        self.save("recordings", ["b", "a", "c"])

    def path(self, name: str) -> Path:
        return self.root / f"{name}.json"

    def save(self, name: str, value: Any) -> None:
        self.path(name).write_text(json.dumps(value))

    def run(self, pipeline: Pipeline, seed: int = 0, tell: Callable[..., None] | None = None) -> None:
        saved = ("recordings", "landmarks", "splits", "model")
        entries = {name: {"type": "json.JSONDataset", "filepath": str(self.path(name))} for name in saved}
        catalog = DataCatalog.from_config(entries)
        catalog["params:splits"] = SplitSettings(scheme="grouped_folds", seed=seed)
        hook = MadeFromHook()
        self.hooks.append(hook)
        hook._root, hook._parameters = self.root, {"splits": {"seed": seed}}  # as after_context_created finds them
        hook.before_pipeline_run(pipeline, catalog)
        try:
            for step in pipeline.nodes:
                SequentialRunner().run(Pipeline([step]), catalog)
                for name in step.outputs:
                    (tell or hook.after_dataset_saved)(name, step)
        finally:
            hook.after_pipeline_run(run_params={})


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Study:
    configure_project("cellfate")
    study = Study(tmp_path)
    for pipeline in (FOLLOW, SPLIT):
        study.run(pipeline)
    return study


def test_what_belongs_together_is_taken(study):
    study.run(TRAIN)
    records = json.loads((study.root / LEDGER).read_text())
    assert records["model"]["inputs"].keys() == {"landmarks", "splits"}
    # through the table that is held in memory only
    assert records["splits"]["inputs"] == {"landmarks": records["landmarks"]["digest"]}
    assert records["splits"]["parameters"]["splits"]["seed"] == 0
    assert {name for name, _ in list_ancestors("model", records)} == {"model", "landmarks", "splits"}


def test_splits_of_older_landmarks_are_refused(study):
    """As after a run that was stopped between the two, or that made landmarks alone."""
    study.save("recordings", ["b", "a", "d"])
    study.run(FOLLOW)
    words = "'splits' was made from another 'landmarks' than the one that is there now.*run pipeline data_processing"
    with pytest.raises(InputError, match=words):
        study.run(TRAIN)
    study.run(SPLIT)
    study.run(TRAIN)


def test_the_same_table_made_again_changes_nothing(study):
    before = json.loads((study.root / LEDGER).read_text())
    study.run(FOLLOW)
    assert json.loads((study.root / LEDGER).read_text()) == before
    study.run(TRAIN)


def test_a_flipped_bit_is_noticed(study):
    whole = study.path("splits").read_bytes()
    study.path("splits").write_bytes(bytes([whole[0] ^ 1, *whole[1:]]))
    words = r"'splits' in .*splits\.json is not as it was saved.*run pipeline data_processing again"
    with pytest.raises(InputError, match=words):
        study.run(TRAIN)


def test_another_parameter_than_the_tables_were_made_with_is_named(study):
    words = r"Parameter splits\.seed is 1, but 'splits' was made with 0; run pipeline data_processing again with it"
    with pytest.raises(InputError, match=words):
        study.run(TRAIN, seed=1)
    study.run(SPLIT, seed=1)
    study.run(TRAIN, seed=1)


def test_without_a_ledger_it_is_said_that_nothing_is_checked(study, caplog):
    (study.root / LEDGER).unlink()
    with caplog.at_level("WARNING", logger="cellfate"):
        study.run(TRAIN, seed=1)
    assert "Of 2 datasets, such as 'landmarks', it is not known what they were made from" in caplog.text


@pytest.mark.parametrize(("then", "now"), [({"died": "apoptosis"}, {}), ({}, {"died": "apoptosis"})])
def test_a_word_that_comes_or_goes_is_a_difference(then, now):
    (found,) = list_differences("tracks", {"fate_names": then, "old": 1}, {"fate_names": now, "new": 2})
    assert found == ("tracks.fate_names.died", then.get("died"), now.get("died"))


def test_a_damaged_ledger_says_what_to_do(study):
    (study.root / LEDGER).write_text('{"splits": 3}')
    with pytest.raises(InputError, match=r"made_from\.json is damaged; remove it"):
        study.run(TRAIN)


def test_two_runs_do_not_write_into_one_folder(study):
    other = MadeFromHook()
    other._root = study.root
    other.before_pipeline_run(Pipeline([]), DataCatalog())
    with pytest.raises(InputError, match="Another run is writing in"):
        study.run(FOLLOW)
    other.on_pipeline_error()
    study.run(FOLLOW)


def test_a_run_that_is_refused_lets_others_write(study):
    """Kedro tells no hook of a run that did not begin; the session, as in a notebook, lives on."""
    with pytest.raises(InputError, match="is 1, but 'splits' was made with 0"):
        study.run(TRAIN, seed=1)
    with FileLock(study.root / ".lock", timeout=0):
        pass


def test_what_workers_saved_is_noted_when_the_run_ends(study):
    """A worker that was started afresh has hooks of its own, which know no run: they say and note nothing."""
    before = json.loads((study.root / LEDGER).read_text())
    study.save("recordings", ["b", "a", "d"])
    study.run(FOLLOW, tell=MadeFromHook().after_dataset_saved)
    after = json.loads((study.root / LEDGER).read_text())
    assert after["landmarks"]["digest"] != before["landmarks"]["digest"]
    with pytest.raises(InputError, match="made from another 'landmarks'"):
        study.run(TRAIN)


def test_threads_note_all_that_they_save(study):
    names = [f"table{number}" for number in range(12)]
    pipeline = Pipeline([node(list, "recordings", name, name=f"make_{name}") for name in names])
    entries = {name: {"type": "json.JSONDataset", "filepath": str(study.path(name))} for name in ("recordings", *names)}
    hook, catalog = MadeFromHook(), DataCatalog.from_config(entries)
    hook._root = study.root
    hook.before_pipeline_run(pipeline, catalog)
    for name in names:
        study.save(name, [name])
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(hook.after_dataset_saved, names, pipeline.nodes))
    hook.on_pipeline_error()
    assert set(names) <= json.loads((study.root / LEDGER).read_text()).keys()
    assert not list(study.root.glob("*.partial"))


def test_what_is_said_to_have_no_effect_is_there():
    """A name that no settings class has any more would let a new field of that name pass unnoticed."""
    import cellfate.pipeline_registry  # noqa: F401  # so that all settings are defined

    waiting, names = [Settings], set()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        names |= kind.model_fields.keys()
    assert names >= WITHOUT_EFFECT


class TestLabels:
    """What people give between runs and during them."""

    MERGE = Pipeline([node(lambda labels: sorted(labels["cell_id"]), "labels", "landmarks", name="apply_labels")])

    def run(self, study: Study, pipeline: Pipeline, given: Callable[[], None] | None = None) -> None:
        entries: dict[str, Any] = {
            name: {"type": "json.JSONDataset", "filepath": str(study.path(name))} for name in ("landmarks", "model")
        }
        entries["labels"] = {
            "type": "cellfate.datasets.label_folder.LabelFolderDataset",
            "filepath": str(study.root / "labels"),
        }
        catalog, hook = DataCatalog.from_config(entries), MadeFromHook()
        hook._root = study.root
        hook.before_pipeline_run(pipeline, catalog)
        try:
            for step in pipeline.nodes:
                for name in step.inputs:
                    hook.before_dataset_loaded(name)
                SequentialRunner().run(Pipeline([step]), catalog)
                if given is not None:
                    given()
                for name in step.outputs:
                    hook.after_dataset_saved(name, step)
        finally:
            hook.after_pipeline_run(run_params={})

    @pytest.mark.parametrize("n_before", [0, 1])
    def test_labels_that_changed_since_are_told_and_the_run_goes_on(self, study, caplog, n_before):
        train = Pipeline([node(list, "landmarks", "model", name="train")])
        journal = Journal(study.root / "labels")
        for cell in range(n_before):
            journal.append(make_label(cell))
        self.run(study, self.MERGE)
        with caplog.at_level("WARNING", logger="cellfate"):
            self.run(study, train)
        assert not [
            record for record in caplog.records if record.levelname == "WARNING"
        ]  # nor that it is not known what labels were made from
        journal.append(make_label(7))
        with caplog.at_level("WARNING", logger="cellfate"):
            self.run(study, train)
        assert "The labels changed since 'landmarks' was made" in caplog.text
        assert "run pipeline data_processing again, and what follows" in caplog.text
        caplog.clear()
        with caplog.at_level("WARNING", logger="cellfate"):
            self.run(study, self.MERGE)
            self.run(study, train)
        assert not [record for record in caplog.records if record.levelname == "WARNING"]

    def test_a_label_that_is_given_while_the_run_goes_on_is_not_taken_for_used(self, study, caplog):
        journal = Journal(study.root / "labels")
        self.run(study, self.MERGE, given=lambda: journal.append(make_label(7)) and None)
        with caplog.at_level("WARNING", logger="cellfate"):
            self.run(study, Pipeline([node(list, "landmarks", "model", name="train")]))
        assert "The labels changed since" in caplog.text
