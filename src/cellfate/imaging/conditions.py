"""The table of conditions: which recording was treated how."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.amounts import UNIT, rank_amount
from cellfate.core.errors import InputError
from cellfate.core.tables import EVERYTHING, WITHIN_DOSES
from cellfate.core.text_tables import parse_numbers, read_text_columns
from cellfate.imaging.recording_names import list_names, match_names
from cellfate.imaging.settings import ConditionColumns

_AMOUNT = rf"^(?P<number>[\d.,]+)\s*(?P<unit>{UNIT.pattern}|%)$"
"""A number and its unit, in the text of a dose."""
_UNIT_OF_NAME = re.compile(r"(?:^|[ _(\[])([pnu\u00b5\u03bcmk]?(?:mol|M|g|Gy|J|U)(?:/\w+)?|%)[)\]]?$")
"""Unit of doses at the end of the name of their column."""
_SPACED = r"^[1-9]\d{0,2}(?:[ \u00a0\u2009\u202f']\d{3})+(?!\d)"
"""A number with blanks between its thousands."""
_EMPTY = (
    "has an empty field in column {column}; fill every field of every line (0 or a word such as Control where nothing "
    "was given), or remove the line if it is that of no recording"
)
_HOURS = {
    "treatment_h": "the treatment were expected; write a number, negative where the treatment came before",
    "recording_end_h": "the last that was filmed were expected; write a number",
}
"""Columns of hours, and what is expected in them."""
_log = logging.getLogger(__name__)
_COLUMNS = ["recording_id", "condition", "dose", "group_id"]


def unit_of_name(column: str) -> str | None:
    """Tell the unit of doses by the name of their column; None where it says none.

    Examples
    --------
    >>> [unit_of_name(name) for name in ("dose_nM", "Conc. (ug/ml)", "dose [%]", "uM", "dose", "Dose_level")]
    ['nM', 'ug/ml', '%', 'uM', None, None]
    """
    found = _UNIT_OF_NAME.search(column.strip())
    return found.group(1) if found else None


def read_conditions(
    path: Path,
    columns: ConditionColumns = ConditionColumns(),  # noqa: B008  # frozen
    dose_unit: str | None = None,
) -> pd.DataFrame:
    """Read the table of conditions.

    Parameters
    ----------
    path : Path
        CSV or Excel workbook, as `core.text_tables` reads them.
    columns : ConditionColumns
        Names of its columns.
    dose_unit : str or None
        Unit of doses that are numbers, where neither the table nor the name of its column of doses gives one.

    Returns
    -------
    DataFrame
        Text: recording_id as it is written there; condition (the dose where the table has none); dose (a number in its
        shortest form and its unit, or a word; the condition where the table has none, with the name of its column
        before it where that is a bare number, which is no amount); group_id (blank where the table
        has none). And treatment_h and recording_end_h, float, NaN where they are not known. Indexed by line.

    Raises
    ------
    InputError
        If the file is missing, or lacks a column or a value, or gives a dose a name that scores use for all of them, or
        some doses have a unit and others lack one or contradict it, or a comma or blank in one can part thousands, or
        two doses, conditions or groups differ in upper and lower case alone.
    """
    asked = columns.model_dump()
    usual = ConditionColumns().model_dump()
    keys = ("condition", "group_id", "dose_unit", *_HOURS)
    optional = [asked[key] for key in keys if asked[key] == usual[key]]
    needed = [name for name in asked.values() if name is not None and name not in optional]
    if not path.exists():
        raise InputError(f"Conditions file {path} is missing; put it there, or set recordings.conditions_file to null.")
    table = read_text_columns(path, needed, optional, named_in="recordings.conditions_columns")
    table = table.apply(lambda column: column.str.strip())
    given = {key: table[name] for key, name in asked.items() if name is not None and name in table}
    return settle_conditions(path, given, dose_unit)


def _name_numbers(conditions: pd.Series) -> pd.Series:
    """Name conditions that are bare numbers after their column, such as stimulus 1: they are no amounts of anything."""
    bare = conditions.str.fullmatch(r"[-+]?\d+([.,]\d+)?")
    return conditions.mask(bare, f"{conditions.name} " + conditions)


def settle_conditions(path: Path, stated: Mapping[str, pd.Series], dose_unit: str | None) -> pd.DataFrame:
    """Check and complete what a table states of recordings; see `read_conditions`.

    `stated` has a column of text, without blanks around it, for each field of `ConditionColumns` that the table has.
    """
    given = dict(stated)
    for column in (column for key, column in given.items() if key not in ("dose_unit", *_HOURS)):
        _refuse(path, column[column == ""], _EMPTY)
    if "dose" in given:
        default = _choose_unit(path, str(given["dose"].name), dose_unit)
        given["dose"] = _write_doses(path, given["dose"], given.get("dose_unit"), default)
    elif "condition" in given:
        given["condition"] = _name_numbers(given["condition"])
    for key in given.keys() & {"condition", "dose", "group_id"}:
        _check_case(path, given[key])
    treated = {
        "dose": given.get("dose", given.get("condition")),
        "condition": given.get("condition", given.get("dose")),
    }
    index = given["recording_id"].index
    found = pd.DataFrame({"group_id": "", **given, **treated}, index=index)[_COLUMNS].astype("str")
    _check_words(path, found)
    blank = pd.Series("", index=index)
    return found.assign(**{key: _read_hours(path, given.get(key, blank), what) for key, what in _HOURS.items()})


def match_conditions(path: Path, table: pd.DataFrame, recording_ids: list[str]) -> pd.DataFrame:
    """Find the conditions of every recording; lines about others are left out, and counted in the log.

    condition, dose, treatment_h and group_id (the recording_id where the table has none), indexed by recording_id.

    Raises
    ------
    InputError
        If the table lists a recording twice, or lacks one, or a name in it could be of several.
    """
    where = f"Conditions file {path}"
    names = match_names(table["recording_id"], recording_ids, where)
    strangers = [name for name, recording_id in names.items() if recording_id is None]
    found = table.assign(recording_id=table["recording_id"].map(names)).dropna(subset="recording_id")
    twice = found["recording_id"][found["recording_id"].duplicated()]
    if len(twice):
        raise InputError(f"{where} lists a recording twice: {list_names(set(twice))}; keep one line a recording.")
    absent = set(recording_ids) - set(found["recording_id"])
    if absent:
        unused = f"; its lines without a recording are {list_names(strangers)}" if strangers else ""
        raise InputError(
            f"{where} has no line for {len(absent)} of {len(recording_ids)} recordings of the folder: "
            f"{list_names(absent)}{unused}; write one line for each, with the name that the recording has."
        )
    if strangers:
        _log.warning(
            "%s has lines of recordings that the folder does not have, and that are left out: %s",
            *(path.name, list_names(strangers)),
        )
    groups = found["group_id"].where(found["group_id"] != "", found["recording_id"])
    return found.assign(group_id=groups).set_index("recording_id")


def _refuse(path: Path, wrong: pd.Series, sentence: str, **values: object) -> None:
    """Refuse the first field of a column that is wrong."""
    if len(wrong):
        told = sentence.format(wrong.iloc[0], **{"column": wrong.name, **values})
        raise InputError(f"Line {wrong.index[0]} of conditions file {path} {told}.")


def _check_case(path: Path, column: pd.Series) -> None:
    """Refuse texts that differ in upper and lower case, or blanks, alone: each would be a treatment of its own."""
    folded = column.str.replace(r"\s+", "", regex=True).str.casefold()
    several = column.groupby(folded).transform("nunique") > 1
    if several.any():
        same = column[folded == folded[several].iloc[0]].drop_duplicates()
        raise InputError(
            f"Conditions file {path} has {same.iloc[0]!r} in line {same.index[0]} and {same.iloc[1]!r} in line "
            f"{same.index[1]} of column {column.name}, which differ in upper and lower case or blanks alone; write "
            "both alike."
        )


def _choose_unit(path: Path, column: str, dose_unit: str | None) -> str | None:
    of_name = unit_of_name(column)
    if of_name and dose_unit and not _are_same_units(of_name, dose_unit):
        raise InputError(
            f"Conditions file {path} has doses in {of_name} by the name of its column {column}, but "
            f"recordings.dose_unit is {dose_unit}; set that to {of_name} or null, or rename the column."
        )
    return of_name or dose_unit


def _read_hours(path: Path, hours: pd.Series, what: str) -> pd.Series:
    """Read hours, NaN where a field is blank."""
    found = pd.Series(parse_numbers(hours), index=hours.index)
    _refuse(
        path,
        hours[(hours != "") & ~np.isfinite(found)],
        "has '{}' in column {column}, but hours from the first frame to " + what + ", or leave the field blank",
    )
    return found


def _write_doses(path: Path, doses: pd.Series, units: pd.Series | None, dose_unit: str | None) -> pd.Series:
    """Write amounts in one form: number, unit. A dose of 0 without a unit has that of the others."""
    apart = "has the dose {!r}, in which something parts the thousands; write numbers without it, such as 10000"
    _refuse(path, doses[doses.str.contains(_SPACED)], apart)
    units = pd.Series("", index=doses.index) if units is None else units
    parts = doses.str.extract(_AMOUNT)
    in_text = (units == "") & parts["unit"].notna()  # such as 2,5uM
    _check_commas(path, doses[in_text], parts["number"][in_text])
    column = str(doses.name)
    doses, units = doses.where(~in_text, parts["number"]), units.where(~in_text, parts["unit"])
    units = units.where(units != "", dose_unit or "").str.replace(r"^[\u00b5\u03bc]", "u", regex=True)
    numbers = pd.Series(parse_numbers(doses), index=doses.index)
    _check_unit_of_name(path, column, units[numbers.notna() & (numbers != 0)])
    _check_thousands(path, doses[numbers.notna() & (numbers != 0)])
    stated = list(dict.fromkeys(units[numbers.notna() & (units != "")]))
    if len({rank_amount(f"1 {unit}")[1] for unit in stated}) == 1:
        units = units.where((units != "") | (numbers != 0), stated[0])
    if stated:
        without = doses[(units == "") & numbers.notna() & (numbers != 0)]
        sentence = "has the dose {} without a unit, but others are in {units}; fill in the unit"
        _refuse(path, without, sentence, units=" and ".join(sorted(stated)))
    written = (numbers.map("{:.12g}".format).astype("str") + " " + units).str.strip()
    found = doses.where(numbers.isna(), written)
    same = found.map(lambda dose: str(rank_amount(dose)))  # 10 uM and 0.01 mM are one dose
    return found.groupby(same).transform("first")


def _check_thousands(path: Path, amounts: pd.Series) -> None:
    """Refuse amounts that all may have points of thousands."""
    if len(amounts) and amounts.str.fullmatch(r"[1-9]\d{0,2}(\.\d{3})+").all():
        whole, joined = amounts.iloc[0].split(".")[0], amounts.iloc[0].replace(".", "")
        either = f"can be one with three decimals or thousands, as all others; write {whole} or {joined}"
        _refuse(path, amounts, f"has the dose {{}}, which {either}")


def _check_commas(path: Path, doses: pd.Series, numbers: pd.Series) -> None:
    """Refuse commas that can part thousands, in amounts with their unit."""
    commas = numbers[numbers.str.contains(",", regex=False)]
    if commas.str.fullmatch(r"[1-9]\d{0,2}(,\d{3})+").all():
        _refuse(
            path,
            doses[commas.index],
            "has the dose {!r}, in which the comma can part thousands or decimals; write numbers without separators "
            "of thousands, with a decimal point",
        )


def _check_unit_of_name(path: Path, column: str, units: pd.Series) -> None:
    of_name = unit_of_name(column)
    other = units[(units != "") & ~units.map(lambda unit: _are_same_units(unit, of_name or unit)).astype(bool)]
    renamed = "the name of its column {column} says {unit}; rename the column, or write all doses in {unit}"
    _refuse(path, other, "has a dose in {}, but " + renamed, column=column, unit=of_name)


def _are_same_units(one: str, other: str) -> bool:
    return str(rank_amount(f"1 {one}")).casefold() == str(rank_amount(f"1 {other}")).casefold()


def _check_words(path: Path, table: pd.DataFrame) -> None:
    reserved = (
        "names the dose '{}', which in tables of scores stands for all doses together; give the dose another name"
    )
    _refuse(path, table.loc[table["dose"].isin((EVERYTHING, WITHIN_DOSES)), "dose"], reserved)
    several = table.groupby("dose")["condition"].nunique()
    mixed = [dose for dose in several.index[several > 1] if dose.split(" ")[0] != "0"]
    if mixed:
        _log.warning(
            "%s gives the dose %s to several conditions (%s): scores and figures by dose put these together",
            *(path.name, mixed[0], ", ".join(sorted(set(table.loc[table["dose"] == mixed[0], "condition"])))),
        )
