"""A thousand mutated files over all readers: a sound table or one sentence, and no reader hangs."""

import logging

import pytest

from tests.fuzz import Target, find_faults, list_targets

TARGETS = list_targets()
SEEDS = range(1000 // len(TARGETS))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_mutated_files_end_in_a_table_or_in_a_sentence(target: Target) -> None:
    logging.disable(logging.CRITICAL)
    try:
        assert list(find_faults(target, SEEDS)) == []
    finally:
        logging.disable(logging.NOTSET)


def test_what_a_reader_must_not_do_is_found() -> None:
    def hang(root) -> None:
        raise RecursionError("deep")

    bad = Target("bad", lambda root: (root / "a.csv").write_text("a,b\n1,2\n"), hang)
    assert ["RecursionError" in fault.said for fault in find_faults(bad, range(2))] == [True, True]
