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
from cellfate.attribution.explained_models import explained_outcome
from cellfate.attribution.explaining import attribute_gradients, read_rollout
from cellfate.attribution.faithfulness import trace_faithfulness
from cellfate.attribution.games import log_odds
from cellfate.attribution.gathering import gather_attributions
from cellfate.attribution.methods import COMPARED, TREE_SHAPLEY
from cellfate.attribution.sanity import check_sanity
from cellfate.core.errors import InputError
from cellfate.core.tables import Attention, Attributions
from cellfate.prediction import TrainedModel, embed_samples, load_fold
from cellfate.prediction.randomised import randomise_layers
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


def test_rollout_sums_to_one_and_without_layers_is_the_pooling_attention(explained: Explained) -> None:
    table = read_rollout(explained.study.crops, explained.samples, explained.model)
    by_sample = table.groupby("sample_id")
    np.testing.assert_allclose(by_sample["attention"].sum() + by_sample["class_token"].first(), 1.0, atol=1e-5)
    import torch

    from cellfate.models.fate_classifier import FateClassifier

    network = FateClassifier(TINY_MODEL.model_copy(update={"n_layers": 0}), 2, 2).eval()
    packed = torch.randn(5, network.size), torch.arange(5), torch.tensor([3, 2])
    with torch.inference_mode():
        torch.testing.assert_close(network.roll_out(*packed), network.classify(*packed)[1])


def test_rollout_of_one_layer_by_hand(explained: Explained) -> None:
    import torch

    from cellfate.models.fate_classifier import FateClassifier
    from cellfate.models.temporal import attention_of_layer

    network = FateClassifier(TINY_MODEL.model_copy(update={"n_layers": 1}), 2, 2).eval()
    packed = torch.randn(3, network.size), torch.arange(3), torch.tensor([3])
    with torch.inference_mode():
        tokens, padding = network._tokens(*packed)
        layer = attention_of_layer(network.layers[0], tokens, padding)[0].numpy()
        pooling = network.classify(*packed)[1][0].numpy()
        found = network.roll_out(*packed)[0].numpy()
    np.testing.assert_allclose(found, pooling @ ((np.eye(4) + layer) / 2), atol=1e-6)


def test_gradients_are_slopes_of_the_models_own_logit(explained: Explained) -> None:
    row = explained.samples.iloc[0]
    member = load_fold(explained.model, int(row["fold"]))
    sequence = explained.study.crops.read(row["recording_id"], row["cell_id"], row["first_frame"], row["last_frame"])
    frames, positions = member.prepare(sequence), sequence.frame_numbers_t - sequence.frame_numbers_t[0]
    gradients = member.input_gradients(frames, positions, 0)
    rng = np.random.default_rng(0)
    towards = rng.normal(size=frames.shape).astype(np.float32) * 1e-2

    def value(pixels: np.ndarray) -> float:
        return float(log_odds(member.logits([member.encode(pixels)], [positions]), 0)[0])

    slope = (value(frames + towards) - value(frames - towards)) / 2
    assert float((gradients * towards).sum()) == pytest.approx(slope, rel=0.05, abs=2e-4)
    np.testing.assert_allclose(member.input_gradients(frames, positions, 0).shape, frames.shape)


def test_all_methods_stand_in_one_table(explained: Explained) -> None:
    study, samples, model = explained.study, explained.samples, explained.model
    inputs = (study.crops, samples, model, SETTINGS)
    attention, rollout = (read(*inputs[:3]) for read in (read_attention, read_rollout))
    occlusion, shapley, gradients = (
        explain(*inputs) for explain in (occlude_inputs, compute_shapley_values, attribute_gradients)
    )
    trees = shapley.assign(method=TREE_SHAPLEY, feature="area").drop(columns=["prediction", "baseline"])
    table = gather_attributions(attention, rollout, occlusion, shapley, gradients, trees, samples, SETTINGS)
    assert set(table["method"]) == set(COMPARED)
    assert set(table["sample_id"]) == set(samples.loc[samples["shapley"], "sample_id"])
    for _, rows in table.groupby("sample_id"):  # all methods speak of the same windows
        assert len({frozenset(part["windows_back"]) for _, part in rows.groupby("method")}) == 1
    shares = table[table["method"] == "attention"].groupby("sample_id")["value"].sum()
    own = attention.groupby("sample_id")["attention"].sum()
    np.testing.assert_allclose(shares, own[shares.index], atol=1e-6)
    signs = np.sign(shapley.groupby("sample_id")["prediction"].first())
    assert (table.groupby("sample_id")["towards"].first() == signs[signs.index]).all()


