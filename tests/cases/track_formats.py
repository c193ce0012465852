"""One small family, and writers of it in every format that tracks come in.

recording 01, 8 frames of 40 x 60 px, 30 min apart, pixels of 0.5 um
cell 1  frames 0-3, divides in frame 4 into 2 and 3
cell 2  frames 4, 6, 7 (a gap in 5), daughter of 1, censored
cell 3  frames 4-6, daughter of 1, dies in frame 6
cell 4  frames 2-7, alone, censored
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import networkx as nx
import numpy as np
import pandas as pd
import tifffile

from cellfate.core.fates import APOPTOSIS, CENSORED, MITOSIS, UNSCORED
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.tracks import TrackSettings, gather_tracks
from cellfate.tracks.validate import find_problems

RECORDING = "01"
N_FRAMES, HEIGHT_PX, WIDTH_PX = 8, 40, 60
FRAME_INTERVAL_MIN, PIXEL_SIZE_UM = 30.0, 0.5


@dataclass(frozen=True)
class TrackedCell:
    """A cell to write: where it is in which frame (y, x in px), whose daughter it is, and how it ends."""

    cell_id: int
    centres: dict[int, tuple[float, float]]
    parent_id: int | None = None
    fate: str = CENSORED
    event_frame: int | None = None


def _path(frames: Iterable[int], y: int, x: int) -> dict[int, tuple[float, float]]:
    return {frame: (y, x + frame) for frame in frames}


FAMILY = (
    TrackedCell(1, _path(range(4), 10, 10), fate=MITOSIS, event_frame=4),
    TrackedCell(2, _path((4, 6, 7), 8, 12), parent_id=1),
    TrackedCell(3, _path((4, 5, 6), 14, 12), parent_id=1, fate=APOPTOSIS, event_frame=6),
    TrackedCell(4, _path(range(2, 8), 30, 40)),
)


def recordings_table(*names: str) -> pd.DataFrame:
    """Columns of `Recordings` that importers look at, of recordings without images."""
    rows = [
        {
            "recording_id": name,
            "source": name,
            "channels": "gfp",
            "n_frames": N_FRAMES,
            "height_px": HEIGHT_PX,
            "width_px": WIDTH_PX,
            "dtype": "uint16",
            "frame_interval_min": FRAME_INTERVAL_MIN,
            "pixel_size_um": PIXEL_SIZE_UM,
            "group_id": name,
        }
        for name in names or (RECORDING,)
    ]
    return pd.DataFrame(rows)


def frame_files_table(*names: str) -> pd.DataFrame:
    """Table `FrameFiles` of images that nobody opens."""
    rows = [
        (name, frame, f"{name}/t{frame:03d}.tif", None) for name in names or (RECORDING,) for frame in range(N_FRAMES)
    ]
    return pd.DataFrame(rows, columns=["recording_id", "frame", "file_name", "label_file_name"])


def gather(
    root: Path, layout: str = "cell_tracking_challenge", names: tuple[str, ...] = (), **tracks: Any
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read what a writer wrote, and check it as `import_tracks` does; problems are listed, whether fatal or not."""
    settings = RecordingSettings(layout=layout, channels=("gfp",), frame_interval_min=FRAME_INTERVAL_MIN)
    tables = recordings_table(*names), frame_files_table(*names)
    read = gather_tracks(RecordingFolder(root), *tables, settings, TrackSettings(**tracks))
    return with_contradictions(*read, tables[0])


