"""Fitting networks: data in batches, augmentation, Lightning modules, checkpoints; one way for all of them.

Torch is imported by the functions that compute, not here.
"""

from cellfate.training.classifier_fitting import fit_classifier
from cellfate.training.clock_data import ClockInputs
from cellfate.training.clock_fitting import fit_clock
from cellfate.training.fitting import history_table

__all__ = ["ClockInputs", "fit_classifier", "fit_clock", "history_table"]
