"""One small recording, written by other libraries in every format that recordings may come in.

Every writer takes the folder and an array of axes T, Z, C, Y, X, and returns the parameters that read it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

CHANNELS = ("h2b", "p53")
INTERVAL_MIN = 10.0
PIXEL_SIZE_UM = 0.5
Writer = Callable[[Path, NDArray[Any]], dict[str, Any]]


def make_image(dtype: str = "uint16", shape_tzcyx: tuple[int, ...] = (4, 3, 2, 12, 17), seed: int = 0) -> NDArray[Any]:
    """Random pixels over the whole range of a type; no pixel of a whole-number type is 0."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(0, 100, shape_tzcyx).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(1, limits.max, shape_tzcyx, dtype=dtype, endpoint=True)


def write_imagej(root: Path, image_tzcyx: NDArray[Any]) -> dict[str, Any]:
    """Write an ImageJ hyperstack; it names no channels."""
    details = {"axes": "TZCYX", "finterval": 60 * INTERVAL_MIN, "unit": "um"}
    resolution = (1 / PIXEL_SIZE_UM, 1 / PIXEL_SIZE_UM)
    options = {"imagej": True, "photometric": "minisblack"}
    tifffile.imwrite(root / "pos1.tif", image_tzcyx, resolution=resolution, metadata=details, **options)
    return {"layout": "tiff_stacks", "channels": CHANNELS}


def write_ome_tiff(root: Path, image_tzcyx: NDArray[Any]) -> dict[str, Any]:
    """Write one OME-TIFF that says everything."""
    options = {"compression": "zlib", "photometric": "minisblack"}
    tifffile.imwrite(root / "pos1.ome.tif", image_tzcyx, metadata=ome_details(), **options)
    return {"layout": "tiff_stacks"}


def write_plain_pages(root: Path, image_tzcyx: NDArray[Any]) -> dict[str, Any]:
    """Write the first plane as pages, channel after channel of each frame, without a word on what they are."""
    pages = image_tzcyx[:, 0].reshape(-1, *image_tzcyx.shape[-2:])
    tifffile.imwrite(root / "pos1.tif", pages, photometric="minisblack", metadata=None, compression="lzw")
    return {"layout": "tiff_stacks", "channels": CHANNELS, "frame_interval_min": INTERVAL_MIN, "file_axes": "TCYX"}


def write_plane_files(root: Path, image_tzcyx: NDArray[Any]) -> dict[str, Any]:
    """Write a file each plane, named as MicroManager does."""
    for t, z, c in np.ndindex(*image_tzcyx.shape[:3]):
        name = f"img_channel{c:03d}_position001_time{t:09d}_z{z:03d}.tif"
        tifffile.imwrite(root / name, image_tzcyx[t, z, c], photometric="minisblack")
    return {
        "layout": "file_pattern",
        "pattern": "micromanager",
        "channels": CHANNELS,
        "frame_interval_min": INTERVAL_MIN,
    }


def write_described_planes(root: Path, image_tzcyx: NDArray[Any]) -> dict[str, Any]:
    """Write a file each plane with the metadata.txt that MicroManager 2.0 puts beside them."""
    write_plane_files(root, image_tzcyx)
    content: dict[str, Any] = {"Summary": {"Interval_ms": 60_000 * INTERVAL_MIN, "Frames": len(image_tzcyx)}}
    for t, z, c in np.ndindex(*image_tzcyx.shape[:3]):
        name = f"img_channel{c:03d}_position001_time{t:09d}_z{z:03d}.tif"
        content[f"Metadata-Default/{name}"] = {"ElapsedTime-ms": 60_000 * INTERVAL_MIN * t + 900 * c + 80 * z}
    (root / "metadata.txt").write_text(json.dumps(content))
    return {"layout": "file_pattern", "pattern": "micromanager", "channels": CHANNELS}


