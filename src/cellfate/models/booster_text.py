"""LightGBM's text of a boosting, taken apart and written anew, so that LightGBM only ever reads trees that are trees.

It takes its text on trust: a child that is its own parent, or a size that is none, ends or hangs the process. A model
folder may come from elsewhere.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

MAX_TREES: Final = 100_000
MAX_LEAVES: Final = 10_000
_WHOLE: Final = re.compile(r"-?\d{1,15}")
_NUMBER: Final = re.compile(r"-?\d{1,20}(\.\d{1,20})?(e[+-]\d{1,3})?")
_THRESHOLD: Final = re.compile(rf"{_NUMBER.pattern}|-?inf")
"""An infinite one parts missing from known values."""
_PER_SPLIT: Final = {
    "split_feature": _WHOLE,
    "split_gain": _NUMBER,
    "threshold": _THRESHOLD,
    "decision_type": _WHOLE,
    "left_child": _WHOLE,
    "right_child": _WHOLE,
}
_PER_LEAF: Final = {"leaf_value": _NUMBER, "leaf_weight": _NUMBER, "leaf_count": _WHOLE}
_PER_NODE: Final = {"internal_value": _NUMBER, "internal_weight": _NUMBER, "internal_count": _WHOLE}


def rewrite_booster(text: str, n_inputs: int, n_classes: int) -> str:
    """Write the same trees anew; parameters and importances, which no forecast needs, are left out.

    Parameters
    ----------
    text : str
        `lightgbm.Booster.model_to_string`, or what this function wrote.
    n_inputs, n_classes : int
        Columns that it was fitted to, and classes that it tells apart, 2 or more.

    Returns
    -------
    str
        Text that LightGBM reads; it forecasts the same to the last digit.

    Raises
    ------
    ValueError
        If the text is not of such a boosting: of numerical splits, each tree reaching every node once.
    """
    head, *trees = text.split("\nTree=")
    a_round = 1 if n_classes == 2 else n_classes
    said = _read_fields(head)
    expected = {"version": "v4", "num_class": str(a_round), "num_tree_per_iteration": str(a_round)}
    expected |= {"label_index": "0", "max_feature_idx": str(n_inputs - 1)}
    for key, value in expected.items():
        if said.get(key) != value:
            raise ValueError(f"{key} is {said.get(key)!r:.40}, expected {value}")
    if not trees or len(trees) % a_round or len(trees) > MAX_TREES:
        raise ValueError(f"it has {len(trees)} trees, expected some for each of {a_round} classes")
    objective = "binary sigmoid:1" if n_classes == 2 else f"multiclass num_class:{n_classes}"
    names = [f"Column_{place}" for place in range(n_inputs)]
    blocks = [f"Tree={number}\n{_rewrite_tree(tree, n_inputs)}\n\n" for number, tree in enumerate(trees)]
    described = {**expected, "objective": objective, "feature_names": " ".join(names)}
    described |= {"feature_infos": " ".join(["none"] * n_inputs), "tree_sizes": " ".join(map(str, map(len, blocks)))}
    lines = [f"{key}={value}" for key, value in described.items()]
    return "\n".join(["tree", *lines, "", "".join(blocks) + "end of trees", ""])


def _read_fields(block: str) -> dict[str, str]:
    """Read `key=value` lines, up to the end of the trees."""
    lines = block.split("\nend of trees")[0].splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _rewrite_tree(block: str, n_inputs: int) -> str:
    fields = _read_fields(block)
    (leaves,) = _numbers(fields, "num_leaves", _WHOLE, 1)
    n_leaves = int(leaves)
    if not 1 <= n_leaves <= MAX_LEAVES:
        raise ValueError(f"a tree has {n_leaves} leaves")
    if fields.get("num_cat", "0") != "0" or fields.get("is_linear", "0") != "0":
        raise ValueError("a tree has categorical splits or linear leaves")
    if n_leaves == 1:
        (value,) = _numbers(fields, "leaf_value", _NUMBER, 1)
        return f"num_leaves=1\nnum_cat=0\nleaf_value={value}\nis_linear=0\nshrinkage=1\n"
    kept = {key: _numbers(fields, key, form, n_leaves - 1) for key, form in (_PER_SPLIT | _PER_NODE).items()}
    kept |= {key: _numbers(fields, key, form, n_leaves) for key, form in _PER_LEAF.items()}
    if not all(0 <= int(feature) < n_inputs for feature in kept["split_feature"]):
        raise ValueError(f"a tree splits an input that is none of {n_inputs}")
    if not all(int(kind) in range(0, 16, 2) for kind in kept["decision_type"]):
        raise ValueError("a tree has a split of an unknown kind")
    _check_reached_once(kept["left_child"], kept["right_child"], n_leaves)
    lines = [f"num_leaves={n_leaves}", "num_cat=0", *(f"{key}={' '.join(values)}" for key, values in kept.items())]
    (shrinkage,) = _numbers(fields, "shrinkage", _NUMBER, 1)
    return "\n".join([*lines, "is_linear=0", f"shrinkage={shrinkage}", ""])


def _numbers(fields: Mapping[str, str], key: str, form: re.Pattern[str], count: int) -> list[str]:
    values = fields.get(key, "").split(" ")
    if len(values) != count or not all(map(form.fullmatch, values)):
        raise ValueError(f"{key} of a tree is {fields.get(key)!r:.40}, expected {count} numbers")
    return values


def _check_reached_once(left: list[str], right: list[str], n_leaves: int) -> None:
    """Every split but the first is the child of an earlier one, every leaf (-1, -2, ...) of one; none of two."""
    reached = list(_children(left, right))
    wanted = {*range(1, n_leaves - 1), *(-1 - leaf for leaf in range(n_leaves))}
    if len(reached) != len(wanted) or set(reached) != wanted:
        raise ValueError("a tree does not reach each of its nodes once")


def _children(left: list[str], right: list[str]) -> Iterator[int]:
    for parent, pair in enumerate(zip(left, right, strict=True)):
        for child in map(int, pair):
            if 0 <= child <= parent:
                raise ValueError(f"node {child} of a tree is below node {parent} and above it")
            yield child
