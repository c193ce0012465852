import doctest

import pytest

from cellfate.labels import loop
from cellfate.labels.loop import Changes, find_changes
from cellfate.labels.table import labels_table
from tests.unit.labels.cases import make_label

FIRST = [make_label(1), make_label(2, "neither", None), make_label(3, "mitosis", 4)]


def test_examples_hold():
    assert doctest.testmod(loop) == (0, 2)


def test_what_the_last_run_does_not_know_is_counted():
    applied = labels_table(FIRST)
    assert find_changes(applied, applied) == (0, 0, 0)
    assert find_changes(labels_table([]), applied) == (3, 0, 0)
    assert find_changes(applied, labels_table([])) == (0, 0, 3)
    again = [make_label(1, note="sure"), make_label(2, "neither", 7), make_label(3, None, None)]
    added = [make_label(1, scorer="ben"), make_label(8)]
    assert find_changes(applied, labels_table([*FIRST, *again, *added])) == (2, 1, 1)
    # the same, but it may not test any more
    only = [make_label(2, "neither", None, queue="uncertain")]
    assert find_changes(labels_table(FIRST[:1]), labels_table([FIRST[0], *only])) == (1, 0, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((1, 0, 0), "Since the last run 1 label was given; kedro run makes them count."),
        ((0, 2, 0), "Since the last run 2 labels were changed; kedro run makes them count."),
        ((3, 2, 1), "Since the last run 3 labels were given, 2 changed and 1 taken back; kedro run makes them count."),
    ],
)
def test_it_is_told_in_a_sentence(changes, words):
    assert Changes(*changes).tell("kedro run") == words
