"""From light to camera counts: blur, uneven light, bleaching, shot noise and read noise. Images are TCYX."""

import numpy as np
from numpy.typing import NDArray

from cellfate.simulation.settings import SimulationSettings

Singles = NDArray[np.float32]
_LARGEST_COUNT = np.iinfo(np.uint16).max


def expose(canvas_tcyx: Singles, settings: SimulationSettings, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Image the light of a recording.

    Parameters
    ----------
    canvas_tcyx : ndarray, shape (T, C, Y, X), float32
        Photons a px from fluorophores, before optics, without background; not changed.
    settings : SimulationSettings
        The study.
    rng : numpy.random.Generator
        Source of the light's shape and of the noise.

    Returns
    -------
    ndarray, shape (T, Y, X, C), uint16
        Counts. Shot noise and read noise are drawn together as one normal number of their summed variance, which at
        the photons of the background (30) and more is close to a Poisson number.
    """
    from scipy.ndimage import gaussian_filter

    image = settings.image
    fading = np.exp(-image.bleaching_per_h * settings.frame_h * np.arange(settings.n_frames)).astype(np.float32)
    light = light_field(settings, rng)
    counts = np.empty((*canvas_tcyx.shape[:1], *canvas_tcyx.shape[2:], canvas_tcyx.shape[1]), dtype=np.uint16)
    for channel in range(canvas_tcyx.shape[1]):
        photons = gaussian_filter(canvas_tcyx[:, channel], (0, image.blur_px, image.blur_px), truncate=3)
        photons += np.float32(image.background_photons)
        photons *= light * fading[:, None, None]
        noise = rng.standard_normal(photons.shape, dtype=np.float32)
        noise *= np.sqrt(photons + np.float32(image.camera_noise**2))
        photons += noise + np.float32(image.camera_offset)
        counts[..., channel] = np.clip(np.rint(photons), 0, _LARGEST_COUNT)
    return counts


def light_field(settings: SimulationSettings, rng: np.random.Generator) -> Singles:
    """Brightness of the lamp over the field: 1 near the centre, falling off as a square towards the corners.

    Returns
    -------
    ndarray, shape (Y, X), float32
        From `1 - uneven_light` to 1.
    """
    centre_y, centre_x = rng.uniform(-0.2, 0.2, 2)
    y = np.linspace(-1, 1, settings.height_px)[:, None] - centre_y
    x = np.linspace(-1, 1, settings.width_px)[None, :] - centre_x
    distance = y**2 + x**2
    field: Singles = (1 - settings.image.uneven_light * distance / distance.max()).astype(np.float32)
    return field
