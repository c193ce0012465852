"""Fitting the fate classifier: data, sampling, augmentation, Lightning module, checkpoints.

Torch is imported by the functions that compute, not here.
"""

from cellfate.models.fitted_member import FittedMember
from cellfate.training.fitting import fit_members, history_table
from cellfate.training.settings import AugmentationSettings, TrainingSettings

__all__ = ["AugmentationSettings", "FittedMember", "TrainingSettings", "fit_members", "history_table"]
