"""Which recordings tables of traces hold, how they were treated, and when they ended."""

from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.core.tables import FrameFiles, Recordings
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings

PLATE = "cell,frame,well,drug,conc\n1,0,A1,nutlin,2.5\n1,0,B2,none,0\n1,1,A1,nutlin,2.5\n"


def opened(root: Path, **changes) -> pd.DataFrame:
    given = {"layout": "traces", "frame_interval_min": 20, "traces": {"recording": "{file} {well}", "end_h": 10}}
    given["conditions_columns"] = {"condition": "drug", "dose": "conc"}
    recordings, frame_files, _ = open_recordings(RecordingFolder(root), RecordingSettings(**given | changes))
    Recordings.validate(recordings)
    assert FrameFiles.validate(frame_files).empty
    return recordings.set_index("recording_id")


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    (tmp_path / "plate.csv").write_text(PLATE)
    return tmp_path


def test_recordings_are_named_by_columns_and_the_file(plate):
    found = opened(plate, dose_unit="uM")
    assert found.index.tolist() == ["plate A1", "plate B2"]
    assert found["source"].tolist() == ["plate.csv"] * 2
    assert found["dose"].tolist() == ["2.5 uM", "0 uM"]
    assert found["condition"].tolist() == ["nutlin", "none"]
    assert found["group_id"].tolist() == found.index.tolist()
    assert found["n_frames"].tolist() == [31, 31]
    assert (found[["height_px", "width_px"]] == 0).all(axis=None)


def test_ends_can_differ_by_recording(plate):
    by_name = {"recording": "{file} {well}", "end_h": {"*": 10, "* B?": 5.5}}
    assert opened(plate, traces=by_name)["n_frames"].tolist() == [31, 17]
    ended = pd.read_csv(plate / "plate.csv").assign(recording_end_h=[4.0, 7.0, 4.0])
    ended.to_csv(plate / "plate.csv", index=False)
    assert opened(plate, traces={"recording": "{file} {well}"})["n_frames"].tolist() == [13, 22]


def test_an_end_that_is_not_said_is_never_guessed(plate):
    with pytest.raises(InputError, match=r"It is not said when 2 of 2 recordings ended.* give away when it died"):
        opened(plate, traces={"recording": "{file} {well}"})
    with pytest.raises(InputError, match="when 1 of 2 recordings ended, the first is 'plate A1'"):
        opened(plate, traces={"recording": "{file} {well}", "end_h": {"* B2": 9}})
    with pytest.raises(InputError, match="end_h names 'C\\*', but the recordings are plate A1, plate B2"):
        opened(plate, traces={"recording": "{file} {well}", "end_h": {"*": 9, "C*": 9}})


def test_a_recording_has_one_treatment(plate):
    with pytest.raises(InputError, match=r"Recording 'plate' .* has 'nutlin' in column drug on one line and 'none' on"):
        opened(plate, traces={"end_h": 10})
    unknown = opened(plate, traces={"end_h": 10}, conditions_columns={"condition": None, "dose": "not there"})
    assert unknown["dose"].tolist() == ["Unknown"]


def test_a_table_of_conditions_counts_where_there_is_one(plate):
    (plate / "wells.csv").write_text("recording_id,drug,conc,recording_end_h\nplate A1,x,1 nM,3\nplate B2,y,2 nM,4\n")
    found = opened(plate, traces={"recording": "{file} {well}"}, conditions_file="wells.csv")
    assert found["dose"].tolist() == ["1 nM", "2 nM"]
    assert found["n_frames"].tolist() == [10, 13]


def test_a_recording_lies_in_one_table(plate):
    (plate / "copy.csv").write_text(PLATE)
    with pytest.raises(InputError, match=r"The tables copy.csv and plate.csv both have rows of recording 'A1'"):
        opened(plate, traces={"recording": "{well}", "end_h": 10})
    (plate / "copy.csv").write_text(PLATE.replace("1,1,A1", "1,1,"))
    with pytest.raises(InputError, match=r"Line 4 of .*copy.csv has a blank in column well, which names the recording"):
        opened(plate, files="copy.csv")
    (plate / "copy.csv").write_text("cell,frame\n1,0\n")
    with pytest.raises(InputError, match="has no column well"):
        opened(plate, files="copy.csv")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channels": ["p53"]}, "which has no images, but channels lists"),
        ({"frame_interval_min": None}, "frame_interval_min is null"),
        ({"traces": {"recording": "well"}}, "'well' names no column in braces"),
        ({"traces": {"recording": "{well"}}, "names no column in braces"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        RecordingSettings(**{"layout": "traces", "frame_interval_min": 20} | changes)
