"""One way to fit any member: killed and resumed it is the same, and it keeps the weights that were validated."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from cellfate.core.errors import InputError
from cellfate.core.tables import TrainingHistory
from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import FateClock, log_incidence_of
from cellfate.training import history_table, pretraining
from cellfate.training.checkpoints import run_folder
from cellfate.training.classifier_module import ClassifierModule, cell_losses, forward_batch
from cellfate.training.clock_module import ClockModule, frame_losses
from cellfate.training.epoch_checkpoints import EpochCheckpoints
from cellfate.training.member_module import MemberModule
from cellfate.training.randomness import torch_seed
from tests.cases.trainings import TINY_CLOCK, TINY_MODEL, tiny_clock_training, tiny_training, trainable_study

LEARNING = {"encoder_rate": 0.5, "feature_weight": 0.1}
PRETRAINED = {"pretraining_epochs": 2, "pretraining_frames": 20, "encoder_rate": 0.0}


def tiny_pretraining(folder, **changes):
    return tiny_training(folder, **(PRETRAINED | changes))


TRAININGS = {
    "classifier": tiny_training,
    "pretrained classifier": tiny_pretraining,
    "classifier with a second loss": lambda folder, **changes: tiny_pretraining(folder, **(LEARNING | changes)),
    "clock": tiny_clock_training,
    "clock whose encoder learns": lambda folder, **changes: tiny_clock_training(folder, **(LEARNING | changes)),
}
N_BINS, N_EVENTS, N_CHANNELS = 4, 2, 3  # two channels and the mask


class KilledError(Exception):
    """Stands for a process that ends."""


def die(*arguments, **named):
    raise KilledError


def kill_at(monkeypatch, fold, epoch):
    """Make the second batch of an epoch of a fold end the process."""
    step = MemberModule.training_step

    def dies(self, batch, batch_idx):
        if (self.data.fold, self.epoch, batch_idx) == (fold, epoch, 1):
            raise KilledError
        return step(self, batch, batch_idx)

    monkeypatch.setattr(MemberModule, "training_step", dies)


def kill_between_checkpoints(monkeypatch, epoch):
    """End the process after the first checkpoint of an epoch was written, before the second."""
    write, saved = EpochCheckpoints.on_train_epoch_end, []

    def dies(self, trainer, module):
        save = trainer.save_checkpoint
        trainer.save_checkpoint = lambda path: die() if saved.count(epoch) else save(path) or saved.append(module.epoch)
        write(self, trainer, module)

    monkeypatch.setattr(EpochCheckpoints, "on_train_epoch_end", dies)


def assert_same(members, others):
    for member, other in zip(members, others, strict=True):
        assert member.epochs == other.epochs
        assert member.best_epoch == other.best_epoch
        assert member.weights.keys() == other.weights.keys()
        for name, value in member.weights.items():
            np.testing.assert_array_equal(value, other.weights[name], err_msg=name)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return trainable_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def straight(study, tmp_path_factory):
    return {name: study.fit(make(tmp_path_factory.mktemp("straight"))) for name, make in TRAININGS.items()}


@pytest.mark.parametrize(
    ("name", "fold", "epoch"),
    [
        ("classifier", 0, 0),
        ("classifier", 0, 2),
        ("classifier", 1, 1),
        ("pretrained classifier", 0, 1),
        ("clock", 0, 0),
        ("clock", 1, 1),
        ("clock whose encoder learns", 0, 1),
    ],
)
def test_killed_at_any_moment_and_resumed_is_the_same(study, straight, tmp_path, monkeypatch, name, fold, epoch):
    training = TRAININGS[name](tmp_path)
    with monkeypatch.context() as patch:
        kill_at(patch, fold, epoch)
        with pytest.raises(KilledError):
            study.fit(training)
    torch.manual_seed(99)  # another process starts from another state
    assert_same(study.fit(training), straight[name])


def test_killed_between_two_checkpoints_is_the_same(study, straight, tmp_path, monkeypatch):
    training = tiny_training(tmp_path)
    with monkeypatch.context() as patch:
        kill_between_checkpoints(patch, epoch=1 + straight["classifier"][0].best_epoch)
        with pytest.raises(KilledError):
            study.fit(training)
    assert_same(study.fit(training), straight["classifier"])


def test_killed_between_the_last_epoch_and_the_end_is_the_same(study, straight, tmp_path, monkeypatch):
    training = tiny_training(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("cellfate.training.fitting.read_weights", die)
        with pytest.raises(KilledError):
            study.fit(training)
    assert_same(study.fit(training), straight["classifier"])


def test_a_damaged_checkpoint_is_named(study, tmp_path, monkeypatch):
    training = tiny_training(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("cellfate.training.fitting.read_weights", die)
        with pytest.raises(KilledError):
            study.fit(training)
    path = next((tmp_path / "checkpoints").rglob("last.ckpt"))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"last\.ckpt is damaged"):
        study.fit(training)


def flip_a_bit(path):
    """In the middle, where the tensors are."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_flipped_bit_in_the_best_weights_is_named(study, tmp_path, monkeypatch):
    training = tiny_training(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("cellfate.training.fitting.read_weights", die)
        with pytest.raises(KilledError):
            study.fit(training)
    flip_a_bit(next((tmp_path / "checkpoints").rglob("best.ckpt")))
    with pytest.raises(InputError, match=r"best\.ckpt is damaged"):
        study.fit(training)


@pytest.mark.parametrize("name", ["weights.safetensors", "member.json"])
def test_a_finished_member_that_is_damaged_is_fitted_again(study, straight, tmp_path, monkeypatch, caplog, name):
    training = tiny_training(tmp_path)
    with monkeypatch.context() as patch:
        kill_at(patch, 1, 0)
        with pytest.raises(KilledError):
            study.fit(training)
    flip_a_bit(next((tmp_path / "checkpoints").rglob(name)))
    assert_same(study.fit(training), straight["classifier"])
    assert "is damaged; it is fitted again" in caplog.text


@pytest.mark.parametrize("make", [tiny_clock_training, tiny_pretraining])
def test_a_training_that_goes_on_does_not_pretrain_again(study, tmp_path, monkeypatch, make):
    training = make(tmp_path)
    passes = []
    pretrain = pretraining.pretrain_encoder
    monkeypatch.setattr(pretraining, "pretrain_encoder", lambda *a: passes.append(a[1].fold) or pretrain(*a))
    with monkeypatch.context() as patch:
        kill_at(patch, 0, 1)
        with pytest.raises(KilledError):
            study.fit(training)
    study.fit(training)
    assert passes == [0, 1]


def test_a_finished_training_starts_anew_and_other_settings_never_resume(study, tmp_path, monkeypatch):
    training = tiny_training(tmp_path, max_epochs=1)
    study.fit(training)
    assert not list((tmp_path / "checkpoints").iterdir())
    steps = []
    step = MemberModule.training_step
    monkeypatch.setattr(MemberModule, "training_step", lambda *a: steps.append(1) or step(*a))
    study.fit(training)
    assert steps
    others = (training, tiny_training(tmp_path, max_epochs=2), tiny_training(tmp_path, max_epochs=1, seed=1))
    folders = {run_folder("data", other, TINY_MODEL) for other in others} | {run_folder("others", training, TINY_MODEL)}
    assert len(folders) == 4
    assert run_folder("data", tiny_training(tmp_path, max_epochs=1, threads=2), TINY_MODEL) in folders


@pytest.mark.parametrize("make", [tiny_training, tiny_clock_training])
def test_global_randomness_is_left_alone(study, tmp_path, make):
    torch.manual_seed(1)
    np_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    study.fit(make(tmp_path, max_epochs=1))
    np.testing.assert_array_equal(np.random.get_state()[1], np_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize("name", ["classifier", "clock"])
def test_another_seed_gives_other_weights(study, straight, tmp_path, name):
    other = study.fit(TRAININGS[name](tmp_path, seed=1))[0]
    assert any(not np.array_equal(value, other.weights[k]) for k, value in straight[name][0].weights.items())


@pytest.mark.parametrize("name", ["classifier", "clock"])
def test_nothing_of_the_test_part_is_looked_at(study, straight, tmp_path, name):
    """A fold whose test cells have other fates and times is fitted to the same weights."""
    tested = study.splits.query("fold == 0 and part == 'test'")[["recording_id", "cell_id"]]
    changed = {}
    for table in ("follow_ups", "landmarks"):
        rows = getattr(study, table)
        of_test = rows.merge(tested, how="left", indicator=True)["_merge"].to_numpy() == "both"
        other_fate = rows["fate"].map({"apoptosis": "mitosis", "mitosis": "apoptosis", "censored": "censored"})
        changed[table] = rows.assign(fate=rows["fate"].mask(of_test, other_fate))
    ends = changed["follow_ups"]["end_frame"]
    changed["follow_ups"]["end_frame"] = ends.mask(changed["follow_ups"]["fate"] != study.follow_ups["fate"], ends + 9)
    first = study.splits[study.splits["fold"] == 0]
    assert_same(replace(study, **changed, splits=first).fit(TRAININGS[name](tmp_path)), straight[name][:1])


def validate(module):
    """Score the validation part by the weights as they are."""
    module.eval()
    with torch.inference_mode():
        judged = [module.judge(batch) for batch in module.val_dataloader()]
    return module.score(*(torch.cat(parts) for parts in zip(*judged, strict=True)))


def load(network, member):
    missing = network.load_state_dict({k: torch.from_numpy(v) for k, v in member.weights.items()}, strict=False)
    assert not missing.unexpected_keys
    assert all(name.startswith("features.") for name in missing.missing_keys)
    return network


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_the_weights_kept_are_those_validated(study, tmp_path, decay):
    training = tiny_training(tmp_path, average_decay=decay)
    for member, data in zip(study.fit(training), study.open_folds(training), strict=True):
        module = ClassifierModule(load(FateClassifier(TINY_MODEL, 2, 2), member), data)
        assert validate(module) == pytest.approx(member.validation, abs=1e-6)
        assert member.validation["log_loss"] == member.epochs[member.best_epoch]["validation_log_loss"]


def test_the_weights_kept_of_the_clock_are_those_validated(study, straight, tmp_path):
    training = tiny_clock_training(tmp_path, **LEARNING)
    data = study.open_folds(training)
    for member, of_fold in zip(straight["clock whose encoder learns"], data, strict=True):
        network = load(FateClock(TINY_CLOCK, N_CHANNELS, N_BINS, N_EVENTS, of_fold.train.n_features), member)
        assert validate(ClockModule(network, of_fold)) == pytest.approx(member.validation, abs=1e-6)


def test_a_member_of_the_clock_holds_no_weights_of_the_auxiliary_task(straight):
    for name in ("clock", "clock whose encoder learns"):
        for member in straight[name]:
            assert {weight.split(".")[0] for weight in member.weights} == {"encoder", "layers", "scale", "head"}


def test_a_pretrained_classifier_keeps_its_encoder_and_no_weights_of_the_auxiliary_task(study, straight, tmp_path):
    parts = {weight.split(".")[0] for weight in straight["classifier"][0].weights}
    (data, *_) = study.open_folds(tiny_pretraining(tmp_path))
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed(0, "weights", 0))
        network = FateClassifier(TINY_MODEL, 2, 2, data.n_features)
        pretraining.pretrain_encoder(network, data, tmp_path)
    weights = straight["pretrained classifier"][0].weights
    assert {weight.split(".")[0] for weight in weights} == parts
    for name, value in network.encoder.state_dict().items():
        np.testing.assert_array_equal(weights[f"encoder.{name}"], value.numpy(), err_msg=name)


def test_measurements_that_a_training_does_not_look_at_do_not_part_its_checkpoints(study, tmp_path, monkeypatch):
    """Those that it looks at do: a training goes on only with the same features."""
    seen = []
    monkeypatch.setattr("cellfate.training.classifier_fitting.fit_members", lambda _folds, _build, to: seen.append(to))
    noisy = replace(study, frame_features=study.frame_features.assign(area=1.0))
    for make in (tiny_training, tiny_pretraining):
        study.fit(make(tmp_path))
        noisy.fit(make(tmp_path))
    assert seen[0] == seen[1]
    assert seen[2] != seen[3]


def test_the_history_marks_the_epoch_kept(straight):
    for members in straight.values():
        history = history_table(members)
        assert history[["fold", "epoch"]].to_numpy().tolist() == [[k, e] for k in (0, 1) for e in range(3)]
        kept = history[history["kept"]].set_index("fold")["validation_log_loss"]
        assert (kept == history.groupby("fold")["validation_log_loss"].min()).all()


def test_the_history_has_the_rate_of_every_epoch_and_its_speed(study, tmp_path):
    training = tiny_clock_training(tmp_path, schedule="cosine", warmup_epochs=1, encoder_rate=0.5)
    history = history_table(study.fit(training))
    rates = history[history["fold"] == 0]["learning_rate"].to_numpy()
    assert rates[0] == training.learning_rate > rates[1] > rates[2] > 0
    assert (history["frames_per_s"] > 0).all()


def test_a_terminal_shows_a_bar_with_the_speed(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    study.fit(tiny_training(tmp_path, max_epochs=1))
    assert "frames_per_s" in capsys.readouterr().out


def test_without_members_there_is_no_history():
    history = TrainingHistory.validate(history_table([]))
    assert history.empty


def test_a_bright_signal_is_learnt(tmp_path):
    study = trainable_study(tmp_path, scheme="grouped_holdout", n_recordings=12, signal=2000)
    training = tiny_training(tmp_path, max_epochs=8, learning_rate=1e-2, max_frames_per_batch=40)
    (member,) = study.fit(training)
    assert member.validation["auroc"] > 0.95


def test_a_bright_signal_is_learnt_by_the_clock(tmp_path):
    """Deaths are told from divisions by one bright channel, and hazards are better than the shares in training."""
    study = trainable_study(tmp_path, scheme="grouped_holdout", n_recordings=12, signal=2000)
    changes = {"max_epochs": 10, "learning_rate": 1e-2, "pretraining_epochs": 4, "pretraining_rate": 5e-3}
    training = tiny_clock_training(tmp_path, **changes)
    (member,), (data,) = study.fit(training), study.open_folds(training)
    assert member.validation["log_loss"] < loss_of_shares(data)
    network = load(FateClock(TINY_CLOCK, N_CHANNELS, N_BINS, N_EVENTS, data.train.n_features), member).eval()
    arrays = data.validation.batch(np.arange(len(data.validation)))
    frames, *rest = (
        torch.from_numpy(np.ascontiguousarray(arrays[name]))
        for name in ("frames_nchw", "positions_n", "lengths_b", "ages_na")
    )
    with torch.inference_mode():
        died, divided, _ = log_incidence_of(network(frames, *rest))[np.cumsum(arrays["lengths_b"]) - 1, -1].T
    fates = data.validation.cells["fate"].to_numpy()
    assert (died - divided)[fates == "apoptosis"].min() > (died - divided)[fates == "mitosis"].max()


def loss_of_shares(data):
    """Validation loss of the hazards events / at risk of the training frames, the same for all."""
    labels = np.concatenate(data.train.known["labels_nk"])
    counts = np.stack([(labels == k).sum(axis=0) for k in range(3)], axis=-1)
    shares = torch.from_numpy(np.log(counts / counts.sum(axis=1, keepdims=True)))
    of_validation = torch.from_numpy(np.concatenate(data.validation.known["labels_nk"]))
    logits = (shares[:, 1:] - shares[:, :1]).expand(len(of_validation), -1, -1)
    return float(frame_losses(logits, of_validation).mean())


@pytest.mark.parametrize(("balance", "weighted"), [("loss_weights", True), ("sampling", False)])
def test_fates_weigh_the_same_in_the_loss_where_they_are_not_drawn_alike(study, tmp_path, balance, weighted):
    training = tiny_training(tmp_path, balance=balance)
    module = ClassifierModule(FateClassifier(TINY_MODEL, 2, 2).eval(), study.open_folds(training)[0])
    batch = next(iter(module.train_dataloader()))
    batch["weights_b"] = torch.arange(len(batch["targets_b"]), dtype=torch.float64)
    losses = cell_losses(forward_batch(module.network, batch), batch["targets_b"])
    expected = (losses * batch["weights_b"]).mean() if weighted else losses.mean()
    assert float(module.batch_loss(batch)[0].mean.detach()) == pytest.approx(float(expected.detach()))


def test_losses_by_hand():
    two = cell_losses(torch.tensor([[2.0], [2.0]]), torch.tensor([0, 1]))
    torch.testing.assert_close(two, torch.tensor([np.log1p(np.exp(-2)), np.log1p(np.exp(2))], dtype=torch.float32))
    three = cell_losses(torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([2]))
    torch.testing.assert_close(three, torch.tensor([np.log(3)], dtype=torch.float32))
