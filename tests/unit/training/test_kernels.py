"""Mixed precision, stages computed again and compiled encoders: whole trainings on the CPU."""

import copy
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch._dynamo.utils import counters

from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import FateClock
from cellfate.training.classifier_module import ClassifierModule
from cellfate.training.clock_module import ClockModule
from cellfate.training.kernels import mixed_precision, set_up_kernels
from cellfate.training.pretraining import arrow_loss, feature_loss
from tests.cases.trainings import TINY_CLOCK, TINY_MODEL, tiny_clock_training, tiny_training, trainable_study

LEARNING = {"encoder_rate": 0.5, "feature_weight": 0.1, "time_arrow_weight": 0.1}
TRAININGS = {
    "classifier": tiny_training,
    "clock": tiny_clock_training,
    "clock whose encoder learns": lambda folder, **changes: tiny_clock_training(folder, **(LEARNING | changes)),
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return trainable_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def convolved(monkeypatch):
    """Precision and mode of every convolution that is computed."""
    forward, found = nn.Conv2d.forward, set()

    def record(self, frames):
        maps = forward(self, frames)
        found.add((self.training, maps.dtype))
        return maps

    monkeypatch.setattr(nn.Conv2d, "forward", record)
    return found


@pytest.mark.parametrize("name", TRAININGS)
def test_a_whole_training_in_bf16_learns_as_one_in_float32(study, tmp_path, convolved, name):
    coarse = study.fit(TRAININGS[name](tmp_path / "coarse", precision="bf16-mixed"))
    assert {dtype for training, dtype in convolved if training} == {torch.bfloat16}
    convolved.clear()
    fine = study.fit(TRAININGS[name](tmp_path / "fine"))
    assert {dtype for _, dtype in convolved} == {torch.float32}
    for of_bf16, of_float32 in zip(coarse, fine, strict=True):
        assert all(value.dtype in (np.float32, np.int64) for value in of_bf16.weights.values())
        assert len(of_bf16.epochs) == len(of_float32.epochs)
        losses = ([epoch["validation_log_loss"] for epoch in member.epochs] for member in (of_bf16, of_float32))
        np.testing.assert_allclose(*losses, rtol=0.1)  # bfloat16 has three digits
        changed = [not np.array_equal(value, of_float32.weights[name]) for name, value in of_bf16.weights.items()]
        assert any(changed)


def test_embeddings_of_an_encoder_that_learns_no_more_are_made_in_float32_as_forecasts_are(study, tmp_path, convolved):
    study.fit(tiny_clock_training(tmp_path, precision="bf16-mixed"))
    assert convolved == {(True, torch.bfloat16), (False, torch.float32)}


def test_what_adds_up_is_float32_under_bf16(study, tmp_path):
    """Embeddings, logits, losses and batch statistics; layers in between are not."""
    classifier = ClassifierModule(FateClassifier(TINY_MODEL, 2, 2), study.open_folds(tiny_training(tmp_path))[0])
    training = tiny_clock_training(tmp_path, **LEARNING)
    data = study.open_folds(training)[0]
    clock = ClockModule(FateClock(TINY_CLOCK, 3, 4, 2, data.n_features), data)
    for module in (classifier.train(), clock.train()):
        seen = []
        first = module.network.encoder.stages
        first[0].register_forward_hook(lambda _, __, maps, seen=seen: seen.append(maps.dtype))
        batch = next(iter(module.train_dataloader()))
        with torch.autocast("cpu", torch.bfloat16):
            losses = {term.mean.dtype for term in module.batch_loss(batch)}
            embeddings = module.network.encode(batch["frames_nchw"])
        assert seen[0] == torch.bfloat16
        assert {embeddings.dtype, *losses} == {torch.float32}
        norm = first[1]
        assert {norm.running_mean.dtype, norm.running_var.dtype} == {torch.float32}
    assert clock.network.scale.running_mean.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        told = clock.network.tell_features(embeddings)
        arrow = arrow_loss(nn.Linear(16, 1, bias=False), embeddings, torch.tensor([[0, 1]]))
        assert {told.dtype, feature_loss(told, torch.zeros_like(told)).dtype, arrow.dtype} == {torch.float32}


def test_running_statistics_under_bf16_are_summed_in_float32():
    """Of 4096 values near 100 a sum in bfloat16 would end near 256 times less."""
    norm = nn.BatchNorm2d(1, momentum=1.0)
    values = (100 + torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))).to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        norm(values)
    torch.testing.assert_close(norm.running_mean[0], values.float().mean(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_that_computes_stages_again_ends_with_the_same_weights(study, tmp_path, name):
    kept, again = (
        study.fit(TRAININGS[name](tmp_path / str(choice), checkpoint_activations=choice)) for choice in (False, True)
    )
    for member, other in zip(kept, again, strict=True):
        assert member.epochs == other.epochs
        for weight, value in member.weights.items():
            np.testing.assert_array_equal(value, other.weights[weight], err_msg=weight)


def test_the_settings_decide_what_is_computed_again(tmp_path):
    for chosen in (False, True):
        network = FateClassifier(TINY_MODEL, 2, 2)
        set_up_kernels(network, tiny_training(tmp_path, checkpoint_activations=chosen))
        assert (network.recomputes, network.encoder.recomputes) == (chosen, chosen)


def test_only_bf16_is_mixed_outside_lightning(tmp_path):
    for precision, dtype in (("32-true", torch.float32), ("16-mixed", torch.float32), ("bf16-mixed", torch.bfloat16)):
        with mixed_precision(tiny_training(tmp_path, precision=precision), torch.device("cpu")):
            assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # of torch, by torch
def test_a_compiled_encoder_is_compiled_once_for_all_sizes_and_gives_the_same_but_for_rounding(tmp_path):
    eager = FateClassifier(TINY_MODEL, 2, 2).train()
    compiled = copy.deepcopy(eager)
    set_up_kernels(compiled, tiny_training(tmp_path, compile=True))
    assert list(compiled.state_dict()) == list(eager.state_dict())
    before = counters["stats"]["unique_graphs"]
    for n_frames in (5, 9, 30):
        frames = torch.randn(n_frames, 2, 8, 8)
        both = [network.encode(frames) for network in (eager, compiled)]
        torch.testing.assert_close(*both)
        for embeddings in both:
            embeddings.square().sum().backward()
    assert counters["stats"]["unique_graphs"] == before + 1
    for expected, found in zip(eager.encoder.parameters(), compiled.encoder.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-3)  # sums of some thousand numbers
    torch.testing.assert_close(dict(compiled.named_buffers()), dict(eager.named_buffers()))


def test_a_whole_training_with_a_compiled_encoder(study, tmp_path, monkeypatch):
    """By the backend that traces but leaves out the C++ compiler, which takes minutes."""
    by_default = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self, **how: by_default(self, backend="aot_eager", **how))
    for make in (tiny_training, tiny_clock_training):
        eager, compiled = (
            study.fit(make(tmp_path / f"{make.__name__}_{choice}", max_epochs=1, compile=choice))
            for choice in (False, True)
        )
        for member, other in zip(eager, compiled, strict=True):
            assert member.weights.keys() == other.weights.keys()
            assert other.epochs[0]["train_loss"] == pytest.approx(member.epochs[0]["train_loss"], rel=1e-3)


NO_COMPILER = """
from cellfate.core.errors import InputError
from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.settings import ModelSettings
from cellfate.training.kernels import set_up_kernels
from cellfate.training.settings import TrainingSettings
try:
    set_up_kernels(FateClassifier(ModelSettings(), 2, 2), TrainingSettings(
        max_epochs=1, compile=True, checkpoint_folder="."))
except InputError as error:
    print(error)
"""


def test_a_missing_compiler_is_said_in_one_sentence(tmp_path):
    missing = {"CXX": str(tmp_path / "no-compiler"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-c", NO_COMPILER]
    ended = subprocess.run(command, env=os.environ | missing, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("compile is true, but torch could not compile on this machine (")
    assert ended.stdout.endswith("install a C++ compiler (g++ or clang), or set compile to false.\n")
    assert ended.stdout.count("\n") == 1


def test_to_compile_and_to_compute_again_are_one_choice(tmp_path):
    with pytest.raises(ValidationError, match="compile and checkpoint_activations are both true"):
        tiny_training(tmp_path, compile=True, checkpoint_activations=True)
