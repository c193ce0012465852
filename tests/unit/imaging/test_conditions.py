"""Conditions as people write them, and names of recordings as tables write them."""

import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.core.words import order_doses
from cellfate.imaging.conditions import match_conditions, read_conditions
from cellfate.imaging.recording_names import match_names
from cellfate.imaging.settings import ConditionColumns

PLATE_MAP = ConditionColumns(recording_id="Well", condition="Drug", dose="Dose", dose_unit="Unit", group_id="Plate")


def write(root: Path, content: str) -> Path:
    path = root / "map.csv"
    path.write_text(content)
    return path


def test_a_plate_map_is_read_with_its_own_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "Plate;Well;Drug;Dose;Unit;\nP1;A1;nutlin;2,50;uM;\nP1;A2;nutlin;10;uM;\nP1;A3;DMSO;0;;\n")
    table = match_conditions(path, read_conditions(path, PLATE_MAP), ["A01", "A02", "A03"])
    assert table["condition"].to_dict() == {"A01": "nutlin", "A02": "nutlin", "A03": "DMSO"}
    assert table["dose"].tolist() == ["2.5 uM", "10 uM", "0 uM"]
    assert table["group_id"].tolist() == ["P1", "P1", "P1"]


@pytest.mark.parametrize(
    ("content", "columns", "unit", "expected"),
    [
        ("recording_id,dose\na,10.0\nb,High\n", ConditionColumns(), None, [("10", "10"), ("High", "High")]),
        ("recording_id,dose\na,10.0\nb,High\n", ConditionColumns(), "Gy", [("10 Gy", "10 Gy"), ("High", "High")]),
        ("recording_id,drug\na,x\nb,y\n", {"condition": "drug", "dose": None}, None, [("x", "x"), ("y", "y")]),
        (
            "recording_id,stimulus\na,1\nb,2 h\n",
            {"condition": "stimulus", "dose": None},
            None,
            [("stimulus 1",) * 2, ("2 h",) * 2],
        ),
        ("recording_id,condition,dose\na,NA,None\nb,null,nan\n", {}, "uM", [("NA", "None"), ("null", "nan")]),
        (
            "recording_id,condition,dose\na,x,1e3\nb,y,10 drops\n",
            {"condition": None},
            None,
            [("1000", "1000"), ("10 drops",) * 2],
        ),
        ("recording_id,dose,dose_unit\na,1,nM\nb,2,\n", {}, "uM", [("1 nM",) * 2, ("2 uM",) * 2]),
    ],
)
def test_condition_and_dose_stand_in_for_each_other(
    tmp_path: Path, content: str, columns: dict[str, str | None], unit: str | None, expected: list[tuple[str, str]]
) -> None:
    path = write(tmp_path, content)
    chosen = ConditionColumns.model_validate(columns)
    table = match_conditions(path, read_conditions(path, chosen, unit), ["a", "b"])
    assert list(zip(table["condition"], table["dose"], strict=True)) == expected
    assert table["group_id"].tolist() == ["a", "b"]


def test_one_dose_in_several_spellings_is_one_dose(tmp_path: Path) -> None:
    spelt = ["0", "2.5 uM", "2,5 uM", "2.5uM", "2.5 \u00b5M", "2500 nM", "10 uM", "0.01 mM", "DMSO"]
    lines = [f"r{number};{dose}" for number, dose in enumerate(spelt)]
    path = tmp_path / "map.csv"
    path.write_text("recording_id;dose\n" + "\n".join(lines) + "\n", encoding="utf-8")
    doses = read_conditions(path)["dose"].tolist()
    assert doses == ["0 uM", *["2.5 uM"] * 5, "10 uM", "10 uM", "DMSO"]


