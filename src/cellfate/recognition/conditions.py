"""Which table says how recordings were treated: one line a recording, and no cells."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from cellfate.core.words import show_count
from cellfate.imaging.conditions import unit_of_name
from cellfate.recognition.columns import (
    are_same,
    are_scaled,
    find_column,
    find_columns,
    matching_column,
    named_recordings,
    open_table,
    parts_of_names,
    rivals,
)
from cellfate.recognition.images import Images
from cellfate.recognition.proposals import OPEN, Part, Proposal, ask, choose_table, found
from cellfate.recognition.study import LEAST_GROUPS
from cellfate.recognition.survey import Survey, shown

_BY_DEFAULT = "treatment_h"
"""A column that is read under this name though no parameter names it."""


@dataclass(frozen=True, kw_only=True)
class Conditions(Part):
    """A table of conditions.

    Attributes
    ----------
    n_groups : int
        Groups that it names; the recordings where it names none.
    has_doses : bool
        Whether there is more than one dose.
    """

    n_groups: int
    has_doses: bool


def recognise_conditions(survey: Survey, images: Images, tables: Sequence[str]) -> Conditions:
    """Recognise the table of conditions among tables that hold neither tracks nor fates."""
    candidates, unnamed = [], []
    for name in tables:
        table = open_table(survey.root / name)
        if table is None:
            continue
        by = matching_column(table, images.names)
        treats = bool({"condition", "dose"} & _roles(table, by).keys())
        if treats and by is None:
            unnamed.append((name, table))
        elif treats and by is not None and not table[by].str.strip().duplicated().any():
            candidates.append((name, table, by))
    if not candidates and unnamed:
        return _without_names(*unnamed[0], images)
    if not candidates:
        none = found("recordings.conditions_file", None, "no table with a line a recording: no doses")
        return Conditions(values=(none,), n_groups=len(images.names), has_doses=False)
    if len(candidates) > 1:
        names = [name for name, _, _ in candidates]
        values = choose_table(_values(*candidates[0]), names, "Treatments")
        return Conditions(values=values, n_groups=len(images.names), has_doses=True, used=frozenset(names))
    return _chosen(*candidates[0], images)


def _without_names(name: str, table: pd.DataFrame, images: Images) -> Conditions:
    part = parts_of_names(table, images.names)
    seen = ", ".join(column for role, column in _roles(table, None).items() if role in ("condition", "dose"))
    question = ask(
        "recordings.conditions_file",
        f"{name} looks like treatments ({seen}), but no column names recordings as the folder does "
        f"({shown(images.names)}){part}. Write the names into it and run this command again, or set null.",
    )
    return Conditions(values=(question,), n_groups=len(images.names), has_doses=True, used=frozenset({name}))


def _roles(table: pd.DataFrame, by: str | None) -> dict[str, str]:
    others = [str(column) for column in table.columns if column != by]
    roles = {role: find_column(role, others) for role in ("condition", "dose", "dose_unit", "group_id")}
    return {role: column for role, column in roles.items() if column is not None}


def _values(name: str, table: pd.DataFrame, by: str) -> list[Proposal]:
    roles = _roles(table, by)
    columns = {"recording_id": by, **dict.fromkeys(("condition", "dose", "dose_unit", "group_id")), **roles}
    values = [
        found("recordings.conditions_file", name, f"{name}: column {by} names recordings, one line each"),
        found("recordings.conditions_columns", columns, f"the columns of {name}"),
    ]
    doses = [column for column in find_columns("dose", list(table.columns)) if column != by]
    differing = rivals(table, doses, lambda one, other: are_same(one, other) or are_scaled(one, other))
    unit = unit_of_name(roles.get("dose", ""))
    if differing:
        question = f"{name}: columns {', '.join(differing)} may both be the dose; name it, or set dose to null."
        values[1] = ask("recordings.conditions_columns", question, {**columns, "dose": OPEN})
    elif unit and "dose_unit" not in roles:
        values.append(found("recordings.dose_unit", unit, f"the name of column {roles['dose']}"))
    return values


def _chosen(name: str, table: pd.DataFrame, by: str, images: Images) -> Conditions:
    """Propose a table; groups and doses are those of the recordings that the folder has."""
    roles = _roles(table, by)
    matched = named_recordings(table[by], images.names)
    imaged = table[table[by].str.strip().map(matched).notna()]
    values = _values(name, imaged, by)
    notes = list(_lines(name, matched, images))
    n_groups = imaged[roles["group_id"]].nunique() if "group_id" in roles else len(images.names)
    if n_groups < LEAST_GROUPS <= len(images.names):
        column = f"Column {roles['group_id']} of {name}"
        notes.append(f"{column} makes {show_count(n_groups, 'group')}, too few to be parted; not used.")
        values[1] = replace(values[1], value={**values[1].value, "group_id": None})
        n_groups = len(images.names)
    elif "group_id" in roles:
        groups = show_count(n_groups, "group")
        notes.append(f"Splits keep recordings of one {roles['group_id']} together ({name}): {groups}.")
    unused = [
        column
        for column in table.columns
        if column not in (by, _BY_DEFAULT, *roles.values()) and column not in values[1].words
    ]
    if unused:
        notes.append(f"Columns of {name} that are not used: {shown(unused, 5)}.")
    doses = imaged[roles.get("dose", roles.get("condition", by))].nunique()
    return Conditions(
        values=tuple(values), notes=tuple(notes), n_groups=n_groups, has_doses=doses > 1, used=frozenset({name})
    )


def _lines(name: str, matched: Mapping[str, str | None], images: Images) -> Iterator[str]:
    """Say which recordings and lines a table has."""
    without = sorted(set(images.names) - set(matched.values()))
    strangers = sorted(word for word, recording in matched.items() if recording is None)
    yield f"{name} treats {len(images.names) - len(without)} of {len(images.names)} recordings."
    if without:
        yield f"{name} has no line for {shown(without, 5)}: a run stops until it has."
    if strangers:
        yield f"{name} has lines of recordings that the folder does not have: {shown(strangers, 5)}."
