"""What images add: nothing where they are useless, found where they are not, and from cells that a fold may see."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core.tables import ADDED, CELL, AddedValue
from cellfate.metrics import added_value
from cellfate.metrics.added_value import add_value
from cellfate.metrics.settings import AddedValueSettings, ScoreSettings
from tests.cases.known_images import BLEND, FOLLOW_UP, KnownImages, gain

QUICK = ScoreSettings(n_resamples=200)


def ask(tables, contexts=(("age", "recording_time"),), **changes):
    given = tables | changes
    return add_value(*given.values(), FOLLOW_UP, BLEND, AddedValueSettings(contexts=contexts), QUICK)


@pytest.fixture(scope="module")
def study():
    return KnownImages(useful=1.5, measured=True, n_groups=20).tables(0)


@pytest.fixture(scope="module")
def table(study):
    return ask(study)


@pytest.mark.parametrize("scheme", ["grouped_folds", "grouped_holdout"])
@pytest.mark.parametrize("knows_age", [True, False])
def test_useless_images_add_nothing(scheme, knows_age):
    """Also where the network has learned the age from more cells; 200 draws are in the benchmarks."""
    drawn = [gain(KnownImages(scheme=scheme, knows_age=knows_age).added(seed, n_resamples=200)) for seed in range(6)]
    assert sum(row["low"] > 0 for row in drawn) <= 1
    assert np.mean([row["difference"] for row in drawn]) < 0.05  # useful images gain more than .2


@pytest.mark.parametrize("scheme", ["grouped_folds", "grouped_holdout"])
def test_images_that_the_network_alone_reads_are_found(scheme):
    table = KnownImages(useful=1.5, scheme=scheme).added(1, n_resamples=200)
    assert gain(table)["low"] > 0
    assert gain(table, "network")["low"] > 0
    assert gain(table, "measurements")["difference"] < 0.05
    aurocs = table[(table["metric"] == "auroc") & (table["added"] == "network")].iloc[0]
    assert aurocs["low"] > 0
    assert aurocs["score_with"] > aurocs["score_without"] + 0.05


def test_images_that_are_measured_leave_the_network_nothing_to_add(table):
    assert gain(table)["low"] > 0
    assert gain(table, "measurements")["low"] > 0
    assert gain(table, "network")["difference"] < 0.1


def test_steps_add_up_and_counts_are_those_of_the_test_cells(table, study):
    AddedValue.validate(table)
    for metric, rows in table.groupby("metric"):
        steps = rows.set_index("added")["difference"]
        assert set(steps.index) == set(ADDED)
        assert steps["images"] == pytest.approx(steps["measurements"] + steps["network"]), metric
    row = gain(table)
    assert (row["n_landmarks"], row["n_groups"]) == (len(study["landmarks"]), 20)
    assert row["n_events"] == (study["landmarks"]["fate"] == "mitosis").sum()
    assert (table["reason"] == "").all()
    assert set(table["metric"]) == {
        "log_likelihood", "auroc", "average_precision", "auroc_within_time", "auroc_within_time_and_age",
    }  # fmt: skip


def test_fates_of_the_cells_that_a_fold_tests_fit_nothing(study, monkeypatch):
    """Flip the fates of the tested cells of one fold: the predictors of that fold stay, those of others change.

    The network and the smooth regression of other folds were taught by these cells; here both are held fixed.
    """
    monkeypatch.setattr(
        added_value, "_smooth",
        lambda made, told, fold: pd.DataFrame({"smooth_0": 0.0}, index=np.flatnonzero(made.forecast["fold"] == fold)),
    )  # fmt: skip
    tested = study["splits"].query("fold == 2 and part == 'test'")
    own = study["landmarks"].merge(tested[CELL], on=CELL, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    flipped = study["landmarks"].copy()
    flipped.loc[own, "time_h"] = np.where(flipped.loc[own, "fate"] == "mitosis", 5.0, 1.5)
    flipped.loc[own, "fate"] = np.where(flipped.loc[own, "fate"] == "mitosis", "censored", "mitosis")
    hazards = []
    for landmarks in (study["landmarks"], flipped):
        given = study | {"landmarks": landmarks}
        network = added_value._tabulate_log_odds(given["forecasts"], ("mitosis",))
        made = added_value._Study(
            landmarks, given["splits"], given["frame_features"], network, ("mitosis",), FOLLOW_UP, BLEND
        )
        folds = [rows for rows, _ in added_value._score_folds(made, made.tell(("age",)))]
        hazards.append([np.stack(rows["network"].to_list()) for rows in folds])
    assert np.array_equal(hazards[0][2], hazards[1][2])
    assert not np.array_equal(hazards[0][1], hazards[1][1])


def test_what_is_not_known_is_left_out_of_the_context_and_its_name(study):
    table = ask(study, contexts=(("age", "treatment_time"), ("treatment_time",)))
    assert table["context"].unique().tolist() == ["age", "treatment_time"]
    nothing = table[table["context"] == "treatment_time"]
    assert (nothing["reason"] == "nothing is known of this context").all()
    assert nothing["difference"].isna().all()
    assert nothing["added"].tolist() == list(ADDED)


def test_a_question_that_is_not_asked_has_no_rows_and_a_network_that_was_not_trained_neither(study):
    not_asked = study["questions"].assign(asked=False)
    assert ask(study, questions=not_asked).empty
    assert ask(study, forecasts=study["forecasts"].head(0)).empty


def test_without_validation_cells_a_holdout_says_why(study):
    holdout = KnownImages(scheme="grouped_holdout", n_groups=20).tables(0)
    kept = holdout["splits"][holdout["splits"]["part"] != "validation"]
    table = ask(holdout, splits=kept)
    assert table["reason"].unique().tolist() == ["fold 0 has too few landmarks that were not trained on to fit to"]
    assert table["difference"].isna().all()
    assert isinstance(table, pd.DataFrame)