def write_companion_set(root: Path, image_tzcyx: NDArray[Any]) -> dict[str, Any]:
    """Write an OME-TIFF each channel, of the first plane, and the companion file that describes all."""
    n_frames, _, n_channels, height, width = image_tzcyx.shape
    space, parts = "http://www.openmicroscopy.org/Schemas/OME/2016-06", ""
    for c in range(n_channels):
        parts += f'<Channel ID="Channel:0:{c}" Name="{CHANNELS[c]}"/>'
        binary = '<BinaryOnly MetadataFile="pos1.companion.ome" UUID="urn:uuid:set"/>'
        text = f'<?xml version="1.0"?><OME xmlns="{space}" UUID="urn:uuid:{c}">{binary}</OME>'.encode()
        options = {"photometric": "minisblack", "description": text, "metadata": None}
        tifffile.imwrite(root / f"pos1_c{c}.ome.tif", image_tzcyx[:, 0, c], **options)
    for t, c in np.ndindex(n_frames, n_channels):
        uuid = f'<UUID FileName="pos1_c{c}.ome.tif">urn:uuid:{c}</UUID>'
        parts += f'<TiffData FirstT="{t}" FirstC="{c}" FirstZ="0" IFD="{t}" PlaneCount="1">{uuid}</TiffData>'
    sizes = f'SizeX="{width}" SizeY="{height}" SizeZ="1" SizeC="{n_channels}" SizeT="{n_frames}"'
    about = f'DimensionOrder="XYCZT" Type="{image_tzcyx.dtype}" TimeIncrement="{INTERVAL_MIN}" TimeIncrementUnit="min"'
    pixels = f'<Pixels ID="Pixels:0" {about} {sizes}>{parts}</Pixels>'
    text = f'<?xml version="1.0"?><OME xmlns="{space}" UUID="urn:uuid:set"><Image ID="Image:0">{pixels}</Image></OME>'
    (root / "pos1.companion.ome").write_text(text)
    return {"layout": "tiff_stacks"}


def write_ome_zarr(root: Path, image_tzcyx: NDArray[Any], zarr_format: int = 2, **options: Any) -> dict[str, Any]:
    """Write OME-Zarr 0.4 (zarr format 2) or 0.5 (zarr format 3)."""
    import zarr

    group = zarr.open_group(str(root / "pos1.ome.zarr"), mode="w", zarr_format=zarr_format)
    if zarr_format == 2:
        options["chunk_key_encoding"] = {"name": "v2", "separator": "/"}
    chunks = options.pop("chunks", (1, 1, 1, *image_tzcyx.shape[-2:]))
    array = group.create_array("0", shape=image_tzcyx.shape, chunks=chunks, dtype=image_tzcyx.dtype, **options)
    array[:] = image_tzcyx
    attributes = zarr_attributes()
    group.attrs.update(attributes if zarr_format == 2 else {"ome": {"version": "0.5", **attributes}})
    return {"layout": "ome_zarr"}


def write_ome_zarr_5(root: Path, image_tzcyx: NDArray[Any]) -> dict[str, Any]:
    """Write OME-Zarr 0.5 with shards that hold two frames."""
    inner = (1, 1, 1, *image_tzcyx.shape[-2:])
    return write_ome_zarr(root, image_tzcyx, zarr_format=3, chunks=inner, shards=(2, *image_tzcyx.shape[1:]))


def ome_details() -> dict[str, Any]:
    """What tifffile puts into OME-XML."""
    return {
        "axes": "TZCYX",
        "TimeIncrement": INTERVAL_MIN,
        "TimeIncrementUnit": "min",
        "PhysicalSizeX": PIXEL_SIZE_UM,
        "PhysicalSizeY": PIXEL_SIZE_UM,
        "Channel": {"Name": list(CHANNELS)},
    }


def zarr_attributes() -> dict[str, Any]:
    """Attributes of a multiscale image, as the specification has them."""
    axes = [{"name": "t", "type": "time", "unit": "minute"}, {"name": "z", "type": "space", "unit": "micrometer"}]
    axes += [{"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in ("y", "x")]
    scale = {"type": "scale", "scale": [INTERVAL_MIN, 1.0, 1.0, PIXEL_SIZE_UM, PIXEL_SIZE_UM]}
    return {
        "multiscales": [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": [scale]}]}],
        "omero": {"channels": [{"label": name} for name in CHANNELS]},
    }


WRITERS: dict[str, Writer] = {
    "imagej": write_imagej,
    "ome_tiff": write_ome_tiff,
    "plain_pages": write_plain_pages,
    "plane_files": write_plane_files,
    "ome_zarr_0.4": write_ome_zarr,
    "ome_zarr_0.5": write_ome_zarr_5,
}
KEEPS_PLANES = tuple(name for name in WRITERS if name != "plain_pages")
"""Formats that hold several planes."""
