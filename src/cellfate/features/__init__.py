"""Segmentation of the cell in its crop, morphology and reporter series, summaries of a cell's history.

>>> from cellfate.features import FeatureSettings
>>> FeatureSettings().lengths(height_px=40, width_px=40)
Lengths(min_area_px=12, max_offset_px=6.0, neighbor_radius_px=40)
"""

from cellfate.features.consistency import count_failures
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.features.summaries import describe_landmarks, summarise_history

__all__ = [
    "FeatureSettings",
    "count_failures",
    "describe_landmarks",
    "measure_cells",
    "summarise_history",
]
