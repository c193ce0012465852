"""What the members of a model read of cells: crops, measurements, or both."""

import logging
from typing import TypeVar, overload

import pandas as pd

from cellfate.crops.digest import CellReader
from cellfate.crops.store import CropStore
from cellfate.features.measured_frames import FrameSource, MeasuredFrames
from cellfate.prediction.records import ClassifierConfig, ClockConfig, TrainedModel

logger = logging.getLogger(__name__)

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


def show_cells(
    model: TrainedModel, frame_features: pd.DataFrame, follow_ups: pd.DataFrame, crops: CropStore | None = None
) -> FrameSource | None:
    """Give what reads the frames that a model's networks are shown of all followed cells; see `show_frames`.

    Parameters
    ----------
    model
        The model.
    frame_features, follow_ups
        Tables of the same names.
    crops
        Crop store; None where there are no images.
    """
    return show_frames(model.config, crops, frame_features, follow_ups)


def tell_columns(config: ClassifierConfig, question: str) -> bool:
    """Tell whether a classifier reads columns of measurements, and if so that a question about pixels is not asked.

    Parameters
    ----------
    config
        Description of the classifier.
    question
        What is not asked of it.
    """
    reads = config.architecture.sees_columns
    if reads:
        told = "The classifier reads columns of measurements (model.encoder is %s), so it is not asked %s"
        logger.warning(told, config.architecture.encoder, question)
    return reads
