"""What is there: recordings, tracks and what was measured of cells."""

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import FATES
from cellfate.core.tables.base import LABELLED, Table


class Recordings(Table):
    """One row a recording: one field of view over time.

    Tables of earlier versions lack the columns from `image_format` on; their pixels are in image files.
    """

    recording_id: Series[str] = pa.Field(unique=True)
    source: Series[str] = pa.Field(description="folder or file, relative to the recordings root, or a URL")
    axes: Series[str] = pa.Field(description="axes of the opened recording: TCYX, or T without images")
    channels: Series[str] = pa.Field(description="channel names in order, separated by '|'")
    n_frames: Series[int] = pa.Field(gt=0)
    height_px: Series[int] = pa.Field(ge=0, description="0: there are no images")
    width_px: Series[int] = pa.Field(ge=0, description="0: there are no images")
    dtype: Series[str]
    frame_interval_min: Series[float] = pa.Field(gt=0)
    pixel_size_um: Series[float] = pa.Field(gt=0, nullable=True)
    condition: Series[str]
    dose: Series[str]
    group_id: Series[str] = pa.Field(description="unit of splits and of the bootstrap unless the cells say otherwise")
    treatment_h: Series[float] | None = pa.Field(
        nullable=True, description="hours from the first frame to the treatment; NaN: not known"
    )
    image_format: Series[str] | None = pa.Field(
        isin=("image_files", "tiff_stack", "ome_zarr", "vendor", "none"), description="how pixels are stored"
    )
    z: Series[str] | None = pa.Field(description="planes of a z stack: max, or the number of one")
    scene: Series[str] | None = pa.Field(description="which image of a file with several; a path in OME-Zarr")
    file_axes: Series[str] | None = pa.Field(nullable=True, description="axes of a TIFF stack; OME-Zarr: where given")
    missing_chunks: Series[str] | None = pa.Field(nullable=True, description="OME-Zarr: error or empty; null: others")
    missing_frames: Series[str] | None = pa.Field(
        nullable=True, description="frames without pixels, such as 3, 7-9; from n_frames on: cut off; null: none"
    )


class FrameFiles(Table):
    """One row a frame and file that holds pixels of it: where they, and where given its label image, are.

    Tables of earlier versions know neither channel nor z; they are still read.
    """

    recording_id: Series[str]
    frame: Series[int] = pa.Field(ge=0)
    channel: Series[Int64Dtype] | None = pa.Field(nullable=True, description="null: the file holds all channels")
    z: Series[Int64Dtype] | None = pa.Field(nullable=True, description="null: the file holds all planes")
    file_name: Series[str] = pa.Field(description="relative to the recordings root, or a URL")
    label_file_name: Series[str] = pa.Field(nullable=True, description="label image (value = cell_id), or null")


class Detections(Table):
    """One row a cell and frame.

    Each name n of `tracks.spot_features` adds `tracker_n` (float32, NaN: not measured). Tables of earlier versions lack
    `spot_id`.
    """

    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0)
    y_px: Series[float] = pa.Field(nullable=True, description="NaN: there are no images")
    x_px: Series[float] = pa.Field(nullable=True, description="NaN: there are no images")
    spot_id: Series[Int64Dtype] | None = pa.Field(
        nullable=True, description="ID of the spot in the tracker's file; null: it gives none"
    )


class Cells(Table):
    """One row a cell: its track, its parent and its fate.

    Tables of earlier versions lack `cell_name`. Where people scored cells, `fate`, `event_frame` and `last_frame` are
    what follows from that, and the columns from `recorded_fate` on are there.
    """

    recording_id: Series[str]
    cell_id: Series[int]
    parent_id: Series[Int64Dtype] = pa.Field(nullable=True)
    lineage_id: Series[str] = pa.Field(nullable=True, description="founder of the family; null: parents are unknown")
    first_frame: Series[int] = pa.Field(ge=0)
    last_frame: Series[int] = pa.Field(ge=0)
    fate: Series[str] = pa.Field(isin=FATES)
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    group_id: Series[str] = pa.Field(description="unit of splits and of the bootstrap")
    cell_name: Series[str] | None = pa.Field(
        nullable=True, description="name of the cell in the tracker's file; null: it gives none"
    )
    recorded_fate: Series[str] | None = pa.Field(isin=FATES, description="by the study's own evidence, without labels")
    recorded_event_frame: Series[Int64Dtype] | None = pa.Field(nullable=True, description="likewise")
    recorded_last_frame: Series[int] | None = pa.Field(ge=0, description="likewise")
    labelled: Series[str] | None = pa.Field(
        isin=LABELLED, nullable=True, description="how labels count: used, unusable (track), disagree; null: no label"
    )
    training_only: Series[bool] | None = pa.Field(
        description="its fate rests on labels that knew forecasts: it trains and never tests"
    )


class SetAside(Table):
    """One row a recording or cell that was not used, and why."""

    recording_id: Series[str]
    cell_id: Series[Int64Dtype] = pa.Field(nullable=True, description="null: the whole recording")
    stage: Series[str]
    reason: Series[str]


class FrameFeatures(Table):
    """One row a cell and frame: morphology and reporters; of cells without images the spot features alone.

    Each channel c adds `intensity_c`, `texture_c` and `rate_intensity_c`, each spot feature its column of
    `Detections`. Tables of earlier versions have no texture,
    no rates and nothing on the soundness of masks; they are still read.
    """

    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0)
    segmented: Series[bool] | None = pa.Field(description="false: no mask was found, shape features are NaN")
    area: Series[float] | None = pa.Field(nullable=True, description="px^2")
    perimeter: Series[float] | None = pa.Field(nullable=True, description="px")
    circularity: Series[float] | None = pa.Field(nullable=True)
    eccentricity: Series[float] | None = pa.Field(nullable=True)
    solidity: Series[float] | None = pa.Field(nullable=True)
    equivalent_diameter: Series[float] | None = pa.Field(nullable=True, description="px")
    n_neighbors: Series[float] | None = pa.Field(nullable=True)
    rate_area: Series[float] | None = pa.Field(nullable=True, description="px^2 per hour since the frame before")
    mask_overlap: Series[float] | None = pa.Field(
        nullable=True, ge=0, le=1, description="intersection over union with the mask of the frame before, once centred"
    )
    consistent: Series[bool] | None = pa.Field(description="false: no mask, or one that does not follow from others")


class ReporterTraces(Table):
    """One row a simulated cell and frame; one column a channel: its true level."""

    recording_id: Series[str]
    cell_id: Series[int]
    fate: Series[str] = pa.Field(isin=FATES)
    frame: Series[int] = pa.Field(ge=0)
    hours_before_event: Series[float] = pa.Field(nullable=True)


class Truth(Table):
    """What decided each simulated or invented fate, when, and in which channel."""

    recording_id: Series[str]
    cell_id: Series[int]
    fate: Series[str] = pa.Field(isin=FATES)
    deciding_channel: Series[str] = pa.Field(nullable=True)
    window_first_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    window_last_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    strength: Series[float] = pa.Field(nullable=True, description="planted log odds of apoptosis of this cause")
    oracle_logit: Series[float] = pa.Field(nullable=True, description="total planted log odds of apoptosis")
