"""The masked median against NumPy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellfate.statistics.medians import masked_median


@given(
    arrays(np.uint16, st.tuples(st.integers(1, 4), st.integers(1, 7)), elements=st.integers(0, 65535)),
    st.integers(0, 2**32 - 1),
)
def test_agrees_with_numpy_on_the_valid_values(values: np.ndarray, seed: int) -> None:
    valid = np.random.default_rng(seed).random(values.shape) < 0.6
    for found, row, chosen in zip(masked_median(values, valid), values, valid, strict=True):
        assert np.isnan(found) if not chosen.any() else found == np.median(row[chosen])
