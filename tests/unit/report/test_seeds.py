"""The report says from how many seeds the models were trained, and which interval holds what another would give."""

from cellfate.core.tables import SeedScores
from cellfate.report.seeds import tabulate_seeds, write_seeds, write_trained
from tests.cases.score_tables import HEADLINE_H, seed_scores

ONE = SeedScores.empty()


def test_one_training_is_said_and_nothing_else():
    assert write_trained(ONE) == "Each model was trained once: what another seed would give is not in the intervals."
    assert write_seeds(ONE) == ()
    assert tabulate_seeds(ONE, None) is tabulate_seeds(ONE, HEADLINE_H) is None


def test_three_seeds_say_what_is_undivided_and_what_is_divided():
    assert write_trained(seed_scores()).startswith("Each model was trained from 3 seeds and the first is kept: ")
    (words,) = write_seeds(seed_scores())
    assert "Another training like this: where the score of one more training would lie" in words
    assert "the variance between seeds added undivided. This procedure on average: " in words
    assert "over all trainings would lie, that variance divided by 3." in words


def test_the_table_lists_headline_scores_of_one_question_and_differences_with_their_sign():
    which, within = (tabulate_seeds(seed_scores(), hours) for hours in (None, HEADLINE_H))
    assert which.caption == "Trained from 3 seeds: which fate comes"
    assert within.caption == "Trained from 3 seeds: what happens within 5 h"
    assert which.columns == (
        "Predictor",
        "Score",
        "Of",
        "Kept model",
        "Mean over seeds",
        "Standard deviation between seeds",
        "Another training like this",
        "This procedure on average",
    )
    numbers = ("0.850", "0.831", "0.020", "0.711 to 0.931", "0.771 to 0.881")
    assert which.rows[0] == ("Classifier", "Balanced accuracy", "all outcomes", *numbers)
    assert which.rows[1][0] == "Classifier minus boosting taught the fate"
    assert which.rows[1][-2:] == ("-0.130 to 0.090", "-0.070 to 0.040")
    assert [row[:3] for row in within.rows[::2]] == [
        ("Blend", "AUROC", "apoptosis within 5 h"),
        ("Blend", "AUROC", "mitosis within 5 h"),
    ]
    # the Brier score stands in the table alone, and the AUROC of one of two fates is that of the other
    assert [row[:3] for row in which.rows[2:]] == [
        ("Classifier", "AUROC", "apoptosis"),
        ("Classifier minus boosting taught the fate", "AUROC", "apoptosis"),
    ]


def test_two_seeds_give_no_interval_and_it_is_said_why():
    (words,) = write_seeds(seed_scores(2))
    why = "no interval: 3 seeds at least tell how much they differ."
    assert words == f"The tables of seeds are of 2 trainings of each model; {why}"
    assert tabulate_seeds(seed_scores(2), None).rows[0][-1] == "no interval"
