"""The study that is looked at: the tables that are there, and of those that are not, nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cellfate.core.errors import InputError
from cellfate.core.fates import OUTCOMES, probability_column
from cellfate.core.predictors import choose_leading
from cellfate.core.spot_features import list_spot_columns
from cellfate.core.tables import CELL, FRAME
from cellfate.crops.flat_field import FlatField, open_flat_field
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore
from cellfate.imaging import Recording, RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from cellfate.labels.table import undo_labels
from cellfate.prediction.calls import add_calls
from cellfate.prediction.prediction_sets import add_sets
from cellfate.review.per_cell import CellIndex, PerCell, read_columns
from cellfate.tracks.importing import import_tracks
from cellfate.tracks.settings import TrackSettings

SHAPES = ("area", "circularity", "n_neighbors")
"""Measurements that are drawn besides the reporters."""
UNREADABLE = (InputError, OSError)
"""What reading a file that a person moved, locked or damaged ends with."""
_PROBABILITIES = tuple(probability_column(outcome) for outcome in OUTCOMES)


@dataclass(frozen=True)
class StudySource:
    """Where a study is, and how what no run has made yet is read.

    Attributes
    ----------
    name : str
        What the study is called: its environment.
    run : str
        Command that runs it.
    paths : mapping of str to Path
        Paths of catalog entries by name; what is not there yet may be missing on the disk.
    recordings, tracks, crops
        Settings of the study.
    """

    name: str
    run: str
    paths: Mapping[str, Path]
    recordings: RecordingSettings
    tracks: TrackSettings
    crops: CropSettings

    def find(self, name: str) -> Path | None:
        """Path of a catalog entry; None where nothing is there."""
        path = self.paths.get(name)
        return path if path is not None and path.exists() else None

    @property
    def identity(self) -> str:
        """Name of the study that no other of this computer has: from the place of its labels."""
        return hashlib.sha256(str(self.paths["labels"].resolve()).encode()).hexdigest()[:12]

    @property
    def root(self) -> Path:
        """Folder of the recordings."""
        return self.paths["raw_recordings"]


@dataclass(frozen=True, eq=False)
class Study:
    """An opened study. Images and crops are read when they are asked for; it may be used by several threads.

    Attributes
    ----------
    source : StudySource
        Where it is.
    recordings, frame_files : DataFrame
        Tables `Recordings` (by recording_id) and `FrameFiles`.
    cells : DataFrame
        Table `Cells` by the study's own evidence, without labels; the place of a cell in it is its key on the page.
    labelled_cells : DataFrame
        The same cells with the labels that the last run applied.
    detections : PerCell
        y_px, x_px and spot features of every cell and frame.
    """

    source: StudySource
    recordings: pd.DataFrame
    frame_files: pd.DataFrame
    cells: pd.DataFrame
    labelled_cells: pd.DataFrame
    detections: PerCell
    index: CellIndex
    _opened: dict[str, tuple[Recording, FlatField | None]] = field(default_factory=dict)
    _usual: dict[str, tuple[float, float]] = field(default_factory=dict)
    _landmarks: dict[str, dict[int, str]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def find_cell(self, recording_id: str, cell_id: int) -> int:
        """Place of a cell; -1 where the study has none of that name."""
        if cell_id.bit_length() > 63:
            return -1
        return int(self.index.find([recording_id], np.array([cell_id]))[0])

    def find_recording(self, recording_id: str) -> "pd.Series[Any]":
        """Row of `Recordings` of a recording."""
        return self.recordings.loc[self.recordings["recording_id"] == recording_id].iloc[0]

    @cached_property
    def crops(self) -> CropStore | None:
        """The crop store; None where nothing was cut yet, or it is damaged: then cells are cut from the images."""
        path = self.source.find("crops")
        try:
            return None if path is None else CropStore(path)
        except UNREADABLE:
            return None

    @property
    def crop_settings(self) -> CropSettings:
        """Size and correction of crops: of the store, else of the parameters."""
        return self.source.crops if self.crops is None else self.crops.settings

    @property
    def has_images(self) -> bool:
        """Whether the study has images; traces have none."""
        return bool((self.recordings["height_px"] > 0).any())

    def open_recording(self, recording_id: str) -> tuple[Recording, FlatField | None]:
        """Open the images of a recording, with what they are corrected by.

        Raises
        ------
        InputError, OSError
            If the folder of recordings is gone, no file of it is known, or the flat field cannot be read.
        """
        with self._lock:
            if recording_id not in self._opened:
                folder = RecordingFolder(self.source.root)
                rows = self.recordings[self.recordings["recording_id"] == recording_id]
                files = self.frame_files[self.frame_files["recording_id"] == recording_id]
                if files.empty:
                    raise InputError(f"No image of recording '{recording_id}' is listed; run data_processing again.")
                (recording,) = lazy_recordings(folder, rows, files)
                self._opened[recording_id] = recording, open_flat_field(folder.root, recording, self.crop_settings)
            return self._opened[recording_id]

    @cached_property
    def forecast_table(self) -> pd.DataFrame:
        """Forecasts of every cell by the leading predictor of each question: those of tests, and of unscored cells."""
        known = [_read_forecasts(self.source.find(name)) for name in ("forecasts", "unscored_forecasts")]
        tables = [table for table in known if table is not None and len(table)]
        if not tables:
            return pd.DataFrame(columns=[*FRAME, "predictor", "within_h"])
        both = pd.concat(tables, ignore_index=True)
        tested_first = both.assign(is_test=both["part"] == "test").sort_values(
            "is_test", ascending=False, kind="stable"
        )
        return tested_first.drop_duplicates([*FRAME, "within_h"])

    @cached_property
    def forecasts(self) -> PerCell:
        """What is forecast within the headline hours at every frame, by the leading predictor."""
        table = self.forecast_table
        rows = table[table["within_h"] == self.headline_h]
        columns = [*FRAME, *(name for name in _PROBABILITIES if name in rows)]
        return PerCell.of(pa.Table.from_pandas(rows[columns], preserve_index=False), self.index, len(self.cells))

    @cached_property
    def headline_h(self) -> float:
        """Hours of the question that is drawn; NaN where nothing within hours is forecast."""
        path = self.source.find("questions")
        hours = sorted(self.forecast_table["within_h"].dropna().unique())
        if path is not None:
            asked = pd.read_parquet(path)["within_h"].dropna()
            hours = [hour for hour in hours if hour in set(asked)] or hours
        return float(hours[0]) if hours else float("nan")

    @cached_property
    def calls(self) -> pd.DataFrame:
        """Last call of every cell: which fate comes, or what within hours where that was not asked.

        Columns recording_id, cell_id, within_h, call, p_call and, where there are thresholds, prediction_set.
        """
        table = self.forecast_table
        if table.empty:
            return pd.DataFrame(columns=[*CELL, "within_h", "call", "p_call", "prediction_set"])
        is_headline = table["within_h"].isna() | (table["within_h"] == self.headline_h)
        ranked = table[is_headline].sort_values(["within_h", "frame"], ascending=[True, False], na_position="first")
        called = add_calls(ranked.drop_duplicates(CELL).reset_index(drop=True))
        path = self.source.find("set_thresholds")
        if path is None:
            return called.assign(prediction_set=None)
        return add_sets(called, self.cells, pd.read_parquet(path))

    @cached_property
    def features(self) -> PerCell | None:
        """Reporters, shape and spot features of every cell and frame; None where nothing was measured.

        Before a run measured anything, what the tracker measured: of traces that is all there is.
        """
        path = self.source.find("frame_features")
        if path is None:
            spots = {name: self.detections.columns[name] for name in list_spot_columns(self.detections.columns)}
            return replace(self.detections, columns=spots) if spots else None
        names = pq.read_schema(path).names
        kept = [name for name in names if name.startswith("intensity_") or name in SHAPES]
        table = read_columns(path, [*FRAME, *kept, *list_spot_columns(names)])
        return PerCell.of(table, self.index, len(self.cells))

    def list_applied(self) -> list[tuple[int, str, str]]:
        """List the labels that the last run applied: place of the cell, scorer, and the label's entry_id."""
        path = self.source.find("applied_labels")
        if path is None:
            return []
        table = pd.read_parquet(path, columns=[*CELL, "scorer", "entry_id"])
        places = self.index.find(table["recording_id"], table["cell_id"].to_numpy(np.int64))
        return list(zip(places.tolist(), table["scorer"].tolist(), table["entry_id"].tolist(), strict=True))

    def usual(self, feature: str, quantiles: tuple[float, float]) -> tuple[float, float]:
        """Quantiles of a measurement over all cells and frames."""
        if feature not in self._usual and self.features is not None:
            values = self.features.columns[feature]
            sample = values[:: max(1, len(values) // 200_000)]
            known = sample[np.isfinite(sample)]
            low, high = np.quantile(known, quantiles) if len(known) else (0.0, 0.0)
            self._usual[feature] = float(low), float(high)
        return self._usual.get(feature, (0.0, 0.0))

    def find_landmark(self, reading: str, place: int) -> str | None:
        """Landmark of a cell that a reading (classifier or clock) was explained at, its last; None: it was not."""
        return self._explained(reading).get(place)

    def read_explained(self, reading: str, name: str, landmark: str) -> pd.DataFrame:
        """Rows of an explanation (attention or attributions) at a landmark; none where it was not made."""
        path = self.source.find(f"{reading}_{name}")
        if path is None:
            return pd.DataFrame()
        table = pq.read_table(path, filters=[("landmark_id", "=", landmark)], memory_map=True)
        return pd.DataFrame(table.to_pandas())

    def _explained(self, reading: str) -> dict[int, str]:
        if reading not in self._landmarks:
            path = self.source.find(f"{reading}_explained_landmarks")
            names = [*CELL, "last_frame", "landmark_id"]
            rows = pd.DataFrame(columns=names) if path is None else pd.read_parquet(path, columns=names)
            rows = rows.sort_values("last_frame", kind="stable")
            places = self.index.find(rows["recording_id"], rows["cell_id"].to_numpy(np.int64))
            self._landmarks[reading] = dict(zip(places.tolist(), rows["landmark_id"], strict=True))
        return self._landmarks[reading]


def tell_unreadable(error: InputError | OSError) -> str:
    """Say in a sentence why something could not be read, or written."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return f"{str(error).removesuffix('.')}."


def open_study(source: StudySource) -> Study:
    """Open a study: from the tables that a run has made, else from recordings and tracks themselves.

    Raises
    ------
    InputError
        If there are neither, or they cannot be read.
    """
    made = [source.find(name) for name in ("recordings", "frame_files", "cells", "detections")]
    if all(path is not None for path in made):
        recordings, frame_files, cells = (pd.read_parquet(str(path)) for path in made[:3])
        path = Path(str(made[3]))
        detections = read_columns(path, [*FRAME, "y_px", "x_px", *list_spot_columns(pq.read_schema(path).names)])
    else:
        folder = RecordingFolder(source.root)
        recordings, frame_files, _ = open_recordings(folder, source.recordings)
        table, cells, _ = import_tracks(folder, recordings, frame_files, source.recordings, source.tracks)
        kept = [*FRAME, "y_px", "x_px", *list_spot_columns(table.columns)]
        detections = pa.Table.from_pandas(table[kept], preserve_index=False)
    index = CellIndex.of(cells)
    positions = PerCell.of(detections, index, len(cells))
    labelled = cells.reset_index(drop=True)
    return Study(source, recordings, frame_files, undo_labels(labelled), labelled, positions, index)


def _read_forecasts(path: Path | None) -> pd.DataFrame | None:
    """Read the forecasts of the leading predictor of each question: which fate comes, and what within hours."""
    if path is None:
        return None
    asked = pq.read_table(path, columns=["predictor", "within_h"], read_dictionary=["predictor"])
    asked = asked.group_by(["predictor", "within_h"]).aggregate([]).to_pandas().astype({"predictor": str})
    is_fate = asked["within_h"].isna()
    first = {
        is_about: choose_leading(asked.loc[rows, "predictor"])
        for is_about, rows in ((True, is_fate), (False, ~is_fate))
    }
    there = pq.read_schema(path).names
    columns = [name for name in (*FRAME, "predictor", "within_h", "part", *_PROBABILITIES) if name in there]
    leading = sorted(name for name in set(first.values()) if name is not None)
    if not leading:  # no cell was left to forecast
        return None
    rows = pd.DataFrame(pq.read_table(path, columns=columns, filters=[("predictor", "in", leading)]).to_pandas())
    return rows[rows["predictor"] == rows["within_h"].isna().map(first)]
