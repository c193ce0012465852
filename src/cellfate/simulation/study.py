"""A study: plan every recording, then make the images of one at a time."""

from collections.abc import Sequence

import numpy as np

from cellfate.core.fates import APOPTOSIS, CENSORED
from cellfate.simulation.camera import expose
from cellfate.simulation.debris import draw_debris
from cellfate.simulation.hazard_lives import plan_hazard_lives
from cellfate.simulation.lineages import plan_lives
from cellfate.simulation.motion import BODY_FRAMES, Paths, simulate_motion
from cellfate.simulation.nuclei import bound_parts, draw_look, draw_parts, shape_nucleus
from cellfate.simulation.records import Life, PlannedRecording, SimulatedCell, SimulatedRecording, SimulatedStudy
from cellfate.simulation.settings import CHANNELS, DoseSettings, SimulationSettings
from cellfate.simulation.signals import simulate_reporters
from cellfate.simulation.state_reporters import trace_states


def simulate_study(settings: SimulationSettings) -> SimulatedStudy:
    """Simulate a study: lives, fates, paths and reporters at once, images only while iterating over the result.

    Parameters
    ----------
    settings : SimulationSettings
        The study.

    Returns
    -------
    SimulatedStudy
        The same settings give the same study. Every recording has random numbers of its own, so that one recording
        does not depend on how many others there are.
    """
    digits = max(3, len(str(settings.n_recordings)))
    seeds = np.random.SeedSequence(settings.seed).spawn(settings.n_recordings)
    plans = tuple(
        plan_recording(f"{number + 1:0{digits}d}", settings.doses[number % len(settings.doses)], settings, seed)
        for number, seed in enumerate(seeds)
    )
    return SimulatedStudy(settings=settings, plans=plans, render=render_recording)


def plan_recording(
    recording_id: str, dose: DoseSettings, settings: SimulationSettings, seed: np.random.SeedSequence
) -> PlannedRecording:
    """Lay down the cells of one recording, where they go and what their reporters do.

    Parameters
    ----------
    recording_id : str
        Its name.
    dose : DoseSettings
        Its dose.
    settings : SimulationSettings
        The study.
    seed : numpy.random.SeedSequence
        Its seed, for both the truth and the images.

    Returns
    -------
    PlannedRecording
        Cells that are tracked in no frame are left out.
    """
    truth_seed, image_seed = seed.spawn(2)
    rng = np.random.default_rng(truth_seed)
    plan = plan_lives if settings.hazards is None else plan_hazard_lives
    lives = plan(settings, dose, rng)
    paths = simulate_motion(lives, settings, rng)
    cells = [_follow(life, paths, settings, rng) for life in lives if _is_tracked(life, paths)]
    return PlannedRecording(recording_id, dose.dose, dose.condition, tuple(cells), image_seed)


def render_recording(plan: PlannedRecording, settings: SimulationSettings) -> SimulatedRecording:
    """Make the images of a recording.

    Parameters
    ----------
    plan : PlannedRecording
        What is in it.
    settings : SimulationSettings
        The study.

    Returns
    -------
    SimulatedRecording
        The same plan gives the same images, however often it is asked.
    """
    rng = np.random.default_rng(plan.seed)
    shape = (settings.n_frames, len(CHANNELS), settings.height_px, settings.width_px)
    canvas_tcyx = np.zeros(shape, dtype=np.float32)
    boxes = {}
    for cell in plan.cells:
        look = draw_look(settings, rng)
        parts = shape_nucleus(cell, look, settings, rng)
        draw_parts(canvas_tcyx, cell, look, parts, np.array(settings.image.photons))
        if settings.confounder is not None and settings.confounder.kind == "surroundings":
            draw_debris(canvas_tcyx, cell, settings, rng)
        boxes[cell.life.cell_id] = bound_parts(parts, cell)
    return SimulatedRecording(plan, expose(canvas_tcyx, settings, rng), boxes)


def _is_tracked(life: Life, paths: Paths) -> bool:
    first, index = life.first_frame, life.cell_id - 1
    return bool(np.isfinite(paths.yx_px[index, first, 0]) and paths.left_frame[index] > first)


def _follow(life: Life, paths: Paths, settings: SimulationSettings, rng: np.random.Generator) -> SimulatedCell:
    index = life.cell_id - 1
    drawn = life.event_frame + (BODY_FRAMES if life.destiny == APOPTOSIS else 0)
    frames = slice(life.first_frame, min(drawn, settings.n_frames - 1) + 1)
    last, fate = _end_of_track(life, int(paths.left_frame[index]), settings.n_frames)
    yx_px = paths.yx_px[index, frames]
    trace = simulate_reporters if settings.hazards is None else trace_states
    return SimulatedCell(
        life=life,
        last_frame=last,
        fate=fate,
        y_px=yx_px[:, 0],
        x_px=yx_px[:, 1],
        angle=paths.angle[index, frames],
        reporters=trace(life, len(yx_px), settings, rng),
    )


def _end_of_track(life: Life, left_frame: int, n_frames: int) -> tuple[int, str]:
    """Last tracked frame and the fate as annotated: an event counts only if the track reaches it."""
    stops: Sequence[int] = [n_frames, left_frame]
    if life.lost_frame is not None:
        stops = [*stops, life.lost_frame]
    last_seen = min(stops) - 1
    if life.event_frame <= last_seen:
        return life.event_frame, life.destiny
    return last_seen, CENSORED
