"""What single programs' formats must do beyond the contract: labels, DeepCell, Imaris, Cell-ACDC, CellProfiler."""

import io
import json
import logging
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from pydantic import ValidationError

from cellfate.tracks import TrackSettings, archived_arrays
from tests.cases.track_formats import (
    FAMILY,
    FORMATS,
    HEIGHT_PX,
    N_FRAMES,
    WIDTH_PX,
    add_member,
    expected_detections,
    found_cells,
    found_detections,
    gather,
    label_images,
    write_cell_acdc,
    write_cellprofiler,
    write_deepcell,
    write_imaris,
    write_labels,
)

CASES = {case.name: case for case in FORMATS}
LABELS = {"format": "labels", "files": "{recording_id}.tif"}


def the_problem(root: Path, **tracks: Any) -> str:
    """The one problem that is found."""
    _, cells, problems = gather(root, **tracks)
    assert cells.empty
    assert len(problems) == 1
    return str(problems["reason"].iloc[0])


# a stack of labels


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("01.txt", "1 0 3 0\n2 4 7 1\n3 4 6 1\n4 2 7 0\n"),
        ("01.json", '{"2": [1], "3": [1]}'),
        ("01_parents.csv", "label,parent\n1,0\n2,1\n3,1\n4,-1\n"),
        ("01_parents.csv", "child_track_id;parent_track_id\n2;1\n3;1\n"),
    ],
)
def test_parents_of_labels_come_in_three_forms(tmp_path: Path, name: str, text: str) -> None:
    write_labels(tmp_path, FAMILY)
    (tmp_path / name).write_text(text)
    _, cells, problems = gather(tmp_path, graph_file=name.replace("01", "{recording_id}"), **LABELS)
    assert problems.empty
    assert found_cells(cells) == CASES["labels"].expected_cells(FAMILY)


def test_labels_alone_know_no_parents(tmp_path: Path) -> None:
    write_labels(tmp_path, FAMILY)
    detections, cells, problems = gather(tmp_path, **LABELS)
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    assert set(cells["fate"]) == {"censored"}
    assert cells["lineage_id"].isna().all()


def test_the_centre_of_a_label_is_that_of_its_pixels(tmp_path: Path) -> None:
    labels = np.zeros((N_FRAMES, HEIGHT_PX, WIDTH_PX), np.uint16)
    labels[:, 4:7, 10:12] = 3
    labels[1, 9, 11] = 3
    tifffile.imwrite(tmp_path / "01.tif", labels, imagej=True, metadata={"axes": "TYX"})
    detections, _, _ = gather(tmp_path, **LABELS)
    assert detections[["y_px", "x_px"]].iloc[0].tolist() == [5, 10.5]
    assert detections[["y_px", "x_px"]].iloc[1].tolist() == [39 / 7, 74 / 7]


def test_labels_of_another_image_are_an_error(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "01.tif", label_images(FAMILY)[:6, :30], photometric="minisblack")
    _, _, problems = gather(tmp_path, **LABELS)
    assert problems["check"].tolist()[:2] == ["other_image", "other_facts"]
    assert "states an image of 60 x 30 px" in problems["reason"].iloc[0]
    assert "position_unit" not in problems["reason"].iloc[0]  # labels are pixels, and micrometres are refused for them
    assert "states 6 frames, but recording '01' (01) has 8" in problems["reason"].iloc[1]


@pytest.mark.parametrize("shape", [(2, N_FRAMES, HEIGHT_PX, WIDTH_PX), (N_FRAMES, HEIGHT_PX, WIDTH_PX)])
def test_a_stack_that_is_no_labels_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    tifffile.imwrite(tmp_path / "01.tif", np.ones(shape, np.float32), photometric="minisblack")
    assert "but one stack of labels was expected" in the_problem(tmp_path, **LABELS)


def test_a_label_beyond_2_63_is_named(tmp_path: Path) -> None:
    labels = label_images(FAMILY).astype(np.uint64)
    labels[3, 2, 2] = 2**63
    tifffile.imwrite(tmp_path / "01.tif", labels, photometric="minisblack")
    assert "has a label beyond 2^63; number the cells anew" in the_problem(tmp_path, **LABELS)


