"""What the members of a model read of cells: crops, measurements, or both."""

from typing import TypeVar, overload

import pandas as pd

from cellfate.crops.digest import CellReader
from cellfate.features.measured_frames import MeasuredFrames
from cellfate.prediction.records import ClassifierConfig, ClockConfig

Crops = TypeVar("Crops", bound=CellReader)


@overload
def show_frames(
    config: ClassifierConfig | ClockConfig, crops: Crops, frame_features: pd.DataFrame, cells: pd.DataFrame
) -> Crops | MeasuredFrames: ...


@overload
def show_frames(
    config: ClassifierConfig | ClockConfig, crops: Crops | None, frame_features: pd.DataFrame, cells: pd.DataFrame
) -> Crops | MeasuredFrames | None: ...


def show_frames(
    config: ClassifierConfig | ClockConfig, crops: Crops | None, frame_features: pd.DataFrame, cells: pd.DataFrame
) -> Crops | MeasuredFrames | None:
    """Give what reads the frames that a model's networks are shown.

    Parameters
    ----------
    config
        Description of the model.
    crops
        Crops of the cells; None where there are no images.
    frame_features
        Table `FrameFeatures` of the cells.
    cells
        Table `FollowUps`, or rows of `Landmarks`, of the cells.

    Returns
    -------
    CellReader
        The crops as they are where no column is read.
    """
    if not config.architecture.sees_columns:
        return crops
    read = dict.fromkeys(scale.name for member in config.members for scale in member.columns)
    columns = [name for name in read if name in frame_features.columns]  # others are context, or lack and are told
    told = config.told if isinstance(config, ClockConfig) else None
    beside = crops if config.architecture.sees_pixels else None
    return MeasuredFrames(frame_features, cells, columns, told, beside)
