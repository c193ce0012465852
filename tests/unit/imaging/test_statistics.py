"""Noise against level and likeness in time, where the answer is known: worked by hand, or drawn from known laws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from cellfate.core.errors import InputError
from cellfate.imaging.statistics import (
    NoiseLine,
    autocorrelate,
    correlate_frames,
    fit_noise,
    trace_noise,
)


def camera_frames(
    gain: float, read_noise: float, offset: float, photons: tuple[float, float] = (50.0, 2000.0)
) -> np.ndarray:
    """Frames of even light that slopes from dark to bright: counts = gain * Poisson + offset + normal noise."""
    rng = np.random.default_rng(7)
    light = np.broadcast_to(np.linspace(*photons, 400), (4, 300, 400))
    return gain * rng.poisson(light) + offset + rng.normal(0, read_noise, light.shape)


@pytest.mark.parametrize(("gain", "read_noise", "offset"), [(1.0, 2.0, 100.0), (0.5, 5.0, 32768.0), (3.0, 0.0, 0.0)])
def test_the_noise_of_photons_and_camera_is_found(gain: float, read_noise: float, offset: float) -> None:
    curve = trace_noise(camera_frames(gain, read_noise, offset))
    expected = gain * (curve["level"] - offset) + read_noise**2
    # standard error of a median of squares: 2.33 / sqrt(n); responses of neighbours correlate: n counts as n / 3.8
    near = np.abs(curve["variance"] / expected - 1) < 3.5 * 2.33 * np.sqrt(3.8 / curve["n_pixels"])
    assert near[2:-1].all()  # bins at the ends hold patches that chance has brought there
    assert curve["n_pixels"].sum() > 0.99 * 4 * 298 * 398
    line = fit_noise(curve)
    assert line.gain == pytest.approx(gain, rel=0.03)
    at_middle = line.gain * (offset + gain * 1000) + line.constant
    assert at_middle == pytest.approx(gain**2 * 1000 + read_noise**2, rel=0.03)


def test_flat_and_sloping_frames_have_no_noise_and_a_checkerboard_all_of_it() -> None:
    y, x = np.mgrid[:20, :30]
    assert trace_noise((2.0 * y + 3 * x + 5)[None], fewest_pixels=1)["variance"].max() == pytest.approx(0, abs=1e-20)
    board = trace_noise(np.where((y + x) % 2 == 0, 1.0, -1.0)[None], n_levels=1)
    # the operator's weights add up to 16 in absolute value, so that every squared response is 256
    assert board["variance"].tolist() == pytest.approx([256 / 36 / 0.4549364], rel=1e-6)


def test_edges_of_cells_do_not_count_as_noise() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:300, :300]
    discs = 400.0 * ((y % 60 - 30) ** 2 + (x % 60 - 30) ** 2 < 15**2)
    curve = trace_noise(rng.normal(0, 3, (2, 300, 300)) + discs + 100)
    both_ends = curve[curve["n_pixels"] > 5000]
    assert both_ends["level"].iloc[[0, -1]].tolist() == pytest.approx([100, 500], abs=15)
    np.testing.assert_allclose(both_ends["variance"].iloc[[0, -1]], 9, rtol=0.1)


def test_a_line_goes_through_exact_points_and_nearer_to_sure_ones() -> None:
    curve = pd.DataFrame({"level": [100.0, 200.0, 400.0], "variance": [9.0, 59.0, 159.0], "n_pixels": [9, 900, 30]})
    line = fit_noise(curve)
    assert (line.gain, line.constant) == pytest.approx((0.5, -41.0))
    # standard errors 1, 1 and 3 / 6: at level 1 the mean is (1 * 1 + 4 * 3) / 5 = 2.6
    uneven = pd.DataFrame({"level": [0.0, 1.0, 1.0], "variance": [1.0, 1.0, 3.0], "n_pixels": [1, 1, 36]})
    assert (fit_noise(uneven).gain, fit_noise(uneven).constant) == pytest.approx((1.6, 1.0))
    alone = fit_noise(curve.head(1))
    assert isinstance(alone, NoiseLine)
    assert np.isnan([alone.gain, alone.constant]).all()


def test_autocorrelation_is_as_worked_by_hand() -> None:
    # mean 2.5, squares 5; lag 1: 1.5*.5 - .5*.5 + .5*1.5 = 1.25; lag 2: -.75 - .75; lag 3: -2.25
    result = autocorrelate(np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 5.0, 5.0, 5.0]]), 4)
    np.testing.assert_allclose(result[0], [1, 0.25, -0.3, -0.45, np.nan])
    assert np.isnan(result[1]).all()


def test_pairs_with_a_gap_are_left_out() -> None:
    # known: 0, 3, 0, 1; mean 1; squares 1 + 4 + 1 + 0; lag 1: the pair (0, 3): -2, and (0, 1): 0
    result = autocorrelate(np.array([[0.0, 3.0, np.nan, 0.0, 1.0], [np.nan] * 5]), 2)
    np.testing.assert_allclose(result[0], [1, -2 / 6, (2 * -1) / 6])
    assert np.isnan(result[1]).all()


@pytest.mark.parametrize("phi", [0.5, 0.9])
def test_an_autoregressive_series_has_its_powers(phi: float) -> None:
    rng = np.random.default_rng(1)
    series = np.zeros((30, 5000))
    for t in range(1, 5000):
        series[:, t] = phi * series[:, t - 1] + rng.normal(size=30)
    mean = autocorrelate(series, 10).mean(axis=0)
    # standard error of a lag (Bartlett): under sqrt((1 + phi^2) / (1 - phi^2) / 150,000) = .008 at phi .9
    np.testing.assert_allclose(mean, phi ** np.arange(11), atol=0.025)


@given(
    st_numpy.arrays(np.float64, (3, 12), elements=st.floats(-1e3, 1e3).map(lambda value: round(value, 3))),
    st.floats(0.5, 20),
    st.floats(-100, 100),
)
def test_autocorrelation_lies_within_one_and_knows_no_unit(series: np.ndarray, scale: float, shift: float) -> None:
    result = autocorrelate(series, 5)
    moved = series.std(axis=1) > 1e-3
    assert (np.abs(result[moved]) <= 1 + 1e-9).all()
    np.testing.assert_allclose(autocorrelate(series * scale + shift, 5)[moved], result[moved], atol=1e-6)


def test_frames_that_stay_correlate_and_frames_anew_do_not() -> None:
    rng = np.random.default_rng(2)
    picture = rng.normal(size=(1, 120, 130))
    light = np.linspace(0, 500, 130)  # uneven light is no likeness
    still = np.repeat(picture, 4, axis=0) + light
    np.testing.assert_allclose(correlate_frames(still, 4, 2), [1, 1, 1, 1, np.nan])
    anew = rng.normal(size=(4, 120, 130)) + light
    assert np.abs(correlate_frames(anew, 3, 2)[1:]).max() < 0.06  # 3,900 squares: standard error .016
    half = picture + rng.normal(size=(4, 120, 130))  # signal and noise of one variance
    np.testing.assert_allclose(correlate_frames(half, 3, 1)[1:], 0.5, atol=0.03)
    assert np.isnan(correlate_frames(np.ones((3, 20, 20)), 1, 2)).all()


def test_what_is_no_stack_of_frames_is_refused() -> None:
    for wrong in (np.zeros((20, 20)), np.zeros((0, 20, 20)), np.zeros((2, 20, 2))):
        with pytest.raises(InputError, match=r"\(T, Y, X\)"):
            trace_noise(wrong)
        with pytest.raises(InputError, match=r"4 x 4 px"):
            correlate_frames(wrong, 1, 4)


@pytest.mark.real
def test_noise_of_a_real_recording_grows_with_its_level(real_data: Path) -> None:
    import tifffile

    paths = sorted((real_data / "celltk2_example").rglob("img_channel000_*.tif"))
    curve = trace_noise(np.stack([tifffile.imread(path) for path in paths]))
    well_known = curve[curve["n_pixels"] > 3000]  # not the dark border of this camera, nor the few brightest nuclei
    assert len(well_known) > 5
    assert well_known["variance"].is_monotonic_increasing
    assert fit_noise(well_known).gain > 0
