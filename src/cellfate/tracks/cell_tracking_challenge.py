"""Importer of Cell Tracking Challenge folders: label images and a text file with a line a track.

A line of `man_track.txt` (ground truth) or `res_track.txt` (a tracker's result) is: label, first frame, last frame,
parent (0 for none). A mother with two or more daughters divides; her event frame is the first frame of the earliest
daughter. A mother with one daughter, and a track that just ends, have no fate. The position of a cell in a frame is the
centroid of its mask where the recording has silver-truth masks, else of its marker.
"""

import logging
from dataclasses import replace
from pathlib import Path

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.imaging.layouts import TrackFiles, find_track_files, numbered_files
from cellfate.imaging.opening import lazy_recordings
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.tiff import read_label_image
from cellfate.tracks.label_positions import find_centroids
from cellfate.tracks.lineages import find_divisions
from cellfate.tracks.parent_files import read_track_lines
from cellfate.tracks.reading import read_each
from cellfate.tracks.records import OpenedRecordings, Tables, TrackedCells, TrackSource, make_tracked

_log = logging.getLogger(__name__)
_AGREEING_SHARE = 0.9
"""Least share of the pixels that a marker and a mask have in common which must carry the same label in both."""


def read_tracks(opened: OpenedRecordings) -> Tables:
    """Read tracks and positions of the opened recordings; an importer as `importing.ReadTracks`."""
    recordings = list(lazy_recordings(opened.folder, opened.table, opened.frame_files))
    return read_each(recordings, lambda recording: _read_sequence(opened.folder, recording, opened.settings))


def _read_sequence(folder: RecordingFolder, recording: Recording, settings: RecordingSettings) -> TrackedCells:
    files = _find_files(folder.root, recording.recording_id)
    last = max(recording.missing_frames, default=0)
    tracks = _read_track_table(files, max(recording.n_frames, last + 1))
    detections = _read_positions(files, recording, settings.labels == "silver_truth" and files.prefix == "man_track")
    _check_marks(detections, tracks, files)
    _report(recording.recording_id, tracks, detections)
    return _join(tracks, detections)


def read_without_positions(source: TrackSource) -> TrackedCells:
    """Read the lines of tracks alone, for which no image is opened: cells and parents, but no detections.

    Raises
    ------
    InputError
        If there are no tracks, or their file is not usable.
    """
    tracks = _read_track_table(_find_files(source.root, source.recording_id), source.n_frames)
    return _join(tracks, pd.DataFrame({"cell_id": []}))


def _find_files(root: Path, recording_id: str) -> TrackFiles:
    files = find_track_files(root, recording_id)
    if files is None:
        raise InputError(f"Recording '{recording_id}' has no tracks any more; run data_processing again.")
    return files


def _join(tracks: pd.DataFrame, detections: pd.DataFrame) -> TrackedCells:
    daughters = tracks.dropna(subset="parent_id")
    parents = dict(zip(daughters["cell_id"].tolist(), daughters["parent_id"].tolist(), strict=True))
    read = make_tracked(detections, parents, cell_ids=tracks["cell_id"].to_numpy())
    begin = tracks.set_index("cell_id")["begin"].reindex(read.cells["cell_id"]).array
    return replace(read, cells=read.cells.assign(begin=begin))


def _read_track_table(files: TrackFiles, n_frames: int) -> pd.DataFrame:
    tracks = read_track_lines(files.table)
    _check_track_lines(tracks, files, n_frames)
    return tracks.assign(parent_id=tracks["parent_id"].astype("Int64").where(tracks["parent_id"] > 0))


def _check_track_lines(tracks: pd.DataFrame, files: TrackFiles, n_frames: int) -> None:
    ordered = (tracks["begin"] >= 0) & (tracks["end"] >= tracks["begin"]) & (tracks["end"] < n_frames)
    wrong = tracks[~ordered | (tracks["cell_id"] < 1) | (tracks["parent_id"] < 0)]
    if len(wrong):
        label, begin, end, parent = wrong.iloc[0]
        raise InputError(
            f"Track {label} in {files.table} goes from frame {begin} to frame {end} and has parent {parent}, but a "
            f"positive label, frames in order between 0 and {n_frames - 1} and a parent of 0 or more were expected; "
            "correct the line."
        )
    if tracks["cell_id"].duplicated().any():
        label = tracks["cell_id"][tracks["cell_id"].duplicated()].iloc[0]
        raise InputError(f"Track file {files.table} lists the label {label} twice; give every track its own label.")


