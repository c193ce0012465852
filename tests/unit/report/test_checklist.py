"""Checklists are answered from the run and nothing else: every answer changes when the run does."""

from dataclasses import replace

import pytest

from cellfate.cohort.settings import SplitSettings
from cellfate.core.tables import Checklist
from cellfate.crops.settings import CropSettings
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.metrics.settings import ReferenceSettings, ScoreSettings
from cellfate.models.settings import BlendSettings
from cellfate.prediction.settings import AlarmSettings
from cellfate.report.checklist import TO_ANSWER, TO_COMPLETE, fill_checklist, write_checklist_page
from cellfate.report.checklist_answers import FILLERS, TABLES, Run
from cellfate.training.settings import TrainingSettings
from tests.cases.report_tables import make_questions, report_case
from tests.cases.score_tables import FOLLOW_UP

PARAMETERS = {
    "follow_up": FOLLOW_UP,
    "splits": SplitSettings(scheme="grouped_holdout"),
    "crops": CropSettings(cell_diameter_px=14),
    "features": FeatureSettings(),
    "context": ContextSettings(),
    "blend": BlendSettings(),
    "scores": ScoreSettings(),
    "references": ReferenceSettings(),
    "training": TrainingSettings(max_epochs=5, checkpoint_folder="checkpoints"),
    "alarm": AlarmSettings(),
}


def make_run():
    case = report_case()
    member = {"fold": 0, "best_epoch": 3, "n_epochs": 5, "n_train": 12, "n_validation": 6}
    architecture = {"encoder": "small_cnn", "embedding_size": 64, "n_layers": 2, "intensity": "standardised"}
    model = {"members": [member], "architecture": architecture, "training": {"monitor": "log_loss", "seed": 0}}
    model |= {"events": ["apoptosis", "mitosis"], "versions": {"cellfate": "0.1.0"}}
    model |= {"file_digests": {"weights.safetensors": "77aa"}}
    models = {reading: given | model for reading, given in case.models.items()}
    losses = case.tables["losses"]
    return Run({name: case.tables[name] for name in TABLES} | {"losses": losses}, PARAMETERS, models)


@pytest.fixture(scope="module")
def run():
    return make_run()


def table(name, change):
    return lambda run: replace(run, tables={**run.tables, name: change(run.tables[name])})


def setting(group, **values):
    return lambda run: replace(
        run, parameters={**run.parameters, group: run.parameters[group].model_copy(update=values)}
    )


def model(**values):
    return lambda run: replace(run, models={name: {**one, **values} for name, one in run.models.items()})


def member(**values):
    return lambda run: model(members=[{**run.models["clock"]["members"][0], **values}])(run)


HIGHER = table("metrics", lambda t: t.assign(estimate=t["estimate"] - 0.1))
FEWER = table("follow_ups", lambda t: t[t["cell_id"] != 1])
CHANGES = {
    "primary": table("comparisons", lambda t: t.assign(metric="brier")),
    "recordings": table("recordings", lambda t: t.assign(frame_interval_min=7.0)),
    "eligible": setting("follow_up", min_frames=9),
    "treatments": table("follow_ups", lambda t: t.assign(dose="10 uM")),
    "preparation": setting("crops", height_px=52),
    "checks": table("preflight_findings", lambda t: t.assign(n_cases=t["n_cases"] + 1)),
    "outcome": setting("follow_up", guard_h=2.0),
    "inputs": setting("context", names=("age", "dose")),
    "sizes": FEWER,
    "missing": table("cells_set_aside", lambda t: t.assign(reason="lost its label")),
    "gaps": table("follow_ups", lambda t: t.assign(n_frames=t["n_frames"] - (t["fate"] == "mitosis"))),
    "split": setting("splits", seed=4),
    "scaling": member(n_train=13),
    "models": model(architecture={"encoder": "resnet18", "embedding_size": 64, "n_layers": 2, "intensity": "x"}),
    "selection": member(best_epoch=1),
    "training": model(training={"monitor": "log_loss", "seed": 9}),
    "intervals": setting("scores", n_resamples=500),
    "metrics": table("metrics", lambda t: t[t["metric"] != "auroc"]),
    "model_files": model(file_digests={"weights.safetensors": "88bb"}),
    "balance": setting("training", balance="loss_weights"),
    "output": setting("alarm", cost_false=1.0),
    "parts": FEWER,
    "data_digest": model(data_digest="4567"),
    "versions": model(versions={"cellfate": "9.9"}),
    "flow": FEWER,
    "performance": HIGHER,
    "subgroups": HIGHER,
    "references": table("comparisons", lambda t: t.assign(difference=t["difference"] + 0.1)),
    "leakage": table("leakage", lambda t: t.assign(share=0.5)),
    "tests": table("comparisons", lambda t: t.assign(p_corrected=float("nan"))),
}