def with_contradictions(
    detections: pd.DataFrame, cells: pd.DataFrame, unread: pd.DataFrame, recordings: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What could not be read, and what is wrong with the tracks that were."""
    problems = pd.concat([unread, find_problems(detections, cells, recordings)], ignore_index=True)
    return detections, cells, problems


def spots_of(cells: Iterable[TrackedCell]) -> dict[tuple[int, int], int]:
    """Number of each spot: the first of a cell has the number of the cell, the others from 1000 on."""
    numbers: dict[tuple[int, int], int] = {}
    for cell in cells:
        for place, frame in enumerate(sorted(cell.centres)):
            numbers[cell.cell_id, frame] = cell.cell_id if place == 0 else 1000 + len(numbers)
    return numbers


def links_of(cells: Iterable[TrackedCell]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Links between (cell, frame) and (cell, frame), along cells and from mothers to daughters."""
    cells = tuple(cells)
    last = {cell.cell_id: (cell.cell_id, max(cell.centres)) for cell in cells}
    links = []
    for cell in cells:
        frames = sorted(cell.centres)
        links += [((cell.cell_id, one), (cell.cell_id, two)) for one, two in pairwise(frames)]
        if cell.parent_id is not None:
            links.append((last[cell.parent_id], (cell.cell_id, frames[0])))
    return links


def write_csv(root: Path, cells: Iterable[TrackedCell]) -> None:
    rows = [
        {
            "Track": cell.cell_id,
            "Frame": frame + 1,
            "Y": y,
            "X": x,
            "Mother": "" if cell.parent_id is None else cell.parent_id,
            "Fate": {MITOSIS: "divided", APOPTOSIS: "died", CENSORED: ""}[cell.fate],
            "Event": "" if cell.event_frame is None else cell.event_frame + 1,
        }
        for cell in cells
        for frame, (y, x) in cell.centres.items()
    ]
    pd.DataFrame(rows).to_csv(root / f"{RECORDING}.csv", index=False)


def write_napari(root: Path, cells: Iterable[TrackedCell]) -> None:
    cells = tuple(cells)
    rows = [(cell.cell_id, frame, y, x) for cell in cells for frame, (y, x) in cell.centres.items()]
    pd.DataFrame(rows, columns=["track_id", "t", "y", "x"]).to_csv(root / f"{RECORDING}.csv", index=False)
    graph = {cell.cell_id: [cell.parent_id] for cell in cells if cell.parent_id is not None}
    (root / f"{RECORDING}_graph.json").write_text(json.dumps(graph))


def _families(cells: tuple[TrackedCell, ...]) -> dict[int, int]:
    """Track of TrackMate that each cell is part of: a family."""
    parents = {cell.cell_id: cell.parent_id for cell in cells}

    def founder(cell: int) -> int:
        parent = parents[cell]
        return cell if parent is None else founder(parent)

    order = sorted({founder(cell) for cell in parents})
    return {cell: order.index(founder(cell)) for cell in parents}


def write_trackmate_xml(root: Path, cells: Iterable[TrackedCell]) -> None:
    """As TrackMate 7 saves it, in micrometres, with a hidden spot and a track that a filter took out."""
    cells = tuple(cells)
    numbers, families = spots_of(cells), _families(cells)
    frames: dict[int, list[str]] = {frame: [] for frame in range(N_FRAMES + 2)}
    for cell in cells:
        for frame, (y, x) in cell.centres.items():
            frames[frame].append(_xml_spot(numbers[cell.cell_id, frame], frame, y, x))
    for number, frame in ((901, 0), (902, 1), (903, 2)):
        frames[frame].append(_xml_spot(number, frame, 35, 5))
    edges: dict[int, list[str]] = {track: [] for track in families.values()}
    for place, (source, target) in enumerate(links_of(cells)):
        ends = (numbers[source], numbers[target])[:: 1 if place % 2 else -1]  # TrackMate's edges have no direction
        edges[families[target[0]]].append(
            f'<Edge SPOT_SOURCE_ID="{ends[0]}" SPOT_TARGET_ID="{ends[1]}" LINK_COST="1.0" />'
        )
    edges[99] = ['<Edge SPOT_SOURCE_ID="901" SPOT_TARGET_ID="902" LINK_COST="1.0" />']
    spots = "".join(
        f'<SpotsInFrame frame="{frame}">{"".join(listed)}</SpotsInFrame>' for frame, listed in frames.items()
    )
    tracks = "".join(
        f'<Track name="Track_{track}" TRACK_ID="{track}">{"".join(listed)}</Track>' for track, listed in edges.items()
    )
    kept = "".join(f'<TrackID TRACK_ID="{track}" />' for track in sorted(set(families.values())))
    (root / f"{RECORDING}.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<TrackMate version="7.11.1"><Log>made by hand</Log>'
        f'<Model spatialunits="micron" timeunits="min"><AllSpots nspots="{len(numbers)}">{spots}</AllSpots>'
        f"<AllTracks>{tracks}</AllTracks><FilteredTracks>{kept}</FilteredTracks></Model><Settings>"
        f'<ImageData filename="{RECORDING}.tif" width="{WIDTH_PX}" height="{HEIGHT_PX}" nframes="{N_FRAMES}" '
        f'pixelwidth="{PIXEL_SIZE_UM}" pixelheight="{PIXEL_SIZE_UM}" timeinterval="{FRAME_INTERVAL_MIN}" />'
        "</Settings></TrackMate>\n"
    )


def _xml_spot(number: int, frame: int, y: float, x: float) -> str:
    return (
        f'<Spot ID="{number}" name="ID{number}" QUALITY="1.0" POSITION_T="{frame * FRAME_INTERVAL_MIN}" '
        f'FRAME="{frame}" RADIUS="2.5" VISIBILITY="1" POSITION_X="{x * PIXEL_SIZE_UM}" '
        f'POSITION_Y="{y * PIXEL_SIZE_UM}" POSITION_Z="0.0" />'
    )


SPOT_HEADER = (
    "LABEL,ID,TRACK_ID,QUALITY,POSITION_X,POSITION_Y,POSITION_Z,POSITION_T,FRAME,RADIUS,VISIBILITY,MANUAL_SPOT_COLOR\n"
    "Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,Radius,Visibility,Manual spot color\n"
    "Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,R,Visibility,Spot color\n"
    ",,,(quality),(micron),(micron),(micron),(min),,(micron),,\n"
)
EDGE_HEADER = (
    "LABEL,TRACK_ID,SPOT_SOURCE_ID,SPOT_TARGET_ID,LINK_COST\n"
    "Label,Track ID,Source spot ID,Target spot ID,Edge cost\n"
    "Label,Track ID,Source ID,Target ID,Cost\n"
    ",,,,(cost)\n"
)


def write_trackmate_csv(root: Path, cells: Iterable[TrackedCell]) -> None:
    """As TrackMate 7 exports it: the table of spots, with one spot of no track, and the table of edges."""
    cells = tuple(cells)
    numbers, families = spots_of(cells), _families(cells)
    lines = ["ID900,900,,1.0,2.0,2.0,0.0,0.0,0,2.5,1,"]
    for cell in cells:
        for frame, (y, x) in cell.centres.items():
            number = numbers[cell.cell_id, frame]
            place = f"{x * PIXEL_SIZE_UM},{y * PIXEL_SIZE_UM},0.0,{frame * FRAME_INTERVAL_MIN}"
            lines.append(f"ID{number},{number},{families[cell.cell_id]},1.0,{place},{frame},2.5,1,")
    (root / f"{RECORDING}_spots.csv").write_text(SPOT_HEADER + "\n".join(lines) + "\n")
    edges = [
        f"ID{numbers[source]} - ID{numbers[target]},{families[target[0]]},{numbers[source]},{numbers[target]},1.0"
        for source, target in links_of(cells)
    ]
    (root / f"{RECORDING}_edges.csv").write_text(EDGE_HEADER + "\n".join(edges) + "\n")


def write_btrack(root: Path, cells: Iterable[TrackedCell]) -> None:
    """As btrack 0.6 writes it; frames within a track without a cell are dummies."""
    cells = tuple(cells)
    coords, labels, dummies, rows, bounds, table, fates = [], [], [], [], [], [], []
    for cell in cells:
        start = len(rows)
        for frame in range(min(cell.centres), max(cell.centres) + 1):
            if frame not in cell.centres:
                dummies.append((frame, 0.0, 0.0, 0.0, 99))
                rows.append(-len(dummies))
                continue
            y, x = cell.centres[frame]
            dying = cell.fate == APOPTOSIS and frame >= (cell.event_frame or 0)
            rows.append(len(coords))
            coords.append((frame, x, y, 0.0, 4 if dying else 0))
            labels.append((4 if dying else 0,))
        bounds.append((start, len(rows)))
        parent = cell.cell_id if cell.parent_id is None else cell.parent_id
        table.append((cell.cell_id, min(cell.centres), max(cell.centres), parent, parent, 0))
        fates.append({MITOSIS: 4, APOPTOSIS: 5, CENSORED: 22}[cell.fate])
    with h5py.File(root / f"{RECORDING}.h5", "w") as file:
        objects, tracks = file.create_group("objects/obj_type_1"), file.create_group("tracks/obj_type_1")
        objects["coords"], objects["labels"] = np.array(coords, "f4"), np.array(labels, "f4")
        tracks["LBEPR"], tracks["fates"] = np.array(table, "i4"), np.array(fates, "i4")
        tracks["map"], tracks["tracks"] = np.array(bounds, "u4"), np.array(rows, "i4")
        tracks["dummies"] = np.array(dummies, "f4").reshape(-1, 5)


def write_geff(root: Path, cells: Iterable[TrackedCell]) -> None:
    """Written by the geff package itself."""
    import geff

    cells = tuple(cells)
    numbers, graph = spots_of(cells), nx.DiGraph()
    for cell in cells:
        stated = {"outcome": cell.fate} if cell.fate == APOPTOSIS else {"outcome": ""}
        stated |= {"when": cell.event_frame if cell.fate == APOPTOSIS else -1}
        for frame, (y, x) in cell.centres.items():
            graph.add_node(numbers[cell.cell_id, frame], t=frame, y=float(y), x=float(x), **stated)
    graph.add_edges_from((numbers[source], numbers[target]) for source, target in links_of(cells))
    for _, properties in graph.nodes(data=True):
        if properties["when"] < 0 and any(cell.fate == APOPTOSIS for cell in cells):
            del properties["when"]  # GEFF says that it is missing; a property that all lack is not written
    geff.write(graph, root / f"{RECORDING}.geff", axis_names=["t", "y", "x"], axis_types=["time", "space", "space"])


def label_images(cells: Iterable[TrackedCell]) -> np.ndarray:
    """Labels T Y X: one pixel a cell, so positions are whole numbers."""
    labels_tyx = np.zeros((N_FRAMES, HEIGHT_PX, WIDTH_PX), np.uint16)
    for cell in cells:
        for frame, (y, x) in cell.centres.items():
            labels_tyx[frame, int(y), int(x)] = cell.cell_id
    return labels_tyx


def write_labels(root: Path, cells: Iterable[TrackedCell]) -> None:
    """One stack of labels, and a table of parents."""
    cells = tuple(cells)
    tifffile.imwrite(root / f"{RECORDING}.tif", label_images(cells), photometric="minisblack")
    lines = [f"{cell.cell_id},{cell.parent_id or ''}" for cell in cells]
    (root / f"{RECORDING}_parents.csv").write_text("\n".join(["label,parent", *lines]) + "\n")


def write_deepcell(root: Path, cells: Iterable[TrackedCell]) -> None:
    """As deepcell-tracking's `save_trk` writes it: a packed tar of lineages, images and labels T Y X 1."""
    cells = tuple(cells)
    daughters = {cell.cell_id: [one for one in cells if one.parent_id == cell.cell_id] for cell in cells}
    lineage = {
        str(cell.cell_id): {
            "label": cell.cell_id,
            "frames": sorted(cell.centres),
            "parent": cell.parent_id,
            "daughters": [one.cell_id for one in daughters[cell.cell_id]],
            "frame_div": min((min(one.centres) for one in daughters[cell.cell_id]), default=None),
            "capped": cell.fate != CENSORED,
        }
        for cell in cells
    }
    labels = label_images(cells)[..., np.newaxis].astype(np.int32)
    with tarfile.open(root / f"{RECORDING}.trk", "w:gz") as archive:
        add_member(archive, "lineage.json", json.dumps(lineage, indent=4).encode())
        for name, array in (("raw.npy", labels.astype(np.float32)), ("tracked.npy", labels)):
            content = io.BytesIO()
            np.save(content, array)
            add_member(archive, name, content.getvalue())


def add_member(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to a tar archive."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def write_imaris(root: Path, cells: Iterable[TrackedCell]) -> None:
    """As Imaris exports positions, with three lines before the header and one spot of no track; from the corner."""
    lines = [
        "",
        "Position",
        " ==================== ",
        "Position X,Position Y,Position Z,Unit,Category,Collection,Time,",
    ]
    lines[-1] += "TrackID,ID,"
    lines.append("1.0,1.0,0.0,um,Spot,Position,1,,77,")
    for (cell_id, frame), number in spots_of(cells := tuple(cells)).items():
        y, x = next(cell for cell in cells if cell.cell_id == cell_id).centres[frame]
        place = f"{(x + 0.5) * PIXEL_SIZE_UM},{(y + 0.5) * PIXEL_SIZE_UM},0.0,um,Spot,Position"
        lines.append(f"{place},{frame + 1},{cell_id},{number},")
    (root / f"{RECORDING}_Position.csv").write_text("\n".join(lines) + "\n")


def write_cell_acdc(root: Path, cells: Iterable[TrackedCell]) -> None:
    """As Cell-ACDC writes a lineage tree; a cell that dies is marked from its event on."""
    rows = [
        {
            "frame_i": frame,
            "time_seconds": 60 * FRAME_INTERVAL_MIN * frame,
            "Cell_ID": cell.cell_id,
            "is_cell_dead": int(cell.fate == APOPTOSIS and frame >= (cell.event_frame or 0)),
            "is_cell_excluded": 0,
            "x_centroid": x,
            "y_centroid": y,
            "parent_ID_tree": cell.parent_id or -1,
        }
        for cell in cells
        for frame, (y, x) in cell.centres.items()
    ]
    pd.DataFrame(rows).to_csv(root / f"{RECORDING}_acdc_output.csv", index=False)


def write_cellprofiler(root: Path, cells: Iterable[TrackedCell]) -> None:
    """As CellProfiler exports objects: each names the object before it; families share a label. With one untracked."""
    cells = tuple(cells)
    came_from = {target: source for source, target in links_of(cells)}
    families = _families(cells)
    rows = [
        {
            "ImageNumber": frame + 1,
            "ObjectNumber": cell.cell_id,
            "AreaShape_Area": 30,
            "Location_Center_X": x,
            "Location_Center_Y": y,
            "TrackObjects_Label_50": families[cell.cell_id] + 1,
            "TrackObjects_ParentImageNumber_50": came_from.get((cell.cell_id, frame), (0, -1))[1] + 1,
            "TrackObjects_ParentObjectNumber_50": came_from.get((cell.cell_id, frame), (0, -1))[0],
        }
        for cell in cells
        for frame, (y, x) in cell.centres.items()
    ]
    untracked = {"ImageNumber": 1, "ObjectNumber": 900, "Location_Center_X": 1.0, "Location_Center_Y": 1.0}
    pd.DataFrame([*rows, untracked]).to_csv(root / f"{RECORDING}.csv", index=False)


def first_object(cell: TrackedCell) -> int:
    """Number that a cell of CellProfiler has: that of its first object."""
    return (min(cell.centres) + 1) * 100_000 + cell.cell_id


def write_ctc(root: Path, cells: Iterable[TrackedCell]) -> None:
    """The labels a file a frame, and their table."""
    cells = tuple(cells)
    folder = root / f"{RECORDING}_GT" / "TRA"
    folder.mkdir(parents=True)
    for frame, labels in enumerate(label_images(cells)):
        tifffile.imwrite(folder / f"man_track{frame:03d}.tif", labels)
    lines = [f"{cell.cell_id} {min(cell.centres)} {max(cell.centres)} {cell.parent_id or 0}" for cell in cells]
    (folder / "man_track.txt").write_text("\n".join(lines) + "\n")


def write_coco(root: Path, cells: Iterable[TrackedCell]) -> None:
    marks = [
        {
            "image_id": frame,
            "cell_id": cell.cell_id,
            "category_id": 1,
            "bbox": [(x + 0.5) / WIDTH_PX, (y + 0.5) / HEIGHT_PX, 0.1, 0.1],
            "time_of_death": cell.event_frame if cell.fate == APOPTOSIS else None,
            "time_of_division": cell.event_frame if cell.fate == MITOSIS else None,
        }
        for cell in cells
        for frame, (y, x) in cell.centres.items()
    ]
    images = [{"id": f, "video_id": 1, "frame_id": f, "file_name": f"{RECORDING}/{f}.tif"} for f in range(N_FRAMES)]
    content = {"videos": [{"id": 1, "name": RECORDING}], "images": images, "annotations": marks, "categories": []}
    (root / "annotations.json").write_text(json.dumps(content))


def write_fates(root: Path, cells: Iterable[TrackedCell]) -> None:
    """A separate table of fates, in hours."""
    rows = [
        {
            "movie": RECORDING,
            "cell": cell.cell_id,
            "end": "dead" if cell.fate == APOPTOSIS else cell.fate,
            "hours": "" if cell.event_frame is None else cell.event_frame * FRAME_INTERVAL_MIN / 60,
        }
        for cell in cells
    ]
    pd.DataFrame(rows).to_csv(root / "fates.csv", index=False)


FATES_SETTINGS: dict[str, Any] = {
    "fates_file": "fates.csv",
    "fates_columns": {"recording_id": "movie", "cell_id": "cell", "fate": "end", "time": "hours"},
    "fates_time_unit": "h",
    "fate_names": {"dead": "apoptosis", "died": "apoptosis", "divided": "mitosis"},
}


@dataclass(frozen=True)
class FormatCase:
    """A format: who writes it, how it is read, what it can say, and the file that is damaged by tests."""

    name: str
    write: Callable[[Path, Iterable[TrackedCell]], None]
    settings: dict[str, Any]
    file: str
    layout: str = "cell_tracking_challenge"
    says_parents: bool = True
    says_deaths: bool = False
    has_fate_column: bool = False
    writes_mitosis: bool = True
    """Whether the column of fates is filled where the tracks show a division."""
    says_divisions: bool = True
    has_frames: bool = True
    """Whether the file numbers frames; false where a frame is an image."""
    number: Callable[[TrackedCell], int] = lambda cell: cell.cell_id
    """Number that a cell is given when it is read."""

    def as_read(self, cells: Iterable[TrackedCell]) -> tuple[TrackedCell, ...]:
        """Give cells the numbers that they have when they are read."""
        cells = tuple(cells)
        numbers = {cell.cell_id: self.number(cell) for cell in cells}
        numbers |= {None: None}  # type: ignore[dict-item]
        return tuple(
            replace(cell, cell_id=numbers[cell.cell_id], parent_id=numbers.get(cell.parent_id, cell.parent_id))  # type: ignore[arg-type]
            for cell in cells
        )

    def expected_cells(self, cells: Iterable[TrackedCell], with_fates: bool = False) -> list[tuple[Any, ...]]:
        """cell_id, parent_id, lineage, first and last frame, fate, event_frame, as far as the format can say."""
        cells = self.as_read(cells)
        families = {cell.cell_id: cell.parent_id for cell in cells}
        in_part = self.has_fate_column and not all(cell.fate in (MITOSIS, APOPTOSIS) for cell in cells)
        shown = MITOSIS if self.writes_mitosis or not in_part else None
        rows = []
        for cell in sorted(cells, key=lambda one: one.cell_id):
            founder = cell.cell_id
            while families[founder] is not None:
                founder = int(families[founder] or 0)
            lineage = f"{RECORDING}:{founder}" if self.says_parents else None
            told = with_fates or (self.says_deaths and cell.fate == APOPTOSIS)
            told |= self.says_divisions and cell.fate == shown
            blank = UNSCORED if self.has_fate_column else CENSORED
            end = (cell.fate, cell.event_frame) if told else (blank, None)
            parent = cell.parent_id if self.says_parents else None
            rows.append((cell.cell_id, parent, lineage, min(cell.centres), max(cell.centres), *end))
        return rows


CSV_COLUMNS = {
    "cell_id": "Track",
    "frame": "Frame",
    "y": "Y",
    "x": "X",
    "parent_id": "Mother",
    "fate": "Fate",
    "event_frame": "Event",
}
FORMATS = (
    FormatCase("coco_vid", write_coco, {}, "annotations.json", "coco_vid", says_parents=False, says_deaths=True),
    FormatCase("cell_tracking_challenge", write_ctc, {}, "01_GT/TRA/man_track.txt"),
    FormatCase("trackmate_xml", write_trackmate_xml, {}, "01.xml"),
    FormatCase("trackmate_csv", write_trackmate_csv, {"edges_file": "{recording_id}_edges.csv"}, "01_spots.csv"),
    FormatCase("btrack", write_btrack, {}, "01.h5", says_deaths=True),
    FormatCase(
        "geff",
        write_geff,
        {"columns": {"fate": "outcome", "event_frame": "when"}},
        "01.geff",
        says_deaths=True,
        has_fate_column=True,
        writes_mitosis=False,
    ),
    FormatCase("napari_csv", write_napari, {"graph_file": "{recording_id}_graph.json"}, "01.csv"),
    FormatCase(
        "labels",
        write_labels,
        {"files": "{recording_id}.tif", "graph_file": "{recording_id}_parents.csv"},
        "01.tif",
        has_frames=False,
    ),
    FormatCase("deepcell", write_deepcell, {}, "01.trk", has_frames=False),
    FormatCase("imaris_csv", write_imaris, {}, "01_Position.csv", says_parents=False, says_divisions=False),
    FormatCase(
        "cell_acdc",
        write_cell_acdc,
        {"columns": {"fate": "is_cell_dead"}},
        "01_acdc_output.csv",
        says_deaths=True,
        has_fate_column=True,
        writes_mitosis=False,
    ),
    FormatCase("cellprofiler_csv", write_cellprofiler, {}, "01.csv", number=first_object),
    FormatCase(
        "csv",
        write_csv,
        {"columns": CSV_COLUMNS, "first_frame": 1, "fate_names": FATES_SETTINGS["fate_names"]},
        "01.csv",
        says_deaths=True,
        has_fate_column=True,
    ),
)


def found_cells(cells: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The rows of a table of cells as `FormatCase.expected_cells` gives them."""
    columns = ["cell_id", "parent_id", "lineage_id", "first_frame", "last_frame", "fate", "event_frame"]
    rows = cells.sort_values("cell_id")[columns].astype(object).to_numpy().tolist()
    return [tuple(None if pd.isna(value) else value for value in row) for row in rows]


def found_detections(detections: pd.DataFrame) -> dict[tuple[int, int], tuple[float, float]]:
    """Position of every cell and frame, rounded to a thousandth of a pixel."""
    rows = zip(*(detections[name].tolist() for name in ("cell_id", "frame", "y_px", "x_px")), strict=True)
    return {(cell, frame): (round(y, 3), round(x, 3)) for cell, frame, y, x in rows}


def expected_detections(cells: Iterable[TrackedCell]) -> dict[tuple[int, int], tuple[float, float]]:
    """Position of every cell and frame that was written."""
    return {
        (cell.cell_id, frame): (round(float(y), 3), round(float(x), 3))
        for cell in cells
        for frame, (y, x) in cell.centres.items()
    }
