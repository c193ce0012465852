import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cellfate.tracks.lineages import find_divisions, find_founders


def _parents(*values: int | None) -> pd.Series:
    return pd.Series([pd.NA if value is None else value for value in values], dtype="Int64")


def test_founders_worked_by_hand() -> None:
    cells = pd.Series([7, 2, 3, 9, 4], index=[5, 6, 7, 8, 9])
    parents = _parents(3, None, 2, 1, 9)
    founders = find_founders(cells, parents)
    assert founders.tolist() == [2, 2, 2, 1, 1]
    assert founders.index.tolist() == [5, 6, 7, 8, 9]


def test_cells_that_are_their_own_ancestors_have_no_founder() -> None:
    founders = find_founders(pd.Series([1, 2, 3, 4, 5]), _parents(3, 1, 2, 2, None))
    assert founders.isna().tolist() == [True, True, True, True, False]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.randoms())
def test_founders_agree_with_a_walk_up_the_tree(draws: list[int], random: object) -> None:
    parent_of = {cell: draw % cell for cell, draw in enumerate(draws, start=1)}  # 0: no parent
    cells = list(parent_of)
    random.shuffle(cells)  # type: ignore[attr-defined]
    found = find_founders(pd.Series(cells), _parents(*[parent_of[cell] or None for cell in cells]))
    for cell, founder in zip(cells, found, strict=True):
        while parent_of[cell]:
            cell = parent_of[cell]
        assert founder == cell


def test_divisions_worked_by_hand() -> None:
    cells = pd.DataFrame(
        {
            "cell_id": [1, 2, 3, 4, 5, 6, 7, 8],
            "parent_id": _parents(None, 1, 1, None, 4, 2, 2, 2),
            "begin": [0, 3, 3, 0, 2, 6, 7, 8],
        }
    )
    divisions = find_divisions(cells)
    assert divisions.index.tolist() == [1, 2]
    assert divisions["n_daughters"].tolist() == [2, 3]
    assert divisions["event_frame"].tolist() == [3, 6]
    assert divisions["same_frame"].tolist() == [True, False]
