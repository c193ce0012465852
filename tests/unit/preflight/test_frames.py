"""Saturation, emptiness and focus of frames, on images small enough to work out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from cellfate.core import tables
from cellfate.preflight import PreflightSettings
from cellfate.preflight.frames import choose_frames, gather_quality, measure_focus, measure_frame
from cellfate.preflight.images import check_quality


def blobs(seed: int = 0, blur_px: float = 2.0) -> np.ndarray:
    """Image of bright spots, as nuclei on a dark ground."""
    rng = np.random.default_rng(seed)
    spots = np.zeros((96, 96))
    spots[rng.integers(8, 88, 25), rng.integers(8, 88, 25)] = 20000.0
    return gaussian_filter(spots, blur_px)


def quality_of(frames: dict[int, np.ndarray]) -> pd.DataFrame:
    measured = [measure_frame(plane[None], ("p53",)).assign(recording_id="a", frame=n) for n, plane in frames.items()]
    return tables.FrameQuality.validate(gather_quality(pd.concat(measured, ignore_index=True)))


def found_in(quality: pd.DataFrame, **settings: object) -> pd.DataFrame:
    files = quality.assign(file=quality["recording_id"] + "/" + quality["frame"].astype(str) + ".tif")
    found = pd.concat(check_quality(files, PreflightSettings(**settings)), ignore_index=True)
    return tables.PreflightFindings.validate(found)


def made_quality(focus=(1.0,) * 6, spread=(100.0,) * 6, saturated=(0.0,) * 6, recording="a") -> pd.DataFrame:
    columns = {"focus": focus, "spread": spread, "saturated_share": saturated}
    return pd.DataFrame({"recording_id": recording, "frame": range(len(focus)), "channel": "p53", **columns})


@pytest.mark.parametrize(
    ("n_frames", "image_frames", "chosen"),
    [(9, 3, [0, 4, 8]), (4, None, [0, 1, 2, 3]), (2, 12, [0, 1]), (100, 1, [0]), (1, 5, [0])],
)
def test_frames_are_spread_from_the_first_to_the_last(n_frames, image_frames, chosen):
    assert choose_frames(n_frames, image_frames) == chosen


def test_focus_is_that_of_the_formula():
    image = np.repeat([[0.0] * 50 + [2.0] * 50], 100, axis=0)
    # An edge between -1 and 1. Along a row one of 99 pairs that are one apart is -1, and two of 98 that are two apart;
    # along columns none is. C(1) = (97 + 99) / (2 * 99) = 98 / 99 and C(2) = (94 + 98) / (2 * 98) = 48 / 49.
    assert measure_focus(image) == pytest.approx(1 - (48 / 49) / (98 / 99))


def test_focus_falls_with_blur_and_not_with_light_offset_or_noise():
    sharp, blurred = blobs(), blobs(blur_px=4.0)
    noise = np.random.default_rng(1).normal(0, 20, sharp.shape)
    assert measure_focus(blurred) < 0.5 * measure_focus(sharp)
    assert measure_focus(0.3 * sharp + 32768) == pytest.approx(measure_focus(sharp), rel=1e-6)
    # 20 counts of noise under spots of about 800: the measure moves by less than a tenth
    assert measure_focus(sharp + noise) == pytest.approx(measure_focus(sharp), rel=0.1)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8)),
        np.ones((2, 9)),
        np.indices((8, 8)).sum(0) % 2.0,
        *(np.random.default_rng(seed).normal(100, 9, (40, 40)) for seed in range(20)),
    ],
)
def test_focus_is_undefined_where_neighbours_do_not_go_together(image):
    assert np.isnan(measure_focus(image))


@pytest.mark.parametrize(
    ("dtype", "top", "share"),
    [
        ("uint16", 65535, 0.25),  # the end of the pixel type
        ("uint16", 4095, 0.25),  # the end of a 12-bit camera
        ("uint8", 255, 0.25),
        ("uint16", 33023, 0.25),  # pixels pile up there, whatever the offset
        ("float32", 1.0, 0.25),
        ("int16", 32767, 0.25),
    ],
)
def test_pixels_at_the_ceiling_are_a_share(dtype, top, share):
    image = np.full((16, 16), top / 4).astype(dtype)
    image.ravel()[:64] = top
    image.ravel()[64:68] = top / 2  # 64 - 4 is more than five times the root of 64 + 4
    assert quality_of({0: image})["saturated_share"].tolist() == [share]


def test_a_largest_value_without_a_pile_is_no_saturation():
    image = np.arange(64, dtype=np.uint16).reshape(8, 8) + 100
    assert quality_of({0: image, 1: image // 2})["saturated_share"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("seed", range(20))
def test_even_noise_is_no_saturation(seed):
    image = np.random.default_rng(seed).integers(90, 200, (64, 64), dtype=np.uint16)  # 1 in 110 has the largest value
    assert quality_of({0: image})["saturated_share"].tolist() == [0.0]


def test_a_dim_frame_of_a_saturated_recording_is_not_saturated():
    bright, dim = np.full((8, 8), 4095, dtype=np.uint16), np.full((8, 8), 255, dtype=np.uint16)  # both ends of cameras
    assert quality_of({0: bright, 1: dim})["saturated_share"].tolist() == [1.0, 0.0]


def test_saturation_is_told_above_the_share():
    found = found_in(made_quality(saturated=(0, 0, 0.002, 0.001, 0, 0)))
    assert found[["check", "file", "frame", "channel", "value"]].values.tolist() == [
        ["saturation", "a/2.tif", 2, "p53", 0.002]
    ]
    assert "0.20% of the pixels of channel p53 in frame 2" in found["finding"].iloc[0]


def test_empty_frames_are_told_and_not_called_blurred():
    spread, focus = (100, 100, 9, 100, 11, 100, 100, 0), (1, 1, 0.1, 1, 1, 1, 1, np.nan)
    found = found_in(made_quality(spread=spread, focus=focus, saturated=(0,) * 8))
    assert found[["check", "frame"]].values.tolist() == [["empty_frame", 7], ["empty_frame", 2]]
    assert "spread over 9 counts, where 100 are usual" in found["finding"].iloc[1]


def test_a_recording_of_constant_frames_is_empty():
    quality = quality_of({frame: np.full((8, 8), 7, dtype=np.uint16) for frame in range(3)})
    found = found_in(quality)
    assert found["check"].tolist() == ["empty_frame"] * 3


def test_a_frame_that_is_blurred_beside_those_around_it_is_told():
    found = found_in(made_quality(focus=(1.0, 0.9, 0.3, 0.8, 0.7, 0.6)))  # the median of .3 and the four around is .8
    assert found[["check", "frame", "value"]].values.tolist() == [["focus", 2, pytest.approx(0.3 / 0.8)]]
    assert "its sharpness is 37% of that of the frames around it" in found["finding"].iloc[0]
    assert found_in(made_quality(focus=(1.0, 0.9, 0.41, 0.8, 0.7, 0.6))).empty


def test_focus_that_falls_slowly_is_not_told():
    assert found_in(
        made_quality(focus=tuple(0.9**step for step in range(30)), spread=(1.0,) * 30, saturated=(0,) * 30)
    ).empty


def test_a_recording_less_sharp_than_the_others_is_told():
    others = [made_quality(recording=name) for name in "abc"]
    found = found_in(pd.concat([*others, made_quality(focus=(0.3,) * 6, recording="d")], ignore_index=True))
    assert found[["recording_id", "check"]].values.tolist() == [["d", "focus"]]
    assert found["frame"].isna().all()
    assert "its median focus is 30% of theirs" in found["finding"].iloc[0]


def test_two_recordings_are_too_few_to_call_one_odd():
    assert found_in(pd.concat([made_quality(), made_quality(focus=(0.3,) * 6, recording="d")], ignore_index=True)).empty


def test_pixels_that_are_no_numbers_are_a_share_and_do_not_spoil_the_rest():
    image = blobs().astype(np.float32)
    image[:3] = np.nan
    row = measure_frame(image[None], ("p53",)).iloc[0]
    assert row["not_finite_share"] == pytest.approx(3 / 96)
    assert np.isfinite(row[["spread", "focus", "brightest"]].astype(float)).all()
    nothing = measure_frame(np.full((1, 4, 4), np.inf), ("p53",)).iloc[0]
    assert nothing["not_finite_share"] == 1
    assert nothing["spread"] == 0


@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["uint8", "uint16", "int32", "float32", "float64"]), st.integers(1, 9)
)
def test_any_image_can_be_measured(seed, dtype, side):
    image = np.random.default_rng(seed).integers(0, 200, (2, side, side + 1)).astype(dtype)
    measured = measure_frame(image, ("a", "b"))
    assert measured["brightest"].tolist() == [float(plane.max()) for plane in image]
    assert (measured["spread"] >= 0).all()
