"""Images: what the camera counts, how nuclei look, and that brightness follows the true reporters."""

from dataclasses import replace

import numpy as np
import pytest

from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.simulation import ImageSettings, SimulatedRecording, SimulationSettings, simulate_study
from cellfate.simulation.camera import expose, light_field
from cellfate.simulation.nuclei import bound_parts, draw_look, shape_nucleus
from tests.cases.simulated import tiny_settings

SETTINGS = tiny_settings()


@pytest.fixture(scope="module")
def recordings() -> list[SimulatedRecording]:
    return list(simulate_study(SETTINGS))


def test_an_empty_field_has_the_counts_of_the_camera_alone() -> None:
    image = ImageSettings(background_photons=50, uneven_light=0, bleaching_per_h=0.1, camera_offset=100, camera_noise=3)
    settings = tiny_settings().model_copy(update={"image": image})
    counts = expose(np.zeros((24, 3, 80, 72), dtype=np.float32), settings, np.random.default_rng(0)).astype(float)
    assert counts.shape == (24, 80, 72, 3)
    # 17,280 px a frame: standard error of the mean .06, of the variance .6; rounding adds 1/12
    assert counts[0].mean() == pytest.approx(150, abs=0.3)
    assert counts[0].var() == pytest.approx(50 + 9 + 1 / 12, abs=3)
    assert counts[20].mean() == pytest.approx(100 + 50 * np.exp(-1.0), abs=0.3)


def test_light_falls_off_to_the_darkest_corner() -> None:
    field = light_field(SimulationSettings(), np.random.default_rng(1))
    assert field.max() == pytest.approx(1, abs=0.01)
    assert field.min() == pytest.approx(0.75, abs=1e-6)
    assert field.min() == min(field[0, 0], field[0, -1], field[-1, 0], field[-1, -1])


def test_pixels_are_16_bit_and_never_saturate(recordings: list[SimulatedRecording]) -> None:
    for recording in recordings:
        assert recording.frames_tyxc.dtype == np.uint16
        assert recording.frames_tyxc.shape == (24, 80, 72, 3)
        assert recording.frames_tyxc.min() > 0
        assert recording.frames_tyxc.max() < 65535


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_brightness_follows_the_true_reporter(recordings: list[SimulatedRecording], channel: int) -> None:
    bright, level = [], []
    for recording in recordings:
        for cell in recording.plan.cells:
            resting = cell.life.event_frame - SETTINGS.frames_in(2)
            for i, frame in enumerate(cell.frames[cell.frames <= min(cell.last_frame, resting)]):
                y, x = round(cell.y_px[i]), round(cell.x_px[i])
                if 3 <= y < 76 and 3 <= x < 68 and cell.life.parent_id is None:
                    bright.append(recording.frames_tyxc[frame, y - 3 : y + 4, x - 3 : x + 4, channel].mean())
                    level.append(cell.reporters[i, channel])
    assert len(level) > 150
    assert np.corrcoef(bright, level)[0, 1] > 0.9


def test_before_the_event_a_nucleus_looks_the_same_whatever_its_fate(recordings: list[SimulatedRecording]) -> None:
    for cell in recordings[0].plan.cells:
        look = draw_look(SETTINGS, np.random.default_rng(0))
        by_fate = [
            shape_nucleus(
                replace(cell, life=replace(cell.life, destiny=destiny)), look, SETTINGS, np.random.default_rng(1)
            )
            for destiny in EVENTS
        ]
        guarded = [parts.index + cell.life.first_frame < cell.life.event_frame - 2 for parts in by_fate]
        for name in ("index", "y_px", "x_px", "long_px", "short_px", "angle", "gain"):
            one, other = (getattr(parts, name)[kept] for parts, kept in zip(by_fate, guarded, strict=True))
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_nuclei_condense_at_division_and_shrink_at_death(recordings: list[SimulatedRecording]) -> None:
    seen = set()
    for recording in recordings:
        for cell in recording.plan.cells:
            event = cell.life.event_frame - cell.life.first_frame
            if cell.event_frame is None:
                continue
            parts = shape_nucleus(
                cell, draw_look(SETTINGS, np.random.default_rng(0)), SETTINGS, np.random.default_rng(1)
            )
            area = np.bincount(parts.index, parts.long_px * parts.short_px)
            assert area[event] < 0.6 * area[event - 4]
            assert parts.gain[parts.index == event].max() > 1.5 * parts.gain[parts.index == event - 4].max()
            assert (parts.index == event).sum() == 2 if cell.fate == MITOSIS else (parts.index == event).sum() > 2
            seen.add(cell.fate)
    assert seen == {APOPTOSIS, MITOSIS}


def test_boxes_hold_the_nucleus_and_are_centred_on_it(recordings: list[SimulatedRecording]) -> None:
    cell = recordings[0].plan.cells[0]
    parts = shape_nucleus(cell, draw_look(SETTINGS, np.random.default_rng(0)), SETTINGS, np.random.default_rng(1))
    boxes = bound_parts(parts, cell)
    np.testing.assert_array_equal(boxes[:, 0], cell.y_px)
    np.testing.assert_array_equal(boxes[:, 1], cell.x_px)
    assert (boxes[:, 2:] > 0).all()
    first = parts.index == 0  # one ellipse: as wide as its shadow on the axes, sqrt((a cos)^2 + (b sin)^2)
    turn = np.linspace(0, 2 * np.pi, 2000)
    x = parts.long_px[first] * np.cos(turn) * np.cos(parts.angle[first]) - parts.short_px[first] * np.sin(
        turn
    ) * np.sin(parts.angle[first])
    assert boxes[0, 3] == pytest.approx(2 * x.max(), rel=1e-4)