@pytest.mark.parametrize(
    ("column", "doses"),
    [("dose (\u00b5M)", ["10 uM", "0 uM"]), ("dose_nM", ["10 nM", "0 nM"]), ("Conc. [ug/ml]", ["10 ug/ml", "0 ug/ml"])],
)
def test_the_unit_in_the_name_of_the_column_counts(tmp_path: Path, column: str, doses: list[str]) -> None:
    path = write(tmp_path, f"recording_id;{column}\na;10\nb;0\n")
    assert read_conditions(path, ConditionColumns(dose=column))["dose"].tolist() == doses
    unit = doses[0].removeprefix("10 ").replace("u", "\u03bc")
    assert read_conditions(path, ConditionColumns(dose=column), unit)["dose"].tolist() == doses


@pytest.mark.parametrize(
    ("content", "unit", "words"),
    [
        ("dose_nM\na;10\nb;0\n", "uM", "doses in nM by the name of its column dose_nM, but recordings.dose_unit is uM"),
        ("dose_nM\na;5\nb;10 uM\n", None, "Line 3 of .* has a dose in uM, but the name of its column dose_nM says nM"),
        ("dose\na;1,000 nM\nb;0\n", None, "'1,000 nM', in which the comma can part thousands or decimals"),
        ("dose\na;1,500 nM\nb;2.5 nM\n", None, "'1,500 nM', in which the comma can part thousands or decimals"),
        ("dose\na;10 000\nb;0\n", "nM", "'10 000', in which something parts the thousands; write .* such as 10000"),
        ("dose\na;1'000 nM\nb;0\n", None, "in which something parts the thousands"),
        ("dose\na;10 uM\nb;10 um\n", None, "has '10 uM' in line 2 and '10 um' in line 3 of column dose, which differ"),
        ("dose\na;DMSO\nb;dmso\n", None, "'DMSO' in line 2 and 'dmso' in line 3 of column dose, which differ in upper"),
        (
            "dose\na;10 uM\nb;\n",
            None,
            "Line 3 of .* an empty field in column dose; fill .*0 or a word such as Control",
        ),
    ],
)
def test_doses_that_can_mean_two_things_are_refused(tmp_path: Path, content: str, unit: str, words: str) -> None:
    path = write(tmp_path, f"recording_id;{content}")
    name = content.split("\n")[0]
    with pytest.raises(InputError, match=words):
        read_conditions(path, ConditionColumns(dose=name), unit)


def test_groups_and_conditions_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    """Each would be a group of its own, and cells of one plate would train and test."""
    path = write(tmp_path, "recording_id,condition,dose,group_id\na,x,1,Plate 1\nb,x,1,plate1\n")
    with pytest.raises(InputError, match="'Plate 1' in line 2 and 'plate1' in line 3 of column group_id"):
        read_conditions(path)


def test_a_comma_is_decimal_in_amounts_that_cannot_be_thousands(tmp_path: Path) -> None:
    path = write(tmp_path, "recording_id;dose\na;1,000 nM\nb;2,5nM\nc;0,25%\n")
    assert read_conditions(path)["dose"].tolist() == ["1 nM", "2.5 nM", "0.25 %"]


def test_points_that_may_part_thousands_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "recording_id;dose\na;0\nb;1.000\nc;10.000\n")
    with pytest.raises(InputError, match=r"has the dose 1\.000, which can be .* write 1 or 1000"):
        read_conditions(path)
    path = write(tmp_path, "recording_id;dose\na;0\nb;1.000\nc;0.125\n")
    assert read_conditions(path)["dose"].tolist() == ["0", "1", "0.125"]


def test_a_column_that_was_named_must_be_there(tmp_path: Path) -> None:
    path = write(tmp_path, "recording_id,dose\na,1\n")
    for key in ("condition", "group_id", "dose_unit"):
        with pytest.raises(InputError, match=r"has no column Mine; found recording_id, dose; .*conditions_columns"):
            read_conditions(path, ConditionColumns.model_validate({key: "Mine"}))
    with pytest.raises(ValidationError, match="condition and dose are both null"):
        ConditionColumns(condition=None, dose=None)


def test_lines_of_other_recordings_are_left_out_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, "recording_id,dose\nA01.tif,1\nH12,2\n")
    assert match_conditions(path, read_conditions(path), ["A01"]).index.tolist() == ["A01"]
    assert "map.csv has lines of recordings that the folder does not have, and that are left out: 'H12'" in caplog.text


