"""What the report says of prediction sets."""

import pandas as pd
import pytest

from cellfate.report.prediction_sets import tell_sets
from tests.cases.score_tables import HEADLINE_H, prediction_sets

ONE_FOLD = pd.DataFrame({"scheme": ["grouped_holdout"], "fold": [0]})


def test_the_level_is_written_beside_what_was_seen_for_all_cells_and_by_dose_and_outcome():
    part = tell_sets(prediction_sets(), ONE_FOLD, "recording", HEADLINE_H)
    assert "Set to hold what comes in 90 %" in part.sentences[0]
    assert "held it in 92 % (85 to 97) and left 28 % undecided, every recording counting the same" in part.sentences[0]
    assert part.sentences[1] == "By what came, sets held it in: apoptosis 92 % and mitosis 92 %."
    assert len(part.tables[0].rows) == 12


def test_it_is_said_that_few_groups_cost_larger_sets():
    few = prediction_sets().assign(n_groups=10)
    assert (
        "With only 10 recordings, the level costs larger sets"
        in tell_sets(few, ONE_FOLD, "recording", None).sentences[1]
    )


@pytest.mark.parametrize(
    ("scheme", "folds", "said"),
    [
        ("grouped_holdout", [0], "for a new recording like these it is expected, not proven"),
        ("grouped_folds", [0, 1], "the level is expected, not proven"),
        ("random_by_cell", [0], "also trained the model, so a new recording can fare worse"),
    ],
)
def test_what_is_promised_depends_on_the_split(scheme, folds, said):
    splits = pd.DataFrame({"scheme": scheme, "fold": folds})
    assert said in tell_sets(prediction_sets(), splits, "recording", None).sentences[2]


def test_without_sets_the_reason_is_told_and_without_rows_nothing():
    refused = tell_sets(prediction_sets(reason="8 groups are too few"), ONE_FOLD, "recording", HEADLINE_H)
    assert refused.sentences == ("No forecast is called undecided, because 8 groups are too few.",)
    assert not refused.tables
    assert not tell_sets(prediction_sets().iloc[:0], ONE_FOLD, "recording", HEADLINE_H).sentences