def test_there_is_a_change_of_the_run_for_every_answer():
    assert set(CHANGES) == set(FILLERS)


@pytest.mark.parametrize("name", sorted(FILLERS))
def test_an_answer_changes_when_the_run_does(run, name):
    before, after = FILLERS[name](run), FILLERS[name](CHANGES[name](run))
    assert before
    assert before != after


def test_every_item_of_both_guidelines_is_there_once(run):
    table = fill_checklist(run)
    Checklist.validate(table)
    assert not table.duplicated(["guideline", "item"]).any()
    tripod, reforms = (table.loc[table["guideline"] == name, "item"] for name in ("TRIPOD+AI", "REFORMS"))
    assert [*dict.fromkeys(tripod.str.rstrip("abcdefg"))] == [str(number) for number in range(1, 28)]
    assert (len(tripod), len(reforms)) == (52, 32)
    assert reforms.str[0].value_counts().sort_index().tolist() == [3, 5, 7, 3, 6, 3, 3, 2]


def test_what_only_a_person_knows_is_empty_and_says_so(run):
    table = fill_checklist(run).set_index(["guideline", "item"])
    for item in ("3c", "17", "18a", "18b", "19", "26"):
        assert table.loc[("TRIPOD+AI", item), ["answer", "status"]].tolist() == ["", TO_ANSWER]
    assert (table["answer"].eq("") == table["status"].eq(TO_ANSWER)).all()
    assert table.loc[("TRIPOD+AI", "18e"), "status"] == TO_COMPLETE


def test_counts_are_those_of_the_tables(run):
    assert FILLERS["sizes"](run) == (
        "fold 0, train: 12 cells of 2 groups (4 apoptosis, 4 mitosis, 4 censored); "
        "fold 0, validation: 6 cells of 1 group (2 apoptosis, 2 mitosis, 2 censored); "
        "fold 0, test: 18 cells of 3 groups (6 apoptosis, 6 mitosis, 6 censored)."
    )
    assert "recording 0 %, group 0 %, lineage 0 %, mother 0 %, sister 0 %" in FILLERS["leakage"](run)
    assert FILLERS["output"](run).startswith(
        "Probability of apoptosis and mitosis and of none, within 2 h, 5 h and 10 h."
    )
    assert "balanced accuracy 0.87 (0.82 to 0.91)" in FILLERS["performance"](run)


def test_what_the_run_does_not_know_is_left_to_a_person(run):
    empty = {name: run.tables[name].head(0) for name in ("metrics", "comparisons", "losses", "leakage")}
    untrained = {name: one | {"members": [], "training": {}, "versions": {}} for name, one in run.models.items()}
    questions = {"questions": make_questions(which=False, within=False)}
    table = fill_checklist(replace(run, tables={**run.tables, **empty, **questions}, models=untrained))
    for item in ("23a", "23b", "12e", "12c", "12b", "22"):
        row = table[(table["guideline"] == "TRIPOD+AI") & (table["item"] == item)]
        assert row[["answer", "status"]].to_numpy().tolist() == [["", TO_ANSWER]], item


def test_the_page_needs_no_other_file_and_counts_what_is_left(run):
    table = fill_checklist(run)
    page = write_checklist_page(table)
    assert "<script>" not in page.split("</head>")[0]
    assert f"{(table['status'] == TO_ANSWER).sum()} to be answered by a person" in page
    assert page.count('<th scope="row">') == 84
    assert '<a href="checklist.csv">' in page