def test_a_model_without_attention_has_no_such_rows(explained: Explained) -> None:
    study, samples, model = explained.study, explained.samples, explained.model
    inputs = (study.crops, samples, model, SETTINGS)
    occlusion, shapley, gradients = (
        explain(*inputs) for explain in (occlude_inputs, compute_shapley_values, attribute_gradients)
    )
    none = Attention.empty()
    trees = shapley.head(0).assign(feature="")
    table = gather_attributions(none, none, occlusion, shapley, gradients, trees, samples, SETTINGS)
    assert not {"attention", "attention_rollout"} & set(table["method"])


def test_sanity_compares_with_noise_with_other_models_and_with_itself(explained: Explained) -> None:
    settings = SETTINGS.model_copy(update={"max_sanity_samples": 2, "n_bootstrap": 100})
    model = explained.model
    cells, table = check_sanity(explained.study.crops, explained.samples, model, model, model, settings)
    whole = table[table["stage"] == 0]
    np.testing.assert_allclose(whole["rank_correlation"].dropna(), 1.0)
    assert table["layer"].iloc[-1] == "frame encoder"
    same = cells[cells["score"].isin(["label_permuted", "retrained"])]["value"].dropna()
    np.testing.assert_allclose(same, 1.0)  # the model compared with itself
    assert (cells[cells["score"] == "seed_stability"]["method"] == "shapley").all()
    noise = cells[cells["score"] == "randomised_weights"]["value"].dropna()
    assert noise.mean() < 0.9


def test_randomised_layers_leave_the_trained_member_alone(explained: Explained) -> None:
    member = load_fold(explained.model, 0)
    before = {name: value.clone() for name, value in member.network.state_dict().items()}
    stages = list(randomise_layers(member, 0))
    assert [name for name, _ in stages][:2] == ["head", "attention pooling"]
    assert all((before[name] == value).all() for name, value in member.network.state_dict().items())
    first, last = stages[0][1].network, stages[-1][1].network
    assert (first.head.weight != member.network.head.weight).any()
    encoder = dict(member.network.encoder.named_parameters())
    assert all((value == encoder[name]).all() for name, value in first.encoder.named_parameters())
    assert any((value != encoder[name]).any() for name, value in last.encoder.named_parameters())


def test_faithfulness_has_all_methods_curves_and_orders(explained: Explained) -> None:
    study, samples, model = explained.study, explained.samples, explained.model
    settings = SETTINGS.model_copy(update={"n_random_orders": 2, "n_bootstrap": 100})
    inputs = (study.crops, samples, model, settings)
    shapley = compute_shapley_values(*inputs)
    none, no_rows = Attention.empty(), shapley.head(0)
    table = gather_attributions(none, none, no_rows, shapley, no_rows, no_rows.assign(feature=""), samples, settings)
    cells, curves = trace_faithfulness(study.crops, samples, table, model, settings)
    assert set(cells["score"]) == {"deletion_gain", "insertion_gain", "over_reverse"}
    ends = curves[(curves["curve"] == "deletion") & (curves["order"] == "own")].set_index("share")["value"]
    towards = table.groupby("sample_id")["towards"].first()
    facts = shapley.groupby("sample_id")[["prediction", "baseline"]].first()
    assert ends[0.0] == pytest.approx((facts["prediction"] * towards).mean(), abs=1e-4)
    assert ends[1.0] == pytest.approx((facts["baseline"] * towards).mean(), abs=1e-4)


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