def _read_positions(files: TrackFiles, recording: Recording, use_masks: bool) -> pd.DataFrame:
    markers = numbered_files(files.folder, files.prefix)
    frames = sorted(set(range(recording.n_frames)) - recording.missing_frames)
    missing = sorted(set(frames) - set(markers))
    if missing:
        raise InputError(
            f"Folder {files.folder} has no label image {files.prefix}NNN.tif of frame {missing[0]} ({len(missing)} of "
            f"{recording.n_frames} frames are missing); add the image."
        )
    positions, common, agreeing = [], 0, 0
    for frame in frames:
        marker_yx = read_label_image(markers[frame], recording.height_px, recording.width_px)
        found = find_centroids(marker_yx)
        mask_yx = recording.read_labels(frame) if use_masks else None
        if mask_yx is not None:
            both = (marker_yx > 0) & (mask_yx > 0)
            common += int(both.sum())
            agreeing += int((marker_yx[both] == mask_yx[both]).sum())
            found = _refine(found, find_centroids(mask_yx))
        positions.append(found.assign(frame=frame))
    _check_agreement(recording, common, agreeing)
    return pd.concat(positions, ignore_index=True)


def _refine(markers: pd.DataFrame, masks: pd.DataFrame) -> pd.DataFrame:
    """Take the centre of the mask for the cells that have one; a mask without a marker is no detection."""
    refined = markers.set_index("cell_id")
    refined.update(masks.set_index("cell_id"))
    return refined.reset_index()


def _check_agreement(recording: Recording, common: int, agreeing: int) -> None:
    if agreeing < _AGREEING_SHARE * common:
        raise InputError(
            f"In recording '{recording.recording_id}' only {agreeing} of {common} pixels that lie in a mask and in a "
            f"marker carry the same label in both, but at least {_AGREEING_SHARE:.0%} was expected, because masks are "
            "found by the label of the track; relabel the masks, or set labels to 'gold_track' or 'none'."
        )


def _check_marks(detections: pd.DataFrame, tracks: pd.DataFrame, files: TrackFiles) -> None:
    marks = detections.merge(tracks, on="cell_id", how="left")
    untracked = marks[marks["begin"].isna()]
    if len(untracked):
        label, frame = untracked["cell_id"].iloc[0], untracked["frame"].iloc[0]
        raise InputError(
            f"Label {label} is in the label image {files.prefix} of frame {frame} in {files.folder}, but "
            f"{files.table.name} has no such track ({untracked['cell_id'].nunique()} such labels); add the track or "
            "remove the label."
        )
    outside = marks[(marks["frame"] < marks["begin"]) | (marks["frame"] > marks["end"])]
    if len(outside):
        row = outside.to_dict("records")[0]
        raise InputError(
            f"Label {row['cell_id']} is in the label image {files.prefix} of frame {row['frame']} in {files.folder}, "
            f"but {files.table.name} says that its track goes from frame {row['begin']:.0f} to {row['end']:.0f}; "
            "correct either."
        )


def _report(recording_id: str, tracks: pd.DataFrame, detections: pd.DataFrame) -> None:
    n_seen = tracks["cell_id"].map(detections["cell_id"].value_counts())
    gaps = int((n_seen < tracks["end"] - tracks["begin"] + 1).sum())
    if gaps:
        _log.info("Recording '%s': %d tracks have frames without a label; they stay gaps", recording_id, gaps)
    divisions = find_divisions(tracks)
    apart = divisions.index[~divisions["same_frame"]]
    if len(apart):
        text = "Recording '%s': the daughters of %d mothers (first: %d) begin apart; the earliest gives the event frame"
        _log.warning(text, recording_id, len(apart), apart[0])
