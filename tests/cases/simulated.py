"""A tiny simulated study: three recordings of 24 frames, in which both fates occur."""

from cellfate.simulation import CauseSettings, DoseSettings, SimulationSettings


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
