"""One recording as a Zarr group of the crop store: it grows under another name and takes its own when it is whole.

Every group holds a record of the inputs that made it, and its name is made of them. So a group of that name is that of
the same inputs or there is none, and what an older manifest lists stays as it was until a newer one takes its place.
"""

import hashlib
import json
import re
import shutil
import uuid
from pathlib import Path
from typing import Any, Final

import numpy as np

from cellfate.core.whole_files import PARTIAL
from cellfate.crops.chunks import CHECKSUM_BYTES, ChunkedWriter, Compression, as_bytes, compression_of
from cellfate.crops.cutting import RecordingCrops
from cellfate.crops.index import INDEX_ARRAYS
from cellfate.crops.scratch import release_pages
from cellfate.crops.settings import CropSettings

RECORD: Final = "record.json"
FORMAT_VERSION: Final = 2


def group_name(recording_id: str, inputs: str) -> str:
    """Name the group of a recording that is made of certain inputs.

    Parameters
    ----------
    recording_id : str
        Name of the recording, any text.
    inputs : str
        What tells its inputs from others.

    Examples
    --------
    >>> group_name("well A/1", "0")
    'well_A_1-24f3d9d0a0b3'
    """
    readable = re.sub(r"[^A-Za-z0-9]+", "_", recording_id)[:40]
    return f"{readable}-{hashlib.sha256(f'{recording_id}|{inputs}'.encode()).hexdigest()[:12]}"


def find_group(root: Path, recording_id: str, inputs: str) -> dict[str, Any] | None:
    """Find the whole group that was made of these inputs.

    Parameters
    ----------
    root : Path
        Folder of the store.
    recording_id : str
        Name of the recording.
    inputs : str
        What tells its inputs from others.

    Returns
    -------
    dict or None
        Its entry for the manifest. None if there is none, or a file of it is lost, cut short or damaged, so that what
        was noticed while reading is cut again.
    """
    folder = root / group_name(recording_id, inputs)
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        whole = record["files"] == _measure(folder) and record["format_version"] == FORMAT_VERSION
        entry = record["entry"]
        fits = entry["group"] == folder.name and entry["recording_id"] == recording_id and record["inputs"] == inputs
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(entry) if whole and fits and all(map(_is_undamaged, folder.glob("*/c/**/*"))) else None


def write_group(root: Path, crops: RecordingCrops, settings: CropSettings, inputs: str | None = None) -> dict[str, Any]:
    """Write the crops of one recording.

    Parameters
    ----------
    root : Path
        Folder of the store.
    crops : RecordingCrops
        What to write.
    settings : CropSettings
        Chunks and compression.
    inputs : str, optional
        What tells the inputs of these crops from others; the crops themselves when not given.

    Returns
    -------
    dict
        Entry for the manifest.
    """
    import zarr

    partial = root / f"{group_name(crops.recording_id, inputs or '')}.{uuid.uuid4().hex[:8]}{PARTIAL}"
    group = zarr.open_group(partial, mode="w", zarr_format=3)
    digest = hashlib.sha256(f"{crops.recording_id}|{'|'.join(crops.channels)}".encode())
    for name, pixels in (("frames", crops.frames_nchw), ("masks", crops.masks_nhw)):
        if pixels is not None:
            digest.update(_write_pixels(group, partial, name, pixels, settings))
    for name in INDEX_ARRAYS:
        values = np.asarray(getattr(crops, name), np.int64)
        ChunkedWriter(group, partial, name, values.shape, values.dtype, len(values), Compression()).write(values)
        digest.update(as_bytes(values.astype("<i8")).data)
    made_of = digest.hexdigest() if inputs is None else inputs
    folder = root / group_name(crops.recording_id, made_of)
    entry = _describe(crops, folder.name, digest.hexdigest())
    group.update_attributes(entry)
    record = {"format_version": FORMAT_VERSION, "inputs": made_of, "entry": entry, "files": _measure(partial)}
    (partial / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)  # the remains of one that was damaged
    partial.rename(folder)
    return entry


def _describe(crops: RecordingCrops, group: str, digest: str) -> dict[str, Any]:
    return {
        "group": group,
        "recording_id": crops.recording_id,
        "channels": list(crops.channels),
        "frame_interval_min": crops.frame_interval_min,
        "height_px": crops.height_px,
        "width_px": crops.width_px,
        "n_cells": len(crops.cell_ids),
        "n_frames": len(crops.frame_numbers),
        "n_clipped_pixels": crops.n_clipped_pixels,
        "flat_field_digest": crops.flat_field_digest,
        "digest": digest,
    }


def _write_pixels(group: Any, folder: Path, name: str, pixels: Any, settings: CropSettings) -> bytes:
    """Write pixels chunk by chunk; answer with what goes into the digest, a CRC-32C of every crop.

    SHA-256 over all pixels would take longer than compressing them; a change of pixels that keeps all checksums is no
    accident.
    """
    from google_crc32c import value

    writer = ChunkedWriter(
        group, folder, name, pixels.shape, pixels.dtype, settings.chunk_frames, compression_of(settings)
    )
    checksums = np.zeros(len(pixels), "<u4")
    for number, first in enumerate(range(0, len(pixels), settings.chunk_frames)):
        rows = np.array(pixels[first : first + settings.chunk_frames], pixels.dtype.newbyteorder("<"), copy=None)
        checksums[first : first + len(rows)] = [value(as_bytes(crop)) for crop in rows]
        writer.write_chunk(number, rows)
        release_pages(pixels)
    return f"{name}|{pixels.dtype.newbyteorder('<').str}|{pixels.shape}".encode() + checksums.tobytes()


def _is_undamaged(path: Path) -> bool:
    """Tell whether a chunk has the checksum that it ends with; a folder has none."""
    from google_crc32c import value

    if path.is_dir():
        return True
    stored = path.read_bytes()
    return int(value(stored[:-CHECKSUM_BYTES])).to_bytes(CHECKSUM_BYTES, "little") == stored[-CHECKSUM_BYTES:]


def _measure(folder: Path) -> dict[str, int]:
    """Count the files of a group and their bytes, but for the record."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != RECORD]
    return {"count": len(sizes), "bytes": sum(sizes)}
