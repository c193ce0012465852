"""Nodes of the `known_hazards` pipeline."""

import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.simulation import SimulationSettings, list_true_incidence, simulate_study


def list_known_incidence(simulation: SimulationSettings, follow_up: FollowUpSettings) -> pd.DataFrame:
    """List the true incidence at every frame of the simulated study; its lives are laid down again, no image is made.

    Raises
    ------
    InputError
        If the study is not one of known hazards, or nuclei look like their event before the guard.
    """
    return list_true_incidence(simulate_study(simulation), follow_up.edges_h, follow_up.report_h)
