"""Flat-field and background correction of whole images.

The model of shading, image = illumination * sample + offset, is that of Peng et al. 2017, Nat Commun 8:14836.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.crops.settings import CropSettings
from cellfate.imaging.records import Recording


@dataclass(frozen=True, eq=False)
class FlatField:
    """What an image is corrected by.

    Attributes
    ----------
    gain_cyx : ndarray of float, shape (C, Y, X) or (1, Y, X)
        Illumination of every pixel over its mean; positive.
    background_cyx : ndarray of float, shape (C, 1, 1) or (1, 1, 1)
        Counts of the camera in the dark.
    digest : str
        SHA-256 of the flat field's pixels, in hexadecimal.
    """

    gain_cyx: NDArray[np.floating]
    background_cyx: NDArray[np.floating]
    digest: str

    def correct(self, image_cyx: NDArray[Any]) -> tuple[NDArray[Any], int]:
        """Correct one image.

        Parameters
        ----------
        image_cyx : ndarray, shape (C, Y, X)
            Pixels on the camera's scale.

        Returns
        -------
        image_cyx : ndarray, dtype of the image
            Corrected; rounded and kept within the range of an integer type.
        n_clipped : int
            Pixels that had to be brought back into that range.
        """
        corrected_cyx = (image_cyx - self.background_cyx) / self.gain_cyx + self.background_cyx
        if image_cyx.dtype.kind not in "iu":
            return corrected_cyx.astype(image_cyx.dtype), 0
        limits = np.iinfo(image_cyx.dtype)
        np.rint(corrected_cyx, out=corrected_cyx)
        n_clipped = np.count_nonzero((corrected_cyx < limits.min) | (corrected_cyx > limits.max))
        return np.clip(corrected_cyx, limits.min, limits.max).astype(image_cyx.dtype), int(n_clipped)


def open_flat_field(root: Path, recording: Recording, settings: CropSettings) -> FlatField | None:
    """Read the flat field that a recording is corrected by.

    Parameters
    ----------
    root : Path
        Folder of recordings; the file lies in it.
    recording : Recording
        What is corrected.
    settings : CropSettings
        Names the file and the background.

    Returns
    -------
    FlatField or None
        None where nothing is corrected.

    Raises
    ------
    InputError
        If the file lies outside the root, is no TIFF, does not fit the recording or holds a pixel that is not positive,
        or the background does not fit the channels.
    """
    if settings.correction == "none" or settings.flat_field_file is None:
        return None
    path = flat_field_path(root, settings.flat_field_file)
    flat_cyx = _read_flat(path, recording)
    backgrounds = np.atleast_1d(np.asarray(settings.background, dtype=np.float64))
    if len(backgrounds) not in (1, len(recording.channels)):
        raise InputError(
            f"background lists {len(backgrounds)} numbers, but recording '{recording.recording_id}' has "
            f"{len(recording.channels)} channels ({', '.join(recording.channels)}); give one number, or one a channel."
        )
    # single precision holds every count of up to 16 bits, and is twice as fast
    precision = np.float32 if np.dtype(recording.dtype).itemsize <= 2 else np.float64
    gain_cyx = flat_cyx / flat_cyx.mean(axis=(1, 2), keepdims=True)
    digest = hashlib.sha256(f"{flat_cyx.shape}".encode() + flat_cyx.tobytes()).hexdigest()
    return FlatField(gain_cyx.astype(precision), backgrounds[:, None, None].astype(precision), digest)


def flat_field_path(root: Path, name: str) -> Path:
    """Find the flat field below the root of the recordings.

    Raises
    ------
    InputError
        If the name leaves the root, or there is no such file.
    """
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise InputError(f"flat_field_file '{name}' leads out of the folder of recordings {root}; put the file there.")
    if not path.is_file():
        raise InputError(
            f"flat_field_file '{name}' is not in the folder of recordings {root}; put it there, or name another."
        )
    return path


def _read_flat(path: Path, recording: Recording) -> NDArray[np.float64]:
    import tifffile

    image = (recording.height_px, recording.width_px)
    expected = (image, (1, *image), (len(recording.channels), *image))
    try:
        with tifffile.TiffFile(path) as tiff:
            shape = tuple(tiff.series[0].shape)
            flat = np.asarray(tiff.series[0].asarray(), dtype=np.float64) if shape in expected else None
    except Exception as error:  # tifffile raises errors of many kinds on damaged files
        raise InputError(f"Flat field {path} is not a readable TIFF ({error}); replace the file.") from error
    if flat is None:
        raise InputError(
            f"Flat field {path} has shape {shape}, but (Y, X) {image} or (C, Y, X) {expected[2]} was expected for "
            f"recording '{recording.recording_id}'; give a flat field of the same camera."
        )
    if not (np.isfinite(flat).all() and flat.min() > 0):
        raise InputError(
            f"Flat field {path} has pixels that are not positive numbers, but it divides; give a smooth positive one."
        )
    return flat.reshape(-1, *image)
