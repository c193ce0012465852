"""Explanations of samples by a trained model with two folds: every sample by the member that did not see it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution import (
    AttentionStatisticsSettings,
    ExplanationSettings,
    compare_top_attention_frames,
    compute_shapley_values,
    occlude_inputs,
    read_attention,
    select_explained_samples,
    summarise_attention_statistics,
)
from cellfate.attribution.opening import explained_outcome
from cellfate.core.errors import InputError
from cellfate.core.tables import Attributions
from cellfate.prediction import TrainedModel, embed_samples, load_fold
from tests.cases.trained_models import TINY_MODEL, TinyStudy, tiny_study, tiny_training

SETTINGS = ExplanationSettings(
    max_occlusion_samples=5, max_shapley_samples=3, window_h=1.5, n_windows=3, n_permutations=1
)


@dataclass(frozen=True)
class Explained:
    """A trained study and the samples to explain."""

    study: TinyStudy
    model: TrainedModel
    samples: pd.DataFrame


def explain(folder: Path, kind: str, scheme: str) -> Explained:
    from cellfate.pipelines.model_training.nodes import train_model

    study = tiny_study(folder, kind=kind, scheme=scheme)
    training = tiny_training(folder, max_epochs=1)
    model, _ = train_model(
        study.crops,
        study.samples,
        study.splits,
        study.normalisation,
        study.recordings,
        study.sample_settings,
        TINY_MODEL,
        training,
    )
    return Explained(study, model, select_explained_samples(study.samples, study.splits, SETTINGS))


@pytest.fixture(scope="module", params=[("whole_track", "grouped_folds"), ("landmark", "grouped_holdout")], ids=str)
def explained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Explained:
    return explain(tmp_path_factory.mktemp("study"), *request.param)


def test_attention_is_the_members_and_sums_to_one(explained: Explained) -> None:
    table = read_attention(explained.study.crops, explained.samples, explained.model)
    by_sample = table.groupby("sample_id")
    np.testing.assert_allclose(by_sample["attention"].sum() + by_sample["class_token"].first(), 1.0, atol=1e-5)
    assert set(table["sample_id"]) == set(explained.samples["sample_id"])
    row = explained.samples.iloc[-1]
    embedded = embed_samples(explained.study.crops, explained.samples.tail(1), explained.model, int(row["fold"]))
    weights = load_fold(explained.model, int(row["fold"])).attention(embedded.embeddings, embedded.positions)[0]
    found = table[table["sample_id"] == row["sample_id"]]
    np.testing.assert_allclose(found["attention"], weights[1:], atol=1e-6)
    assert found["frame"].iloc[-1] == row["last_frame"]


def test_hours_before_the_event(explained: Explained) -> None:
    table = read_attention(explained.study.crops, explained.samples, explained.model)
    last = table.groupby("sample_id").tail(1).set_index("sample_id")["hours_before_event"]
    lead = explained.samples.set_index("sample_id")["lead_time_h"]
    pd.testing.assert_series_equal(last.sort_index(), lead.sort_index(), check_names=False)


def test_shapley_values_add_up_to_the_models_own_logit(explained: Explained) -> None:
    table = compute_shapley_values(explained.study.crops, explained.samples, explained.model, SETTINGS)
    Attributions.validate(table)
    assert table["sample_id"].nunique() == 3
    for sample_id, rows in table.groupby("sample_id"):
        sample = explained.samples[explained.samples["sample_id"] == sample_id]
        member = load_fold(explained.model, int(sample["fold"].iloc[0]))
        embedded = embed_samples(explained.study.crops, sample, explained.model, member.fold)
        probability = member.probabilities(embedded.embeddings, embedded.positions)[0, 0]
        logit = np.log(probability / (1 - probability))
        assert rows["prediction"].iloc[0] == pytest.approx(logit, abs=1e-4)
        assert rows["value"].sum() == pytest.approx(logit - rows["baseline"].iloc[0], abs=1e-4)


def test_occlusion_covers_windows_and_channels(explained: Explained) -> None:
    table = occlude_inputs(explained.study.crops, explained.samples, explained.model, SETTINGS)
    assert table["sample_id"].nunique() == 5
    assert set(table["channel"]) == {"all", *explained.model.config.channels}
    assert (table["explained_outcome"] == explained.model.config.outcomes[0]).all()
    assert np.isfinite(table["value"]).all()


def test_settings_travel_with_the_table_through_a_file(explained: Explained, tmp_path: Path) -> None:
    table = occlude_inputs(explained.study.crops, explained.samples, explained.model, SETTINGS)
    table.to_parquet(tmp_path / "occlusion.parquet")
    again = pd.read_parquet(tmp_path / "occlusion.parquet")
    assert again.attrs["settings"] == SETTINGS.model_dump(mode="json")


def test_any_outcome_can_be_explained_and_of_two_one_is_the_other_reversed(explained: Explained) -> None:
    first, second, *others = (
        occlude_inputs(
            explained.study.crops, explained.samples, explained.model, SETTINGS.model_copy(update={"outcome": outcome})
        )
        for outcome in explained.model.config.outcomes
    )
    assert np.allclose(first["value"], -second["value"], atol=1e-6) == (not others)


def test_an_outcome_the_model_does_not_forecast_is_named() -> None:
    with pytest.raises(InputError, match=r"explanation\.outcome is 'none'.*apoptosis, mitosis"):
        explained_outcome(("apoptosis", "mitosis"), "none")


def test_short_samples_have_statistics_without_values(explained: Explained) -> None:
    attention = read_attention(explained.study.crops, explained.samples, explained.model)
    features = attention.merge(explained.samples, on="sample_id")[["recording_id", "cell_id", "frame"]]
    features = features.drop_duplicates().assign(segmented=True, area=1.0)
    settings = AttentionStatisticsSettings(min_frames=100)
    statistics = compare_top_attention_frames(attention, features, explained.samples, settings)
    assert statistics["cliffs_delta"].isna().all()
    assert statistics["reason"].notna().all()
    summary = summarise_attention_statistics(statistics, attention, features, explained.samples, settings)
    assert (summary["n_cells"] == 0).all()
    assert summary["median_delta"].isna().all()
