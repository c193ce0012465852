"""How a network is computed in training: mixed precision outside Lightning, stages computed again, compiled kernels."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from cellfate.core.errors import InputError
from cellfate.models.frame_encoders import FrameNetwork
from cellfate.models.recomputing import recompute_stages
from cellfate.training.settings import FittingSettings


def set_up_kernels(network: FrameNetwork, settings: FittingSettings) -> None:
    """Let a network compute as the settings say; its weights and their names stay.

    Parameters
    ----------
    network
        Changed in place.
    settings
        `checkpoint_activations` and `compile`.

    Raises
    ------
    InputError
        If the encoder is to be compiled where torch cannot.
    """
    if settings.checkpoint_activations:
        recompute_stages(network)
    if settings.compile:
        _check_compiler()
        network.encoder.compile(dynamic=True)  # batches differ in their number of frames


def mixed_precision(settings: FittingSettings, device: torch.device) -> AbstractContextManager[Any]:
    """Compute meanwhile as Lightning does with `bf16-mixed`; otherwise in float32.

    float16 would need its gradients scaled.
    """
    return torch.autocast(device.type, torch.bfloat16) if settings.precision == "bf16-mixed" else nullcontext()


def _check_compiler() -> None:
    """Compile next to nothing, so that a missing compiler is told of before the data are read."""
    try:
        torch.compile(lambda values: values + 1)(torch.zeros(2))
    except Exception as error:  # torch has no error of its own for all that may be missing
        said = str(error).strip().splitlines()[0]
        raise InputError(
            f"compile is true, but torch could not compile on this machine ({type(error).__name__}: {said}); install a "
            "C++ compiler (g++ or clang), or set compile to false."
        ) from error
