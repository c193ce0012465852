"""What the report says of what images add, and of whether the time in the recording is used."""

import numpy as np
import pytest

from cellfate.plots.added_value import plot_added_value
from cellfate.plots.theme import is_empty
from cellfate.report.added_value import tabulate_added_value, write_added_value
from tests.cases.report_tables import added_value

CLOCK = {"context": {"names": ["age", "recording_time"]}}


@pytest.mark.parametrize(
    ("low", "n_groups", "words"),
    [
        (0.1, 30, "+0.30 (0.10 to 0.50) nats of log-likelihood per event seen: they tell something that this context"),
        (-0.1, 30, "it is not shown that they tell more than this context"),
        (0.1, 19, "with 19 groups it is not said whether that is more than chance"),
    ],
)
def test_the_one_test_is_told_in_words(low, n_groups, words):
    said = write_added_value(added_value(low, n_groups), CLOCK)
    assert said[0].startswith("Beside age and time in the recording, the images gain +0.30")
    assert words in said[0]
    assert "Of this, measurements alone +0.20 (0.05 to 0.40); the network, beside measurements +0.10" in said[0]


def test_whether_the_time_in_the_recording_is_used_is_said():
    assert (
        "is told age and time in the recording. The time in the recording is used:"
        in write_added_value(added_value(), CLOCK)[-1]
    )
    without = write_added_value(added_value(), {"context": {"names": ["age"]}})[-1]
    assert without == "Boosting, and so the blend, is told age. The time in the recording is not used."
    assert "no context" in write_added_value(added_value(), {})[-1]


def test_what_could_not_be_asked_is_said_with_its_reason():
    lacking = added_value().query("metric == 'log_likelihood'")
    lacking = lacking.assign(difference=np.nan, low=np.nan, high=np.nan, reason="nothing is known of this context")
    assert (
        "nothing can be said of the images: nothing is known of this context." in write_added_value(lacking, CLOCK)[0]
    )
    assert is_empty(plot_added_value(lacking, 5.0))
    assert write_added_value(lacking.head(0), CLOCK) == ()
    assert tabulate_added_value(lacking.head(0)) is None


def test_every_score_is_listed_and_drawn():
    table = tabulate_added_value(added_value())
    assert len(table.rows) == len(added_value())
    assert table.rows[0][:4] == (
        "age and time in the recording",
        "images",
        "Log-likelihood gained per event",
        "all outcomes",
    )
    assert table.rows[3][4:7] == ("0.600", "0.900", "+0.30 (0.10 to 0.50)")
    figure = plot_added_value(added_value(), 5.0)
    assert [list(trace.x) for trace in figure.data] == [[0.3, 0.2, 0.1]] * 5
    assert "n = 120 landmarks in 30 groups" in figure.layout.title.text