def test_one_dose_of_several_drugs_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = "recording_id,condition,dose\na,x,0\nb,y,0\nc,x,0.5\n"
    with caplog.at_level(logging.WARNING):
        read_conditions(write(tmp_path, content))
        assert caplog.text == ""
        read_conditions(write(tmp_path, content + "d,y,0.5\n"))
    assert "gives the dose 0.5 to several conditions (x, y)" in caplog.text


@pytest.mark.parametrize(
    ("listed", "recording_id"),
    [("A01", "A01"), (" a01.TIF", "A01"), ("A01.ome.tif", "A01"), ("A1", "A01"), ("a001.nd2", "A01"), ("B01", None)],
)
def test_names_match_without_ending_case_and_zeros(listed: str, recording_id: str | None) -> None:
    assert match_names([listed], ["A01", "A10", "C02"], "The table") == {listed: recording_id}


def test_names_match_in_any_unicode_form_and_with_folders() -> None:
    found = match_names(["Gro\u0308\u00dfe", "day1/A.tif"], ["Gr\u00f6\u00dfe", "day1_A"], "The table")
    assert list(found.values()) == ["Gr\u00f6\u00dfe", "day1_A"]


def test_the_name_as_it_is_written_comes_first() -> None:
    names = ["A1", "A01", "a1"]
    assert match_names(names, names, "The table") == dict(zip(names, names, strict=True))


@pytest.mark.parametrize(
    ("listed", "recording_ids", "words"),
    [
        (["A001"], ["A1", "A01"], "has the recording 'A001', which can be 'A1' or 'A01'; write it as the folder does"),
        (["a1.tif"], ["A1", "a1"], "which can be 'A1' or 'a1'"),
        (["A1", "A01"], ["A01"], "has the recordings 'A01', 'A1', but the folder has only 'A01'"),
        (["A1", "A001"], ["A01"], "has the recordings 'A001', 'A1', but the folder has only 'A01'"),
    ],
)
def test_names_that_could_be_others_are_refused(listed: list[str], recording_ids: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        match_names(listed, recording_ids, "The table")


@given(st.lists(st.floats(0, 1e6).map(lambda number: float(f"{number:.6g}")), unique=True))
@settings(deadline=None)
def test_doses_are_ordered_by_number(numbers: list[float]) -> None:
    written = [f"{number:.12g} uM" for number in numbers]
    assert [float(dose.split()[0]) for dose in order_doses(written)] == sorted(numbers)


def test_doses_of_other_prefixes_are_ordered_by_amount() -> None:
    doses = ["1 mM", "all", "combined", "10 \u00b5M", "Vehicle", "20 nM", "2.5 uM", "Control", "0"]
    assert order_doses(doses) == [
        *("Control", "Vehicle", "0", "20 nM", "2.5 uM", "10 \u00b5M", "1 mM", "combined", "all")
    ]


def test_a_map_without_lines_lacks_every_recording(tmp_path: Path) -> None:
    path = write(tmp_path, "recording_id;dose\n")
    with pytest.raises(InputError, match="has no line for 1 of 1 recordings"):
        match_conditions(path, read_conditions(path), ["a"])


def test_hours_of_treatment_are_read_where_they_are_given(tmp_path: Path) -> None:
    path = write(tmp_path, "recording_id;dose;treatment_h\na;1;2,5\nb;2;\nc;3;-24\n")
    table = match_conditions(path, read_conditions(path), ["a", "b", "c"])
    assert table["treatment_h"].fillna(-1).tolist() == [2.5, -1, -24]
    without = write(tmp_path, "recording_id,dose\na,1\n")
    assert read_conditions(without)["treatment_h"].isna().all()
    wrong = write(tmp_path, "recording_id,dose,treatment_h\na,1,soon\n")
    with pytest.raises(InputError, match=r"Line 2 of conditions file .* has 'soon' in column treatment_h"):
        read_conditions(wrong)