@pytest.mark.parametrize("changes", [{"first_frame": 1}, {"position_unit": "um"}])
def test_labels_count_pixels_and_frames_themselves(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="but format is labels"):
        TrackSettings(**LABELS, **changes)


# DeepCell


def write_archive(path: Path, members: dict[str, bytes]) -> None:
    if path.suffix == ".npz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            add_member(archive, name, content)


def as_npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def test_labels_of_an_npz_are_read_and_its_pickled_lineages_are_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lineages = np.array([{1: {"daughters": [2, 3]}}], dtype=object)
    np.savez_compressed(tmp_path / "01.npz", X=np.zeros((1, N_FRAMES)), y=label_images(FAMILY)[None], lineages=lineages)
    with caplog.at_level(logging.WARNING):
        detections, cells, problems = gather(tmp_path, format="deepcell", files="{recording_id}.npz")
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    assert cells["lineage_id"].isna().all()
    assert "has no lineages that can be read without unpickling" in caplog.text


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"tracked.npy": as_npy(np.zeros((N_FRAMES, 8, 8), int))}, "have shape (8, 8, 8), but recording '01' has 8"),
        ({"tracked.npy": as_npy(np.array([{}, {}], dtype=object))}, "have shape (2,)"),
        ({"tracked.npy": as_npy(label_images(FAMILY))[:-9]}, "end within frame 7 of 8"),
        ({"tracked.npy": as_npy(label_images(FAMILY) + 0.5)}, "are no whole numbers"),
        ({"tracked.npy": as_npy(np.asfortranarray(label_images(FAMILY)))}, "whole numbers in C order were expected"),
        ({"tracked.npy": b"no array"}, "cannot be read as DeepCell's"),
        ({"lineage.json": b"{}"}, "holds no tracked labels"),
        ({"lineage.json": b'[{"1": {}}, {"1": {}}]'}, "holds the lineages of 2 movies"),
        ({"lineage.json": b"[" * 100_000}, "cannot be read as DeepCell's"),
        ({"lineage.json": b'{"99999999999999999999": {}}'}, "cannot be read as DeepCell's"),
        ({"lineage.json": b'{"1": "daughter"}'}, "cannot be read as DeepCell's"),
        ({"tracked.npy": as_npy(np.full((N_FRAMES, HEIGHT_PX, WIDTH_PX), 2**63, np.uint64))}, "are no whole numbers"),
    ],
)
@pytest.mark.parametrize("ending", [".trk", ".npz"])
def test_a_deepcell_file_that_is_not_sound_is_refused(
    tmp_path: Path, members: dict[str, bytes], words: str, ending: str
) -> None:
    write_archive(tmp_path / f"01{ending}", members)
    assert words in the_problem(tmp_path, format="deepcell", files=f"{{recording_id}}{ending}")


@pytest.mark.parametrize("ending", [".trk", ".npz"])
def test_a_deepcell_file_that_claims_more_than_its_images_need_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(archived_arrays, "MOST_JSON", 1000)
    most = N_FRAMES * HEIGHT_PX * WIDTH_PX * 64 + 1000
    write_archive(tmp_path / f"01{ending}", {"raw.npy": bytes(most + 1)})
    said = the_problem(tmp_path, format="deepcell", files=f"{{recording_id}}{ending}")
    assert f"raw.npy in {tmp_path / f'01{ending}'} claims {most + 1} bytes" in said


def test_links_in_an_archive_are_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "01.trk", "w") as archive:
        link = tarfile.TarInfo("tracked.npy")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    assert "holds no tracked labels" in the_problem(tmp_path, format="deepcell")


