"""Tiny simulated studies, with both fates: one of planted causes, one of known hazards, and a larger one of these."""

from cellfate.simulation import CauseSettings, DoseSettings, HazardSettings, SimulationSettings


def tiny_settings(seed: int = 5, n_recordings: int = 3) -> SimulationSettings:
    """Settings of the tiny study; windows and lives fit into 12 hours."""
    return SimulationSettings(
        seed=seed,
        n_recordings=n_recordings,
        n_frames=24,
        height_px=80,
        width_px=72,
        founders=(5, 6),
        shortest_life_h=9.0,
        founder_horizon_h=12.0,
        causes=(
            CauseSettings(
                channel="p53",
                window_h=(4.5, 2.0),
                probability=0.4,
                log_odds=6.0,
                neutral_strength=0.4,
                reporter_change=1.6,
            ),
        ),
        doses=(DoseSettings(dose="Low", condition="drug", log_odds=0.0, p53_probability=0.1),),
    )


def tiny_hazard_settings(seed: int = 5, n_recordings: int = 3) -> SimulationSettings:
    """Settings of the tiny study with known hazards; its cycles of 7 h fit into 12 hours."""
    return SimulationSettings(
        seed=seed,
        n_recordings=n_recordings,
        n_frames=24,
        height_px=80,
        width_px=72,
        founders=(4, 5),
        cycle_h=7.0,
        cycle_sd_h=0.8,
        event_shape_h=1.0,
        doses=(DoseSettings(dose="Low", condition="drug", log_odds=0.0, p53_probability=0.0),),
        hazards=HazardSettings(p53_on_per_h={"Low": 0.08}),
    )


def hazard_settings(n_recordings: int = 40, loss_per_h: float = 0.01, seed: int = 0) -> SimulationSettings:
    """Settings of a study with known hazards at full size: recordings of 42 h, about 22 cells in each over time."""
    return SimulationSettings(
        seed=seed,
        n_recordings=n_recordings,
        n_frames=84,
        founders=(6, 7),
        cycle_h=20.0,
        cycle_sd_h=2.5,
        event_shape_h=1.0,
        hazards=HazardSettings(loss_per_h=loss_per_h),
    )
