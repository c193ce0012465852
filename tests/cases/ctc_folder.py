"""A Cell Tracking Challenge folder of six frames, worked out by hand.

cell 1  frames 0-2, divides: daughters 2 and 3 begin in frame 3 (mitosis, event frame 3)
cell 2  frames 3-5, daughter of 1
cell 3  frames 3-5, daughter of 1
cell 4  frames 0-1, continued as its only daughter 5 (censored)
cell 5  frames 2-5, daughter of 4
cell 6  frames 0-5, not marked in frame 2 (a gap)
"""

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

N_FRAMES = 6
HEIGHT_PX, WIDTH_PX = 40, 60
OFFSET = 32768
"""Camera offset, as in the challenge's HeLa recordings."""
TRACKS = ((1, 0, 2, 0), (2, 3, 5, 1), (3, 3, 5, 1), (4, 0, 1, 0), (5, 2, 5, 4), (6, 0, 5, 0))
"""Label, first frame, last frame, parent."""
CENTRES = {1: (10, 10), 2: (8, 6), 3: (8, 14), 4: (30, 20), 5: (30, 24), 6: (20, 45)}
"""(y, x) in px of each cell in its first frame; all cells drift one pixel to the right a frame."""
GAP = (6, 2)
"""Cell 6 has no marker in frame 2."""


def marker_centre(label: int, frame: int) -> tuple[int, int]:
    """(y, x) of a cell's marker in px."""
    begin = next(first for name, first, _, _ in TRACKS if name == label)
    y, x = CENTRES[label]
    return y, x + frame - begin


def draw_labels(frame: int, half_px: int, shift_px: int = 0) -> NDArray[np.uint16]:
    """Label image with a square of `2 half_px + 1` px a cell, moved down by `shift_px`."""
    labels = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.uint16)
    for label, begin, end, _ in TRACKS:
        if begin <= frame <= end and (label, frame) != GAP:
            y, x = marker_centre(label, frame)
            labels[y + shift_px - half_px : y + shift_px + half_px + 1, x - half_px : x + half_px + 1] = label
    return labels


def write_ctc_folder(root: Path, *sequences: str, masks: bool = True, tracker: bool = False, seed: int = 0) -> Path:
    """Write sequences of the case.

    Parameters
    ----------
    root : Path
        Folder to write into; made if it does not exist.
    *sequences : str
        Names, such as `01`; one sequence `01` if none is given.
    masks : bool
        Write silver-truth masks: 5 x 5 px squares, one pixel below the 3 x 3 px markers.
    tracker : bool
        Write the tracks as a tracker's result (`NN_RES`) and not as ground truth.
    seed : int
        Of the camera noise.

    Returns
    -------
    Path
        `root`.
    """
    for sequence in sequences or ("01",):
        rng = np.random.default_rng([seed, int(sequence)])
        for frame in range(N_FRAMES):
            _write(root / sequence / f"t{frame:03d}.tif", _draw_image(frame, rng))
            markers = root / (f"{sequence}_RES/mask" if tracker else f"{sequence}_GT/TRA/man_track")
            _write(markers.with_name(f"{markers.name}{frame:03d}.tif"), draw_labels(frame, half_px=1))
            if masks:
                _write(root / f"{sequence}_ST/SEG/man_seg{frame:03d}.tif", draw_labels(frame, half_px=2, shift_px=1))
        table = root / (f"{sequence}_RES/res_track.txt" if tracker else f"{sequence}_GT/TRA/man_track.txt")
        write_track_table(table)
    return root


def write_track_table(path: Path, tracks: tuple[tuple[int, int, int, int], ...] = TRACKS) -> None:
    """Write the text file with a line a track."""
    path.write_text("".join(" ".join(map(str, track)) + "\n" for track in tracks))


def _draw_image(frame: int, rng: np.random.Generator) -> NDArray[np.uint16]:
    bright = 400 * (draw_labels(frame, half_px=2, shift_px=1) > 0)
    return (OFFSET + 100 + bright + rng.poisson(20, (HEIGHT_PX, WIDTH_PX))).astype(np.uint16)


def _write(path: Path, image: NDArray[np.uint16]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, image, compression="zlib")
