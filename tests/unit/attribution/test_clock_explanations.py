"""Explanations of the fate clock: by the functions that explain the classifier, of the forecast in the tables."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import torch

from cellfate.attribution import explained_models
from cellfate.attribution.explained_models import AttentiveMember, ClockView, ExplainedModel, view_model
from cellfate.attribution.explaining import attribute_gradients, compute_shapley_values, occlude_inputs, read_attention
from cellfate.attribution.games import all_subsets, log_odds
from cellfate.attribution.gathering import gather_attributions
from cellfate.attribution.landmark_samples import choose_landmarks, sample_landmarks, split_landmarks
from cellfate.attribution.methods import ATTENTION, OCCLUSION, ROLLOUT, SHAPLEY
from cellfate.attribution.opening import open_samples
from cellfate.attribution.settings import ClockExplanationSettings, ExplanationSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import Samples
from cellfate.models.fate_clock import FateClock
from cellfate.pipelines.fate_clock.nodes import (
    attribute_clock,
    attribute_clock_trees,
    choose_explained_landmarks,
    score_clock_attributions,
)
from cellfate.prediction import TrainedClock, forecast_incidence
from cellfate.prediction.clock_member import ClockMember, load_clock_member
from cellfate.prediction.randomised import randomise_layers
from tests.cases.trained_models import TINY_CLOCK, TinyClockStudy, tiny_clock

TOLERANCE = 1e-5  # float32 sums in another order
SETTINGS = ExplanationSettings(
    max_occlusion_samples=4,
    max_shapley_samples=3,
    window_h=1.0,
    n_windows=3,
    n_permutations=1,
    n_random_orders=2,
    max_sanity_samples=2,
    n_bootstrap=100,
)
MITOSIS = ClockExplanationSettings(event="mitosis", horizon_h=3.0)


@dataclass(frozen=True)
class Explained:
    """A study, a clock of random weights with a member a fold, and the landmarks to explain."""

    study: TinyClockStudy
    model: TrainedClock
    samples: pd.DataFrame

    @property
    def asked(self):
        return self.study.crops, self.samples, ClockView(self.model, MITOSIS)


def randomly_weighted(model, n_layers):
    """The clock with random weights, so that it hangs on every input, and so many layers of attention."""
    architecture = TINY_CLOCK.model_copy(update={"n_layers": n_layers})
    weights = {}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for fold in model.config.folds:
            network = FateClock(architecture, 3, 2, 2, n_features=0)
            torch.nn.init.normal_(network.head[-1].weight)
            torch.nn.init.normal_(network.scale.running_mean, std=0.1)
            for module in network.encoder.modules():
                if isinstance(module, torch.nn.BatchNorm2d):  # a blank pixel is not on the kink of the ReLU
                    torch.nn.init.normal_(module.bias)
            weights |= {f"fold_{fold}.{name}": value.detach().numpy() for name, value in network.state_dict().items()}
    return TrainedClock(model.config.model_copy(update={"architecture": architecture}), weights, model.boosters)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return tiny_clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module", params=[0, 1, 2], ids=["no attention", "one layer", "two layers"])
def explained(request, trained):
    study, model = trained
    clock = randomly_weighted(model, request.param)
    tables = (study.landmarks, study.follow_ups, study.splits)
    return Explained(study, clock, choose_explained_landmarks(study.crops, *tables, clock, SETTINGS, MITOSIS))


@pytest.mark.parametrize(("event", "horizon_h"), [("mitosis", 3.0), ("apoptosis", 2.0), ("mitosis", 2.0)])
def test_what_is_explained_is_the_forecast_of_the_table(explained, event, horizon_h):
    study, model = explained.study, explained.model
    incidence = forecast_incidence(study.crops, study.follow_ups, study.splits, study.frame_features, model)
    of_network = incidence[(incidence["predictor"] == "clock") & (incidence["within_h"] == horizon_h)]
    settings = ClockExplanationSettings(event=event, horizon_h=horizon_h)
    shapley = compute_shapley_values(study.crops, explained.samples, ClockView(model, settings), SETTINGS)
    facts = shapley.groupby("sample_id")["prediction"].first().reset_index().merge(explained.samples, on="sample_id")
    keys = {"last_frame": "frame"}
    found = facts.rename(columns=keys).merge(of_network, on=["recording_id", "cell_id", "frame", "fold"])
    assert len(found) == SETTINGS.max_shapley_samples
    p = found[f"p_{event}"]
    np.testing.assert_allclose(found["prediction"], np.log(p / (1 - p)), atol=TOLERANCE)
    assert set(shapley["explained_outcome"]) == {f"{event} within {horizon_h:g} h"}


def test_shapley_values_add_up(explained):
    table = compute_shapley_values(*explained.asked, SETTINGS)
    assert set(table["channel"]) == {"circadian", "p53", "mask"}
    for _, rows in table.groupby("sample_id"):
        gap = rows["prediction"].iloc[0] - rows["baseline"].iloc[0]
        assert abs(gap) > 1e-3
        assert rows["value"].sum() == pytest.approx(gap, abs=1e-4)


def test_time_masks_are_masked_pixels(explained):
    crops, samples, view = explained.asked
    opened = open_samples(crops, samples.head(3), view.member_for, SETTINGS, view.outcome_number, all_subsets(3))
    rng = np.random.default_rng(0)
    for sample in opened:
        present_btc = rng.random((6, len(sample.frames_tchw), 3)) < 0.5
        masked = [sample.frames_tchw * present_tc[:, :, None, None] for present_tc in present_btc]
        embedded = [sample.member.encode(frames.astype(np.float32)) for frames in masked]
        again = sample.member.logits(embedded, [sample.game.positions_t] * 6)
        np.testing.assert_allclose(sample.game.values(present_btc), log_odds(again, 1), atol=TOLERANCE)
        assert np.ptp(sample.game.values(present_btc)) > 1e-3


def test_age_is_context_in_every_coalition(explained):
    """An older cell with the same pixels is another question, also when all of them are blank."""
    crops, samples, view = explained.asked
    older = samples.head(1).assign(age_frames=samples["age_frames"].iloc[0] + 10)
    one, other = (
        next(open_samples(crops, rows, view.member_for, SETTINGS, 1, all_subsets(3)))
        for rows in (samples.head(1), older)
    )
    blank = np.zeros((1, *one.frames_tchw.shape[:2]), dtype=bool)
    assert abs(one.game.values(blank) - other.game.values(blank)).item() > 1e-3


def test_gradients_are_slopes_of_the_log_odds(explained):
    crops, samples, view = explained.asked
    sample = next(open_samples(crops, samples.head(1), view.member_for, SETTINGS, 1, all_subsets(3)))
    gradients = sample.member.input_gradients(sample.frames_tchw, sample.game.positions_t, 1)
    towards = np.random.default_rng(0).normal(size=gradients.shape).astype(np.float32) * 1e-3

    def value(pixels):
        member = sample.member
        return log_odds(member.logits([member.encode(pixels)], [sample.game.positions_t]), 1).item()

    slope = (value(sample.frames_tchw + towards) - value(sample.frames_tchw - towards)) / 2
    assert float((gradients * towards).sum()) == pytest.approx(slope, rel=0.05, abs=2e-6)


def test_attention_sums_to_one_and_a_clock_without_has_no_rows(explained):
    crops, samples, view = explained.asked
    table = read_attention(crops, samples, view)
    n_layers = explained.model.config.architecture.n_layers
    assert isinstance(view.member_for(samples.iloc[0]), AttentiveMember) == bool(n_layers)
    assert set(table["sample_id"]) == (set(samples["sample_id"]) if n_layers else set())
    np.testing.assert_allclose(table.groupby("sample_id")["attention"].sum(), 1, atol=TOLERANCE)
    assert (table["class_token"] == 0).all()


class PlantedNetwork(torch.nn.Module):
    """Hazards that hang on one channel 2 and 3 frames before the frame that is read, and on nothing else."""

    def __init__(self, channel):
        super().__init__()
        self.channel = channel
        self.weight = torch.nn.Parameter(torch.tensor(4.0), requires_grad=False)

    def encode(self, frames_nchw):
        return frames_nchw.mean(dim=(2, 3))

    def read(self, embeddings_nd, positions_n, lengths_b, ages_na):
        parts = []
        for sequence in embeddings_nd.split(lengths_b.tolist()):
            seen = torch.nn.functional.pad(sequence[:, self.channel], (3, 0))
            parts.append(self.weight * (seen[1:-2] + seen[:-3]))
        logits_n = torch.cat(parts)
        return torch.stack((torch.full_like(logits_n, -2.0), logits_n), dim=-1)[:, None].expand(-1, 2, -1)


@pytest.mark.parametrize(("channel", "name"), [(1, "p53"), (2, "mask")])
def test_what_the_clock_reads_is_found_and_nothing_else(trained, monkeypatch, channel, name):
    study, model = trained
    planted = ClockMember(model.config, model.config.member(0), PlantedNetwork(channel), {})
    monkeypatch.setattr(explained_models, "load_clock_member", lambda model, fold: planted)
    view = ClockView(model, MITOSIS)
    samples = sample_landmarks(study.crops, study.landmarks, view)
    whole = (samples["n_frames"] == 4) & (samples["cell_id"] > 1)  # cell 1 lies half outside the image
    samples = samples[whole].head(3).assign(fold=0, occluded=True, shapley=True)
    asked = (study.crops, samples, view, SETTINGS)
    shapley, gradients = compute_shapley_values(*asked), attribute_gradients(*asked)
    occlusion = occlude_inputs(*asked)
    occlusion = occlusion[occlusion["method"] == OCCLUSION]
    for table in (shapley, occlusion, gradients):
        there = (table["windows_back"] == 1) & (table["channel"] == name)
        assert there.sum() == 3
        np.testing.assert_allclose(table.loc[~there, "value"], 0, atol=1e-6)
        assert (table.loc[there, "value"].abs() > 1e-3).all()
    whole = shapley[(shapley["windows_back"] == 1) & (shapley["channel"] == name)]
    np.testing.assert_allclose(whole["value"], whole["prediction"] - whole["baseline"], atol=1e-6)


def test_randomised_layers_leave_the_clock_alone(explained):
    member = load_clock_member(explained.model, 0)
    before = {name: value.clone() for name, value in member.network.state_dict().items()}
    stages = list(randomise_layers(member, 0))
    n_layers = explained.model.config.architecture.n_layers
    layers = [f"Transformer layer {n}" for n in range(n_layers, 0, -1)]
    assert [name for name, _ in stages] == ["head", *layers, "frame encoder"]
    assert all((before[name] == value).all() for name, value in member.network.state_dict().items())
    first, last = stages[0][1].network, stages[-1][1].network
    assert (first.head[1].weight != member.network.head[1].weight).any()
    assert (first.scale.running_mean == member.network.scale.running_mean).all()
    assert (last.scale.running_mean == 0).all()


def test_every_method_is_scored_or_says_why_not(explained):
    study, model, samples = explained.study, explained.model, explained.samples
    methods = attribute_clock(study.crops, samples, model, SETTINGS, MITOSIS)
    followed = (study.crops, study.landmarks, study.follow_ups, study.splits, study.frame_features)
    trees = attribute_clock_trees(*followed, samples, model, SETTINGS, MITOSIS)
    table = gather_attributions(*methods, trees, samples, SETTINGS)
    scores, curves, agreement, randomised = score_clock_attributions(
        study.crops, samples, table, model, SETTINGS, MITOSIS
    )
    by_key = scores.set_index(["method", "score"])
    assert not by_key.loc[(SHAPLEY, "deletion_gain"), "n_failed"]
    assert scores.loc[scores["value"].isna(), "reason"].notna().all()
    for score in ("label_permuted", "retrained"):
        row = by_key.loc[(SHAPLEY, score)]
        assert (row["reason"], row["n_cells"], row["n_failed"]) == ("no such model was trained", 0, 2)
    attention = by_key.loc[[(ATTENTION, "deletion_gain"), (ROLLOUT, "deletion_gain")]]
    if model.config.architecture.n_layers:
        assert attention["value"].notna().all()
    else:
        assert set(attention["reason"]) == {"the model has no attention"}
        assert set(attention["n_failed"]) == {SETTINGS.max_shapley_samples}
    assert not curves.empty
    assert not agreement.empty
    assert randomised["layer"].iloc[-1] == "frame encoder"


def test_where_no_test_cell_can_be_explained_every_table_is_empty_and_the_scores_say_so(explained):
    study, model = explained.study, explained.model
    followed = (study.crops, study.landmarks, study.follow_ups, study.splits)
    untested = study.splits[study.splits["part"] != "test"]
    samples = choose_explained_landmarks(*followed[:3], untested, model, SETTINGS, MITOSIS)
    assert Samples.validate(samples).empty
    methods = attribute_clock(study.crops, samples, model, SETTINGS, MITOSIS)
    trees = attribute_clock_trees(*followed, study.frame_features, samples, model, SETTINGS, MITOSIS)
    table = gather_attributions(*methods, trees, samples, SETTINGS)
    scores, *others = score_clock_attributions(study.crops, samples, table, model, SETTINGS, MITOSIS)
    assert all(table.empty for table in (*methods, trees, table, *others))
    assert set(scores["reason"]) == {"no cell was explained"}


def test_a_fold_without_explained_landmarks_gets_no_trees(explained):
    study, model = explained.study, explained.model
    followed = (study.crops, study.landmarks, study.follow_ups, study.splits, study.frame_features)
    one_fold = explained.samples[explained.samples["fold"] == 1].assign(shapley=True).head(2)
    trees = attribute_clock_trees(*followed, one_fold, model, SETTINGS, MITOSIS)
    assert set(trees["sample_id"]) == set(one_fold["sample_id"])


def test_a_clock_alone_is_asked_for_its_first_event_by_the_headline_horizon(trained):
    _, model = trained
    view = view_model(model)
    assert isinstance(view, ExplainedModel)
    assert (view.explained, view.channels) == ("apoptosis within 2 h", ("circadian", "p53", "mask"))
    assert view_model(view, "mitosis") is view


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"event": "none"}, r"clock_explanation\.event is 'none'.*apoptosis, mitosis"),
        ({"horizon_h": 2.5}, r"horizon_h is 2\.5 h, but the clock's bins end at 2, 3 h"),
    ],
)
def test_a_question_the_clock_has_no_answer_to_is_named(trained, settings, words):
    _, model = trained
    with pytest.raises(InputError, match=words):
        ClockView(model, ClockExplanationSettings(**settings))


def test_a_channel_may_itself_be_called_mask(trained):
    _, model = trained
    named = replace(model, config=model.config.model_copy(update={"channels": ("mask", "p53")}))
    assert view_model(named).channels == ("mask", "p53", "mask of the cell")


class GappedStore:
    """Stands in for a crop store: cells are tracked in the frames given."""

    def __init__(self, **frames):
        self.frames = {int(cell.removeprefix("cell")): np.array(numbers) for cell, numbers in frames.items()}

    def frame_numbers(self, recording_id, cell_id):
        return self.frames[cell_id]


def landmarks_of(*rows):
    """Landmarks of recording r by (cell, frame, fate, hours to the end, hours that could be watched)."""
    table = pd.DataFrame(rows, columns=["cell_id", "last_frame", "fate", "time_h", "watchable_h"])
    return table.assign(
        sample_id=[f"r:{row.cell_id}:{row.last_frame}" for row in table.itertuples()], recording_id="r",
        group_id="r", dose="Low", first_frame=2, age_frames=table["last_frame"] - 2, frame_interval_min=30.0,
    )  # fmt: skip


def test_a_landmark_becomes_the_frames_that_are_seen_and_what_followed(trained):
    _, model = trained  # reach: 4 tracked frames, horizon: 2 h
    landmarks = landmarks_of(
        (1, 3, "mitosis", 3.0, 9.0), (1, 8, "mitosis", 2.0, 6.5), (2, 9, "censored", 1.5, 6.0),
        (2, 8, "censored", 2.0, 6.5), (2, 7, "apoptosis", 1.0, 1.5),
    )  # fmt: skip
    store = GappedStore(cell1=[2, 3, 4, 6, 8, 9], cell2=[2, 3, 4, 5, 6, 7, 8, 9])
    samples = Samples.validate(sample_landmarks(store, landmarks, view_model(model)))
    assert samples["first_frame"].tolist() == [2, 3, 6, 5, 4]
    assert samples["n_frames"].tolist() == [2, 4, 4, 4, 4]
    assert samples["outcome"].fillna("?").tolist() == ["none", "mitosis", "?", "none", "?"]
    assert samples["event_frame"].tolist() == [9, 12, pd.NA, pd.NA, 9]


def test_one_landmark_a_cell_half_the_horizon_before_an_event_else_by_chance(trained):
    _, model = trained
    rows = [(1, f, "mitosis", (20 - f) / 2, 9.0) for f in range(12, 19)]
    rows += [(2, f, "censored", (20 - f) / 2, 9.0) for f in range(4, 19)]
    store = GappedStore(cell1=range(2, 20), cell2=range(2, 20))
    samples = sample_landmarks(store, landmarks_of(*rows), view_model(model))
    chosen = [choose_landmarks(samples, 2.0, SETTINGS.model_copy(update={"seed": s})) for s in range(8)]
    assert all(part["cell_id"].tolist() == [1, 2] for part in chosen)
    assert {part["last_frame"].iloc[0] for part in chosen} == {18}  # 1 h before
    assert len({part["last_frame"].iloc[1] for part in chosen}) > 3
    assert max(part["last_frame"].iloc[1] for part in chosen) <= 16  # 2 h were watched after it
    again = choose_landmarks(samples, 2.0, SETTINGS)
    pd.testing.assert_frame_equal(again, chosen[0])


def test_landmarks_play_the_part_of_their_cell(trained):
    study, model = trained
    samples = sample_landmarks(study.crops, study.landmarks, view_model(model))
    splits = split_landmarks(samples, study.follow_ups, study.splits)
    assert len(splits) == len(samples) * 2  # two folds
    one = splits.iloc[0]
    cell = one["sample_id"].rsplit(":", 1)[0]
    own = study.splits[(study.splits["sample_id"] == cell) & (study.splits["fold"] == one["fold"])]
    assert own["part"].tolist() == [one["part"]]
