"""Explanations of either reading by the same functions: of the forecast in the tables, by the member of the fold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from cellfate.attribution import explained_models, random_networks, sanity
from cellfate.attribution.agreement import compare_methods
from cellfate.attribution.attention_statistics import compare_top_attention_frames
from cellfate.attribution.attention_summary import summarise_attention_statistics
from cellfate.attribution.explained_landmarks import choose_explained_landmarks, choose_training_landmarks
from cellfate.attribution.explained_models import AttentiveMember, view_model
from cellfate.attribution.explaining import (
    attribute_gradients,
    attribute_trees,
    compute_shapley_values,
    occlude_inputs,
    read_attention,
    read_rollout,
)
from cellfate.attribution.faithfulness import trace_faithfulness
from cellfate.attribution.games import all_subsets, log_odds
from cellfate.attribution.gathering import gather_attributions
from cellfate.attribution.gradients import attribute_pixels
from cellfate.attribution.known_answer import score_planted
from cellfate.attribution.methods import ATTENTION, COMPARED, GRADIENT, OCCLUSION, ROLLOUT, SHAPLEY, TREE_SHAPLEY
from cellfate.attribution.opening import open_landmarks
from cellfate.attribution.sanity import check_sanity, compare_trainings
from cellfate.attribution.scoring import (
    FAITHFUL,
    NOT_TRAINED,
    add_planted_scores,
    add_training_scores,
    score_attributions,
)
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.attribution.stand_ins import take_curve_stand_ins
from cellfate.cohort.landmarks import asks_which_fate
from cellfate.core.tables import (
    Attention,
    AttentionSummary,
    AttributionAgreement,
    AttributionCells,
    Attributions,
    AttributionScores,
    FaithfulnessCurves,
    Landmarks,
    RandomisedWeights,
)
from cellfate.crops.digest import digest_data
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.prediction.boosting import boost_clock
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.clock_member import ClockMember
from cellfate.prediction.forecasts import forecast_classifier, forecast_clock
from cellfate.prediction.randomised import randomise_layers
from tests.unit.attribution.conftest import SETTINGS, Explained
from tests.unit.attribution.tiny import random_model, without_members

TOLERANCE = 1e-5  # float32 sums in another order


@pytest.fixture(scope="module")
def frame_features(study):
    return measure_cells(study.crops, study.detections, FeatureSettings())


@pytest.fixture(scope="module")
def gathered(explained, frame_features):
    """Values of every method, under each other."""
    return gather(explained, frame_features)


def gather(explained, frame_features):
    methods = (read_attention, read_rollout, occlude_inputs, compute_shapley_values, attribute_gradients)
    tables = [method(*explained.asked) for method in methods]
    crops, landmarks, model, settings = explained.asked
    study = explained.study
    trees = attribute_trees(crops, frame_features, study.landmarks, study.splits, landmarks, model, settings)
    return *tables, trees, gather_attributions(*tables, trees, landmarks, settings)


def score(explained, table):
    crops, landmarks, model, settings = explained.asked
    faithful, curves = trace_faithfulness(crops, landmarks, table, model, settings)
    agreeing, agreement = compare_methods(table, settings)
    sane, randomised = check_sanity(*explained.asked)
    return score_attributions(faithful, agreeing, sane, settings), curves, agreement, randomised


def open_some(explained, n=3):
    view = view_model(explained.model, explained.settings)
    return view, list(open_landmarks(explained.study.crops, explained.landmarks.head(n), view, all_subsets, "Opening"))


def forecasts_of(explained, frame_features):
    study, config = explained.study, explained.model.config
    asked = study.follow_ups if explained.is_clock else study.landmarks[asks_which_fate(study.landmarks)]
    digest = digest_data(study.crops, asked, study.splits, *([frame_features] if explained.is_clock else []))
    model = replace(explained.model, config=config.model_copy(update={"data_digest": digest}))
    if explained.is_clock:
        boosted = boost_clock(study.landmarks, study.splits, frame_features, model, study.crops)
        tables = (study.detections, study.follow_ups, study.splits, frame_features)
        forecasts = forecast_clock(study.crops, *tables, boosted)
        return forecasts[(forecasts["predictor"] == "network") & forecasts["within_h"].notna()]
    return forecast_classifier(study.crops, study.landmarks, study.splits, model)


@pytest.mark.parametrize(("outcome", "horizon_h"), [("mitosis", 2.0), ("apoptosis", 1.0), ("mitosis", 1.0)])
def test_what_is_explained_is_the_forecast_of_the_table(explained, frame_features, outcome, horizon_h):
    forecasts = forecasts_of(explained, frame_features)
    asked = {"outcome": outcome}
    if explained.is_clock:
        asked["horizon_h"] = horizon_h
        forecasts = forecasts[forecasts["within_h"] == horizon_h]
    crops, landmarks, model, settings = explained.asked
    shapley = compute_shapley_values(crops, landmarks, model, settings.model_copy(update=asked))
    first = shapley.groupby("landmark_id")["prediction"].first().reset_index()
    facts = first.merge(landmarks, on="landmark_id").rename(columns={"last_frame": "frame"})
    found = facts.merge(forecasts, on=["recording_id", "cell_id", "frame", "fold"])
    assert len(found) == settings.max_shapley_landmarks
    p = found[f"p_{outcome}"]
    np.testing.assert_allclose(found["prediction"], np.log(p / (1 - p)), atol=TOLERANCE)
    words = f"{outcome} within {horizon_h:g} h" if explained.is_clock else outcome
    assert set(shapley["explained_outcome"]) == {words}


def test_of_two_fates_one_is_the_other_reversed_but_not_where_none_may_come(explained):
    crops, landmarks, model, settings = explained.asked
    first, second = (
        occlude_inputs(crops, landmarks, model, settings.model_copy(update={"outcome": outcome}))["value"]
        for outcome in model.config.events
    )
    assert np.allclose(first, -second, atol=TOLERANCE) == (not explained.is_clock)


def test_shapley_values_add_up(explained):
    table = compute_shapley_values(*explained.asked)
    assert table["landmark_id"].nunique() == 3
    assert set(table["channel"]) == set(explained.channels)
    by_landmark = table.groupby("landmark_id")
    gaps = by_landmark["prediction"].first() - by_landmark["baseline"].first()
    assert gaps.abs().max() > 0.01
    np.testing.assert_allclose(by_landmark["value"].sum(), gaps, atol=1e-4)


def test_time_masks_are_masked_pixels(explained):
    view, opened = open_some(explained)
    rng = np.random.default_rng(0)
    for landmark in opened:
        present_btc = rng.random((6, *landmark.frames_tchw.shape[:2])) < 0.5
        p_b = np.zeros(6)
        for absent_tchw, weight in zip(landmark.stand_ins.frames_dtchw, landmark.stand_ins.weights_d, strict=True):
            masked = [np.where(shown[:, :, None, None], landmark.frames_tchw, absent_tchw) for shown in present_btc]
            embedded = [landmark.member.encode(frames) for frames in masked]
            again = landmark.member.logits(embedded, [landmark.game.positions_t] * 6)
            p_b += weight / (1 + np.exp(-log_odds(again, view.outcome_number)))
        values = landmark.game.values(present_btc)
        np.testing.assert_allclose(values, np.log(p_b / (1 - p_b)), atol=TOLERANCE)
        assert np.ptp(values) > 1e-3


def test_gradients_are_slopes_of_the_log_odds(explained):
    view, (landmark,) = open_some(explained, 1)
    member, positions = landmark.member, [landmark.game.positions_t]
    gradients = member.input_gradients(landmark.frames_tchw, *positions, view.outcome_number)
    towards = np.random.default_rng(0).normal(size=gradients.shape).astype(np.float32) * 1e-3

    def value(pixels):
        return log_odds(member.logits([member.encode(pixels)], positions), view.outcome_number).item()

    slope = (value(landmark.frames_tchw + towards) - value(landmark.frames_tchw - towards)) / 2
    assert float((gradients * towards).sum()) == pytest.approx(slope, rel=0.05, abs=2e-6)


def test_pixels_add_up_to_windows_wherever_the_landmarks_come_from(explained):
    crops, landmarks, model, settings = explained.asked
    own = attribute_gradients(*explained.asked)
    own = own[own["method"] == GRADIENT]
    bare = landmarks[landmarks["shapley"]].drop(columns=["shown_from", "lead_time_h", "occluded", "shapley"])
    pixels = attribute_pixels(crops, bare, model, settings)
    assert set(pixels) == set(own["landmark_id"])
    shown = landmarks.set_index("landmark_id")
    for landmark_id, relevance_tchw in pixels.items():  # the tracks of the study have no gaps
        assert len(relevance_tchw) == shown.loc[landmark_id, "last_frame"] - shown.loc[landmark_id, "shown_from"] + 1
    for landmark_id, rows in own.groupby("landmark_id"):
        by_channel = rows.groupby("channel", sort=False)["value"].sum()
        np.testing.assert_allclose(pixels[landmark_id].sum(axis=(0, 2, 3)), by_channel, atol=1e-4)


def test_attention_sums_to_one_and_without_layers_there_is_none(explained):
    _, (landmark,) = open_some(explained, 1)
    assert isinstance(landmark.member, AttentiveMember) == bool(explained.n_layers)
    for table in (read_attention(*explained.asked), read_rollout(*explained.asked)):
        assert set(table["landmark_id"]) == (set(explained.landmarks["landmark_id"]) if explained.n_layers else set())
        by_landmark = table.groupby("landmark_id")
        np.testing.assert_allclose(by_landmark["attention"].sum() + by_landmark["class_token"].first(), 1, atol=1e-5)
        assert (table["class_token"] == 0).all() == (explained.is_clock or table.empty)


def test_attention_of_the_classifier_is_that_of_the_member_of_the_fold_over_the_whole_track(study):
    model = random_model(study, "classifier")
    chosen = choose_explained_landmarks(study.crops, study.landmarks, study.splits, model, SETTINGS)
    table = read_attention(study.crops, chosen, model, SETTINGS)
    for row in chosen.tail(2).to_dict("records"):
        member = load_classifier_member(model, row["fold"])
        sequence = study.crops.read(row["recording_id"], row["cell_id"], last_frame=row["last_frame"])
        frames_t = sequence.frame_numbers_t
        (weights_s,) = member.attention([member.encode(member.prepare(sequence))], [frames_t - frames_t[0]])
        found = table[table["landmark_id"] == row["landmark_id"]]
        np.testing.assert_allclose(found["attention"], weights_s[1:], atol=1e-6)
        assert found["frame"].tolist() == frames_t.tolist()


def test_hours_before_the_event(explained):
    table = read_attention(*explained.asked)
    last = table.groupby("landmark_id").tail(1).set_index("landmark_id")["hours_before_event"].sort_index()
    lead = explained.landmarks.set_index("landmark_id")["lead_time_h"].sort_index()
    pd.testing.assert_series_equal(last, lead.reindex(last.index), check_names=False)


def test_occlusion_covers_windows_and_channels(explained):
    table = occlude_inputs(*explained.asked)
    assert table["landmark_id"].nunique() == 5
    assert set(table["channel"]) == {"all", *explained.channels}
    assert np.isfinite(table["value"]).all()


def test_settings_travel_with_the_table_through_a_file(explained, tmp_path):
    occlude_inputs(*explained.asked).to_parquet(tmp_path / "occlusion.parquet")
    again = pd.read_parquet(tmp_path / "occlusion.parquet")
    assert again.attrs["settings"] == explained.settings.model_dump(mode="json")


def test_all_methods_stand_in_one_table(explained, gathered):
    attention, _, _, shapley, _, _, table = gathered
    without = set() if explained.n_layers else {ATTENTION, ROLLOUT}
    assert set(table["method"]) == set(COMPARED) - without
    marked = explained.landmarks[explained.landmarks["shapley"]]
    assert set(table["landmark_id"]) == set(marked["landmark_id"])
    for _, rows in table.groupby("landmark_id"):  # all methods speak of the same windows
        assert len({frozenset(part["windows_back"]) for _, part in rows.groupby("method")}) == 1
    shares = table[table["method"] == ATTENTION].groupby("landmark_id")["value"].sum()
    own = attention.groupby("landmark_id")["attention"].sum()
    np.testing.assert_allclose(shares, own[shares.index], atol=1e-6)
    above = shapley.groupby("landmark_id")["prediction"].first() - marked.set_index("landmark_id")["reference_log_odds"]
    signs = np.sign(above)
    assert (table.groupby("landmark_id")["towards"].first() == signs).all()


def test_every_method_is_scored_or_says_why_not(explained, gathered):
    table, facts = gathered[-1], gathered[3].groupby("landmark_id")[["prediction", "baseline"]].first()
    scores, curves, agreement, randomised = score(explained, table)
    by_key = scores.set_index(["method", "score"])
    marked = explained.landmarks[explained.landmarks["shapley"]]
    traced = marked[marked["curve_stand_ins"].map(len) > 0]  # of a few training cells nobody may be left
    assert by_key.loc[(SHAPLEY, "deletion_gain"), "n_failed"] == len(marked) - len(traced)
    assert by_key.loc[(SHAPLEY, "deletion_gain"), "n_groups"] == traced["group_id"].nunique() > 1
    assert scores.loc[scores["value"].isna(), "reason"].notna().all()
    assert set(by_key.loc[[(SHAPLEY, "label_permuted"), (SHAPLEY, "retrained")], "reason"]) == {NOT_TRAINED}
    assert by_key.loc[(TREE_SHAPLEY, "retrained"), "reason"] == "the method does not explain the network"
    attention = by_key.loc[[(ATTENTION, "deletion_gain"), (ROLLOUT, "deletion_gain")]]
    if explained.n_layers:
        assert attention["value"].notna().all()
    else:
        assert set(attention["reason"]) == {"the model has no attention"}
        assert set(attention["n_failed"]) == {3}
    ends = curves[(curves["curve"] == "deletion") & (curves["order"] == "own")].set_index(["method", "share"])["value"]
    towards = table.groupby("landmark_id")["towards"].first()
    facts, reference = facts.loc[traced["landmark_id"]], traced.set_index("landmark_id")["reference_log_odds"]
    above = facts.sub(reference, axis=0).mul(towards, axis=0).mean()
    assert ends[SHAPLEY, 0.0] == pytest.approx(above["prediction"], abs=1e-4)
    view = view_model(explained.model, explained.settings)
    shown = open_landmarks(explained.study.crops, take_curve_stand_ins(traced), view, all_subsets, "Opening")
    nothing = [
        towards[one.landmark_id]
        * (one.game.values(np.zeros((1, *one.frames_tchw.shape[:2]), bool))[0] - one.reference_log_odds)
        for one in shown
    ]
    assert ends[SHAPLEY, 1.0] == pytest.approx(np.mean(nothing), abs=1e-4)
    assert np.mean(nothing) != pytest.approx(above["baseline"], abs=1e-3)  # other cells stand in
    assert not agreement.empty
    assert randomised["layer"].iloc[-1] == "frame encoder"


@pytest.fixture
def few_parts_are_enough(monkeypatch):
    """The tiny study shows fewer parts than networks are compared over."""
    for module in (sanity, random_networks):
        monkeypatch.setattr(module, "LEAST_PARTS", 3)


@pytest.mark.usefixtures("few_parts_are_enough")
def test_sanity_compares_with_noise_and_with_itself(explained):
    cells, table = check_sanity(*explained.asked)
    whole = table[table["stage"] == 0]
    np.testing.assert_allclose(whole["rank_correlation"].dropna(), 1.0)
    of_shapley = {"seed_stability", "monte_carlo_error", "value_size"}
    assert set(cells["score"]) == {"randomised_weights", "randomised_chance", *of_shapley}
    assert set(cells.loc[cells["score"].isin(of_shapley), "method"]) == {SHAPLEY}
    assert cells.loc[cells["score"] == "randomised_weights", "value"].dropna().mean() < 0.9
    most = explained.landmarks["fold"].mode().iloc[0]
    again = explained.landmarks[explained.landmarks["fold"] == most].head(explained.settings.max_sanity_landmarks)
    assert set(cells["landmark_id"]) == set(again["landmark_id"])


def test_the_monte_carlo_error_is_that_of_two_draws_by_hand():
    facts = {"landmark_id": "a", "group_id": "g", "method": SHAPLEY, "channel": "a", "windows_back": [0, 1, 2]}
    one, other = (pd.DataFrame({**facts, "value": values}) for values in ([1.0, -4.0, 2.0], [1.0, -2.0, 0.0]))
    cells = sanity._compare_seeds(one, other).set_index("score")["value"]
    assert cells["monte_carlo_error"] == pytest.approx(np.sqrt((0 + 4 + 4) / 2 / 3))
    assert cells["value_size"] == pytest.approx(np.sqrt(7.0))


def test_orders_are_walked_again_for_every_network_and_once_with_another_seed(explained, monkeypatch):
    explanations = []
    monkeypatch.setattr(sanity, "shapley_values", lambda *asked: explanations.append(1) or shapley_values(*asked))
    check_sanity(*explained.asked)
    n_stages = explained.n_layers + (2 if explained.is_clock else 3)
    networks = explained.settings.n_random_networks
    assert len(explanations) == 2 * (2 + networks) + n_stages  # the stages at the first landmark alone


def test_seed_stability_is_of_other_orders(explained, monkeypatch):
    seeds = []

    def spy(*asked):
        seeds.append(asked[-1])
        return shapley_values(*asked)

    monkeypatch.setattr(sanity, "shapley_values", spy)
    check_sanity(*explained.asked)
    assert seeds[:4] == [0, 1, 0, 1]  # each of the two landmarks as it is, and with other orders
    assert set(seeds[4:]) == {0}  # networks of random weights


@pytest.mark.usefixtures("few_parts_are_enough")
def test_comparison_trainings_fill_their_rows_and_no_others(explained, gathered):
    crops, landmarks, model, settings = explained.asked
    scores = score(explained, gathered[-1])[0]
    first_fold = model.config.model_copy(update={"members": model.config.members[:1]})
    again = replace(model, config=first_fold)
    noise = replace(again, weights=random_model(explained.study, model.config.kind, explained.n_layers, seed=2).weights)
    cells = compare_trainings(crops, landmarks, model, noise, again, settings)
    assert set(cells["landmark_id"]) == set(landmarks.loc[landmarks["fold"] == 0, "landmark_id"].head(2))
    own = cells[cells["score"] == "retrained"]["value"].dropna()
    np.testing.assert_allclose(own, 1.0)  # the same network
    assert cells[cells["score"] == "label_permuted"]["value"].dropna().mean() < 0.9
    whole = add_training_scores(scores, cells, settings)
    assert whole[["method", "score"]].equals(scores[["method", "score"]])
    trained = whole["score"].isin(["label_permuted", "retrained", "retrained_over_permuted"])
    pd.testing.assert_frame_equal(whole[~trained], scores[~trained])
    shapley = whole[trained & (whole["method"] == SHAPLEY)].set_index("score")
    assert shapley["n_cells"].tolist() == [2, 2, 2]
    above = shapley.loc["retrained", "value"] - shapley.loc["label_permuted", "value"]
    assert shapley.loc["retrained_over_permuted", "value"] == pytest.approx(above)
    assert shapley.loc["retrained", "value"] == pytest.approx(1.0)


def test_randomised_layers_leave_the_member_alone(explained):
    view = view_model(explained.model, explained.settings)
    member = view.load(0)
    before = {name: value.clone() for name, value in member.network.state_dict().items()}
    stages = list(randomise_layers(member, 0))
    layers = [f"Transformer layer {n}" for n in range(explained.n_layers, 0, -1)]
    top = ["head"] if explained.is_clock else ["head", "attention pooling"]
    assert [name for name, _ in stages] == [*top, *layers, "frame encoder"]
    assert all((before[name] == value).all() for name, value in member.network.state_dict().items())
    first, last = (dict(stage.network.named_parameters()) for stage in (stages[0][1], stages[-1][1]))
    head = next(name for name in first if name.startswith("head") and name.endswith("weight"))
    assert (first[head] != before[head]).any()
    encoder = [name for name in first if name.startswith("encoder")]
    assert all((first[name] == before[name]).all() for name in encoder)
    assert any((last[name] != before[name]).any() for name in encoder)


def test_a_fold_without_explained_landmarks_gets_no_trees(explained, frame_features):
    crops, landmarks, model, settings = explained.asked
    one_fold = landmarks[landmarks["fold"] == 1].assign(shapley=True).head(2)
    tables = (frame_features, explained.study.landmarks, explained.study.splits)
    trees = attribute_trees(crops, *tables, one_fold, model, settings)
    assert set(trees["landmark_id"]) == set(one_fold["landmark_id"])


@pytest.mark.parametrize("why", ["question not asked", "no test cell"])
def test_where_nothing_is_explained_every_table_is_empty_and_the_scores_say_so(explained, frame_features, why, caplog):
    study, model, splits = explained.study, explained.model, explained.study.splits
    if why == "question not asked":
        model = without_members(model)
    else:
        splits = splits[splits["part"] != "test"]
    with caplog.at_level("WARNING"):
        landmarks = choose_explained_landmarks(study.crops, study.landmarks, splits, model, explained.settings)
        nothing = Explained(study, model, explained.settings, landmarks)
        *methods, table = gather(nothing, frame_features)
        scores, *others = score(nothing, table)
    assert len(caplog.records) == 1
    expected = "not asked: nobody knows" if why == "question not asked" else "known of no test cell"
    assert expected in caplog.text
    assert landmarks.dtypes.to_dict() == explained.landmarks.dtypes.to_dict()
    for schema, empty in zip(
        (Landmarks, Attention, Attention, *(Attributions,) * 5, FaithfulnessCurves, AttributionAgreement),
        (landmarks, *methods, table, *others[:2]),
        strict=True,
    ):
        assert schema.validate(empty).empty
    for one, other in zip((*methods, table), gather(explained, frame_features), strict=True):
        assert set(one.columns) == set(other.columns)
    assert RandomisedWeights.validate(others[2]).empty
    assert set(AttributionScores.validate(scores)["reason"]) == {"no cell was explained"}
    assert len(scores) == len(COMPARED) * len(FAITHFUL)
    assert attribute_pixels(study.crops, landmarks, model, explained.settings) == {}
    cells = compare_trainings(study.crops, landmarks, model, explained.model, explained.model, explained.settings)
    assert AttributionCells.validate(cells).empty
    assert add_training_scores(scores, cells, explained.settings) is scores
    truth = study.cells.assign(deciding_channel="p53", window_first_frame=0, window_last_frame=3)
    planted = AttributionCells.validate(score_planted(table, landmarks, truth))
    assert set(add_planted_scores(scores, planted, explained.settings)["reason"]) == {"no cell was explained"}


def test_attention_statistics_of_nothing_are_empty(explained, frame_features):
    study, model = explained.study, without_members(explained.model)
    landmarks = choose_training_landmarks(study.crops, study.landmarks, study.splits, model, explained.settings)
    assert landmarks.empty
    settings = AttentionStatisticsSettings()
    tables = (read_attention(study.crops, landmarks, model, explained.settings), frame_features, landmarks, settings)
    statistics = compare_top_attention_frames(*tables)
    assert statistics.empty
    assert AttentionSummary.validate(summarise_attention_statistics(statistics, *tables)).empty


def test_cells_shown_briefly_have_statistics_without_values(explained, frame_features):
    settings = AttentionStatisticsSettings(min_frames=100)
    tables = (read_attention(*explained.asked), frame_features, explained.landmarks, settings)
    statistics = compare_top_attention_frames(*tables)
    assert statistics.empty == (explained.n_layers == 0)
    assert statistics["cliffs_delta"].isna().all()
    assert statistics["reason"].notna().all()
    summary = summarise_attention_statistics(statistics, *tables)
    assert (summary["n_cells"] == 0).all()
    assert summary["median_delta"].isna().all()


@pytest.fixture(scope="module")
def clock(study):
    return random_model(study, "clock")


def test_age_is_context_in_every_coalition(study, clock):
    """An older cell with the same pixels is another question, also when all of them are blank."""
    chosen = choose_explained_landmarks(study.crops, study.landmarks, study.splits, clock, SETTINGS).head(1)
    view = view_model(clock, SETTINGS)
    older = chosen.assign(first_frame=chosen["first_frame"] - 10)
    one, other = (next(open_landmarks(study.crops, rows, view, all_subsets, "Opening")) for rows in (chosen, older))
    blank = np.zeros((1, *one.frames_tchw.shape[:2]), dtype=bool)
    assert abs(one.game.values(blank) - other.game.values(blank)).item() > 1e-3


class PlantedNetwork(torch.nn.Module):
    """Hazards that hang on one channel 2 and 3 frames before the frame that is read, and on nothing else."""

    encoded_size = 3

    def __init__(self, channel):
        super().__init__()
        self.channel = channel
        self.weight = torch.nn.Parameter(torch.tensor(4.0), requires_grad=False)

    def encode(self, frames_nchw):
        return frames_nchw.mean(dim=(2, 3))

    def read_last(self, embeddings_nd, positions_n, lengths_b, ages_na):
        parts = []
        for sequence in embeddings_nd.split(lengths_b.tolist()):
            seen = torch.nn.functional.pad(sequence[:, self.channel], (3, 0))
            parts.append(self.weight * (seen[-3] + seen[-4]))
        logits_b = torch.stack(parts)
        return torch.stack((torch.full_like(logits_b, -2.0), logits_b), dim=-1)[:, None].expand(-1, 4, -1)


@pytest.mark.parametrize(("channel", "name"), [(1, "p53"), (2, "mask")])
def test_what_the_clock_reads_is_found_and_nothing_else(study, clock, monkeypatch, channel, name):
    sizes = clock.config.architecture.model_copy(update={"embedding_size": 3})
    config = clock.config.model_copy(update={"architecture": sizes})
    planted = ClockMember(config, config.member(0), PlantedNetwork(channel))
    monkeypatch.setattr(explained_models, "load_clock_member", lambda model, fold: planted)
    settings = SETTINGS.model_copy(update={"outcome": "mitosis", "horizon_h": 2.5})
    tested = choose_explained_landmarks(study.crops, study.landmarks, study.splits, clock, settings)
    whole = tested["last_frame"] - tested["shown_from"] == 3
    inside = tested["cell_id"] > 1  # cell 1 lies half outside the image
    chosen = tested[whole & inside].head(3).assign(occluded=True, shapley=True)
    asked = (study.crops, chosen, clock, settings)
    shapley, gradients = compute_shapley_values(*asked), attribute_gradients(*asked)
    occlusion = occlude_inputs(*asked)
    occlusion = occlusion[occlusion["method"] == OCCLUSION]
    for table in (shapley, occlusion, gradients):
        there = (table["windows_back"] == 1) & (table["channel"] == name)
        assert there.sum() == 3 * table["method"].nunique()
        np.testing.assert_allclose(table.loc[~there, "value"], 0, atol=1e-6)
        assert (table.loc[there, "value"].abs() > 1e-3).all()
    found = shapley[(shapley["windows_back"] == 1) & (shapley["channel"] == name)]
    np.testing.assert_allclose(found["value"], found["prediction"] - found["baseline"], atol=1e-6)
