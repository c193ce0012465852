"""Attention rolled out through the layers of the classifier, by hand."""

import numpy as np
import torch

from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.settings import ModelSettings
from cellfate.models.temporal import attention_of_layer
from tests.unit.attribution.tiny import SIZES


def network_of(n_layers: int) -> FateClassifier:
    return FateClassifier(ModelSettings(**SIZES).model_copy(update={"n_layers": n_layers}), 2, 2).eval()


def test_without_layers_it_is_the_pooling_attention() -> None:
    network = network_of(0)
    sequence = torch.randn(5, network.size), torch.arange(5)
    with torch.inference_mode():
        expected = network.pooling_attention(*sequence, torch.tensor([5]))
        torch.testing.assert_close(network.roll_out(*sequence), expected)


def test_one_layer_by_hand() -> None:
    network = network_of(1)
    sequence = torch.randn(3, network.size), torch.arange(3)
    with torch.inference_mode():
        layer = attention_of_layer(network.layers[0], network._tokens(*sequence, [3])).numpy()
        pooling = network.pooling_attention(*sequence, torch.tensor([3])).numpy()
        found = network.roll_out(*sequence).numpy()
    np.testing.assert_allclose(found, pooling @ ((np.eye(4) + layer) / 2), atol=1e-6)