def test_mothers_and_daughters_of_deepcell_must_agree_and_capped_is_no_death(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lineage = {str(n): {"parent": None, "daughters": [], "frame_div": None, "capped": True} for n in (1, 2, 3, 4)}
    lineage["1"] |= {"daughters": [2, 3], "frame_div": 5}
    members = {"tracked.npy": as_npy(label_images(FAMILY)), "lineages.json": json.dumps([lineage]).encode()}
    write_archive(tmp_path / "01.trk", members)
    with caplog.at_level(logging.WARNING):
        _, cells, problems = gather(tmp_path, format="deepcell")
    assert problems.empty
    assert cells["fate"].tolist() == ["mitosis", "censored", "censored", "censored"]
    assert cells["event_frame"].tolist()[0] == 4
    assert "cell 1 divides in frame 5 by its lineage, but its daughters begin in 4, which counts" in caplog.text
    lineage["2"]["parent"] = 4
    write_archive(tmp_path / "01.trk", {**members, "lineages.json": json.dumps([lineage]).encode()})
    assert "cell 1 has the daughter 2, whose parent is 4; correct either" in the_problem(tmp_path, format="deepcell")


def test_deepcell_reads_what_save_trk_writes_under_both_names(tmp_path: Path) -> None:
    write_deepcell(tmp_path, FAMILY)
    first, _, _ = gather(tmp_path, format="deepcell")
    with tarfile.open(tmp_path / "01.trk") as archive:
        members = {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]
    members["lineages.json"] = b"[" + members.pop("lineage.json") + b"]"
    write_archive(tmp_path / "01.trk", members)
    second, cells, _ = gather(tmp_path, format="deepcell")
    assert second.equals(first)
    assert cells["parent_id"].fillna(0).tolist() == [0, 1, 1, 0]


# Imaris


def test_imaris_counts_from_the_corner_and_from_1(tmp_path: Path) -> None:
    """The centre of the first pixel of 0.5 um lies at 0.25 um."""
    write_imaris(tmp_path, FAMILY)
    text = (tmp_path / "01_Position.csv").read_text()
    assert "5.25,5.25,0.0,um,Spot,Position,1,1,1," in text
    detections, _, _ = gather(tmp_path, format="imaris_csv")
    row = detections[detections["spot_id"] == 1].iloc[0]
    assert (row["frame"], row["y_px"], row["x_px"]) == (0, 10, 10)


def test_an_imaris_track_that_branches_is_linked_by_nearness_and_told(tmp_path: Path) -> None:
    write_imaris(tmp_path, FAMILY)
    table = (tmp_path / "01_Position.csv").read_text().splitlines()
    families = [
        ",".join([*(row := line.split(","))[:7], "1" if row[7] in "23" else row[7], *row[8:]]) for line in table[5:]
    ]
    (tmp_path / "01_Position.csv").write_text("\n".join([*table[:5], *families]) + "\n")
    detections, cells, problems = gather(tmp_path, format="imaris_csv")
    assert problems["check"].tolist() == ["nearest_links"]
    assert "look at some of these divisions in Imaris" in problems["reason"].iloc[0]
    assert found_detections(detections) == expected_detections(FAMILY)
    assert cells["parent_id"].fillna(0).tolist() == [0, 1, 1, 0]
    assert cells["fate"].tolist() == ["mitosis", "censored", "censored", "censored"]


@pytest.mark.parametrize("before", ["", "\n", 'of the "left image\n'])
def test_the_header_of_imaris_stands_below_the_line_of_equals_signs(tmp_path: Path, before: str) -> None:
    """A quote above it that is never closed swallows nothing, and a file that ends there is empty."""
    write_imaris(tmp_path, FAMILY)
    path = tmp_path / "01_Position.csv"
    text = path.read_text().lstrip()
    path.write_text(before + text)
    detections, _, problems = gather(tmp_path, format="imaris_csv")
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    path.write_text(before + "Position\n====================\n")
    assert "is empty, but a table with a header was expected" in the_problem(tmp_path, format="imaris_csv")


# Cell-ACDC


def test_a_cell_marked_as_dead_is_apoptotic_only_where_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_cell_acdc(tmp_path, FAMILY)
    with caplog.at_level(logging.WARNING):
        _, cells, problems = gather(tmp_path, format="cell_acdc")
    assert problems.empty
    assert cells["fate"].tolist() == ["mitosis", "censored", "censored", "censored"]
    assert "marks 1 cells as dead; set tracks.columns.fate to is_cell_dead if they died by apoptosis" in caplog.text
    _, cells, _ = gather(tmp_path, format="cell_acdc", columns={"fate": "is_cell_dead"})
    assert cells[["fate", "event_frame"]].iloc[2].tolist() == ["apoptosis", 6]


def test_excluded_cells_of_cell_acdc_are_left_out(tmp_path: Path) -> None:
    write_cell_acdc(tmp_path, FAMILY)
    path = tmp_path / "01_acdc_output.csv"
    table = pd.read_csv(path)
    table["is_cell_excluded"] = table["Cell_ID"] == 4
    table.to_csv(path, index=False)
    _, cells, _ = gather(tmp_path, format="cell_acdc")
    assert cells["cell_id"].tolist() == [1, 2, 3]
    table.assign(is_cell_excluded="perhaps").to_csv(path, index=False)
    assert "'perhaps' in column is_cell_excluded, but True or False was expected" in the_problem(
        tmp_path, format="cell_acdc"
    )


def test_generations_of_budding_cells_are_cells(tmp_path: Path) -> None:
    """Cell 1 buds 2 in frame 2; they part in frame 4; 1 goes on as its generation 3."""
    rows = [
        (frame, 1, 10.0, 10.0, *annotated)
        for frame, annotated in enumerate([(2, "mother", -1)] * 2 + [(2, "mother", 2)] * 2 + [(3, "mother", 2)] * 3)
    ]
    rows += [(2, 2, 14.0, 12.0, 0, "bud", -1), (3, 2, 14.0, 12.0, 0, "bud", 1)]  # first it is not known whose bud
    rows += [(frame, 2, 14.0, 12.0, 1, "mother", 1) for frame in (4, 5, 6)]
    columns = ["frame_i", "Cell_ID", "x_centroid", "y_centroid", "generation_num", "relationship", "relative_ID"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "01_acdc_output.csv", index=False)
    detections, cells, problems = gather(tmp_path, format="cell_acdc")
    assert problems.empty
    assert cells["cell_id"].tolist() == [1002, 1003, 2001]
    assert cells["parent_id"].fillna(0).tolist() == [0, 1002, 1002]
    assert cells["fate"].tolist() == ["mitosis", "censored", "censored"]
    assert cells["event_frame"].tolist()[0] == 4
    assert detections.groupby("cell_id")["frame"].agg(["min", "max"]).to_numpy().tolist() == [[0, 3], [4, 6], [4, 6]]


# CellProfiler


def test_one_table_of_cellprofiler_for_all_recordings_needs_a_column_of_frames(tmp_path: Path) -> None:
    """ImageNumber goes on counting from one movie to the next."""
    write_cellprofiler(tmp_path, FAMILY)
    table = pd.read_csv(tmp_path / "01.csv")
    table["Metadata_Frame"] = table["ImageNumber"]
    late = table.assign(Metadata_Movie="02", ImageNumber=table["ImageNumber"] + N_FRAMES)
    image = "TrackObjects_ParentImageNumber_50"
    late[image] = late[image].where(late[image] == 0, late[image] + N_FRAMES)
    pd.concat([table.assign(Metadata_Movie="01"), late]).to_csv(tmp_path / "Nuclei.csv", index=False)
    tracks = {"format": "cellprofiler_csv", "files": "Nuclei.csv", "names": ("01", "02")}
    said = {"recording_id": "Metadata_Movie", "frame": "Metadata_Frame"}
    detections, cells, problems = gather(tmp_path, **tracks, columns=said, first_frame=1)
    assert problems.empty
    first, second = (detections[detections["recording_id"] == name].reset_index() for name in ("01", "02"))
    assert found_detections(first) == expected_detections(CASES["cellprofiler_csv"].as_read(FAMILY))
    assert first["frame"].equals(second["frame"])
    assert (cells["fate"] == "mitosis").sum() == 2
    with pytest.raises(Exception, match=r"name the column of frames in tracks.columns.frame, such as Metadata_Frame"):
        gather(tmp_path, **tracks, columns={"recording_id": "Metadata_Movie"})


def test_columns_of_cellprofiler_may_carry_the_name_of_the_objects(tmp_path: Path) -> None:
    write_cellprofiler(tmp_path, FAMILY)
    table = pd.read_csv(tmp_path / "01.csv")
    names = {name: f"Nuclei_{name}" for name in table if name != "ImageNumber"}
    table.rename(columns=names).to_csv(tmp_path / "01.csv", index=False)
    detections, _, problems = gather(tmp_path, format="cellprofiler_csv")
    assert problems.empty
    assert found_detections(detections) == expected_detections(CASES["cellprofiler_csv"].as_read(FAMILY))
    table.drop(columns="TrackObjects_Label_50").to_csv(tmp_path / "01.csv", index=False)
    assert "has no column for label of the objects" in the_problem(tmp_path, format="cellprofiler_csv")
