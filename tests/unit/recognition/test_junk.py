"""Files that are not what their names say end in a sentence, or are passed over; never in a traceback."""

import shutil

import numpy as np
import pytest

from cellfate.core.errors import InputError
from cellfate.recognition import check_place, recognise, write_conf
from tests.conftest import ROOT
from tests.unit.recognition.test_tracks import write_images

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xml", ".h5", ".json", ".csv.gz", ".tif", ".png", ".nd2")
CONTENTS = (
    b"",
    b"\0",
    b"a,b\n",
    b"<TrackMate",
    b"{",
    b"[1,2",
    b"cell;frame;y;x\n",
    b"cell,frame,y,x\n1,2\n",
    b"\xff\xfe\x00",
)


@pytest.mark.parametrize("seed", range(12))
def test_junk_beside_recordings(seed, tmp_path):
    rng = np.random.default_rng(seed)
    folder = tmp_path / "data"
    write_images(folder, "01", "A_2")
    for number in range(12):
        ending, content = ENDINGS[rng.integers(8)], CONTENTS[rng.integers(len(CONTENTS))]
        noise = rng.integers(0, 256, rng.integers(0, 200), dtype=np.uint8).tobytes() if rng.random() < 0.5 else b""
        name = ("01", "A_2", "other")[rng.integers(3)] + ("", "_tracks", " fates")[rng.integers(3)]
        (folder / f"{name}{number if rng.random() < 0.5 else ''}{ending}").write_bytes(content + noise)
    for store in ("01.geff", "B.zarr"):
        (folder / store).mkdir()
        (folder / store / "zarr.json").write_bytes(CONTENTS[rng.integers(len(CONTENTS))])
    shutil.copytree(ROOT / "conf" / "mydata", tmp_path / "conf" / "mydata")
    check_place(tmp_path / "conf", "mine")
    try:
        seen = recognise(folder)
    except InputError:
        return  # said in a sentence
    assert (write_conf(tmp_path / "conf", "mine", seen) / "parameters.yml").is_file()


@pytest.mark.parametrize("ending", ENDINGS)
def test_junk_alone(ending, tmp_path):
    for number, content in enumerate(CONTENTS):
        (tmp_path / f"{number}{ending}").write_bytes(content)
    with pytest.raises(InputError):
        recognise(tmp_path)


@pytest.mark.parametrize("content", ["[]", '{"attributes": []}', "3"])
def test_attributes_that_are_no_mapping_are_passed_over(content, tmp_path):
    write_images(tmp_path)
    for number, store in enumerate(("01.geff", "B.zarr", "C.zarr")):
        (tmp_path / store).mkdir()
        (tmp_path / store / (".zattrs", "zarr.json")[number % 2]).write_text(content)
    seen = recognise(tmp_path, "tiff_stacks")
    assert seen.value("tracks.format") == "???"


def test_a_folder_that_may_not_be_read_is_passed_over(tmp_path, monkeypatch):
    write_images(tmp_path)
    (tmp_path / "secret").mkdir()
    from cellfate.recognition import survey

    scan = survey.os.scandir

    def refuse(path):
        if str(path).rstrip("/").endswith("secret"):
            raise PermissionError
        return scan(path)

    monkeypatch.setattr(survey.os, "scandir", refuse)
    assert recognise(tmp_path).images.names == ("01",)
