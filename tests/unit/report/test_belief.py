"""Verdicts on explanations follow from their scores, and say why."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.methods import COMPARED
from cellfate.report.belief import (
    is_at_chance,
    judge_methods,
    tabulate_attribution_scores,
    tabulate_background_swap,
    tabulate_rests_on,
    write_belief,
    write_explained,
)
from cellfate.report.known_answer import PLANTED, assemble_known_answer_page, print_known_answer
from tests.cases.explanation_tables import attribution_scores, background_swap, shapley_values, tree_shapley_values
from tests.cases.report_tables import report_case

NAN = (np.nan, np.nan, np.nan)


def test_a_method_that_is_good_at_everything_passes():
    assert set(judge_methods(attribution_scores())["verdict"]) == {"passes"}
    assert "Believe first" in write_belief(attribution_scores())


def auroc(low, predictor="classifier", outcome="apoptosis", within_h=np.nan):
    facts = {"predictor": predictor, "outcome": outcome, "within_h": within_h, "low": low}
    return pd.DataFrame([{**facts, "metric": "auroc", "condition": "all"}])


def test_a_model_at_chance_has_nothing_to_explain():
    assert is_at_chance(auroc(0.29), "classifier", "apoptosis")
    assert not is_at_chance(auroc(0.51), "classifier", "apoptosis")
    assert not is_at_chance(auroc(np.nan), "classifier", "apoptosis")
    assert not is_at_chance(auroc(0.3, predictor="track_length"), "classifier", "apoptosis")
    assert "believe none of them" in write_belief(attribution_scores(), at_chance=True)


def test_of_the_clock_the_event_and_hours_count_that_are_explained():
    scored = pd.concat([auroc(0.4, "network", "mitosis", 5.0), auroc(0.6, "network", "mitosis", 2.0)])
    assert is_at_chance(scored, "network", "mitosis within 5 h")
    assert not is_at_chance(scored, "network", "mitosis within 2 h")
    assert not is_at_chance(scored, "network", "apoptosis within 5 h")
    # hours that were explained but not scored: the others count, and one of them is above chance
    assert not is_at_chance(scored, "network", "mitosis within 7 h")
    assert is_at_chance(scored.assign(low=0.4), "network", "mitosis within 7 h")


@pytest.mark.parametrize(
    ("score", "value", "words"),
    [
        ("deletion_gain", (0.4, -0.1, 0.9), "deletion is not told apart"),
        ("insertion_gain", (-0.4, -0.6, -0.1), "insertion is not told apart"),
        ("randomised_weights", (0.8, 0.7, 0.9), "stays alike when the weights are random"),
        ("label_permuted", (0.8, 0.7, 0.9), "permuted outcomes gives it as well"),
        ("window_auroc", (0.6, 0.5, 0.7), r"misses the planted hours \(AUROC 0.60\)"),
    ],
)
def test_each_check_can_fail_a_method_and_is_named(score, value, words):
    scores = attribution_scores(shapley={score: value})
    verdicts = judge_methods(scores).set_index("method")
    assert verdicts["verdict"].to_dict() == {name: "fails" if name == "shapley" else "passes" for name in COMPARED}
    assert pd.Series([verdicts.loc["shapley", "reasons"]]).str.contains(words).all()
    assert pd.Series([write_belief(scores)]).str.contains("Do not rely on Shapley values: .*" + words).all()


def test_methods_that_fail_alike_are_named_together():
    bad = {"deletion_gain": (0.0, -0.1, 0.1), "insertion_gain": (0.0, -0.1, 0.1)}
    words = write_belief(attribution_scores(shapley=bad, attention=bad))
    assert "Attention and Shapley values: deletion and insertion are not told apart from random orders." in words


def test_a_method_without_scores_is_not_checked():
    scores = attribution_scores(attention={"deletion_gain": NAN, "insertion_gain": NAN})
    verdicts = judge_methods(scores).set_index("method")
    assert verdicts.loc["attention", "verdict"] == "not checked"
    assert verdicts.loc["attention", "reasons"] == "not for this method"


def test_under_ten_groups_no_method_is_said_to_be_better_than_random_orders():
    bad = {"deletion_gain": (0.4, -0.1, 0.9)}
    few = attribution_scores(shapley=bad, occlusion_window={"randomised_weights": (0.8, 0.7, 0.9)}).assign(n_groups=9)
    verdicts = judge_methods(few).set_index("method")
    found = verdicts["verdict"].to_dict()
    assert found == {name: "fails" if name == "occlusion_window" else "not checked" for name in COMPARED}
    assert verdicts.loc["shapley", "reasons"] == "cells of 9 groups were explained, expected are at least 10"
    assert write_belief(few) == (
        f"Too few groups to tell methods from random orders: {verdicts.loc['shapley', 'reasons']}. "
        "Do not rely on Occlusion of windows: it stays alike when the weights are random."
    )
    assert "Believe first" in write_belief(few.assign(n_groups=10))


def test_when_nothing_passes_the_words_say_so():
    bad = {name: {"deletion_gain": (0.0, -0.1, 0.1)} for name in COMPARED}
    assert write_belief(attribution_scores(**bad)).startswith("No method passes every check")


def test_scores_stand_with_their_intervals_and_columns_without_any_value_are_left_out():
    no_truth = {name: dict.fromkeys(("window_auroc", "window_precision", "channel_hit"), NAN) for name in COMPARED}
    table = tabulate_attribution_scores(attribution_scores(**no_truth))
    assert "Planted hours, AUROC" not in table.columns
    shapley = next(row for row in table.rows if row[0] == "Shapley values")
    assert "1.50 [1.20, 1.80]" in shapley
    assert shapley[-1] == "passes"


def test_background_swap_is_shown_before_and_after():
    rows = tabulate_background_swap(background_swap()).rows
    assert ("on another cell's surroundings", "balanced accuracy", "0.55 (0.45 to 0.65)") in rows
    assert len(rows) == 4


def test_what_a_forecast_rests_on_is_shared_out():
    facts = {"outcome": "mitosis", "event_frame": [10], "lead_time_h": 1.5}
    explained = pd.DataFrame({"landmark_id": ["a:1:7"], **facts}).astype({"event_frame": "Int64"})
    channels, hours, features = tabulate_rests_on(shapley_values(), tree_shapley_values(), explained)
    assert channels.rows == (("p53", "0.80"), ("circadian", "0.20"))
    assert hours.columns == ("Time before the event (h)", "Share")  # the clock of the figure, in its order
    assert hours.rows == (("over 3.5", "0.80"), ("3.5-1.5", "0.20"))
    assert features.rows == (("area", "0.75"), ("p53", "0.25"))
    assert tabulate_rests_on(shapley_values().head(0), tree_shapley_values().head(0), explained) == ()
    assert "AUROC 0.80" in features.caption


def scenario_tables() -> tuple[pd.DataFrame, ...]:
    case = report_case()
    names = ("null", "p53_early")
    tables = (attribution_scores(), case.tables["metrics"], case.tables["comparisons"], background_swap())
    return tuple(pd.concat([table.assign(scenario=name) for name in names]) for table in tables)


def test_the_page_of_scenarios_says_what_is_planted_in_each():
    page = assemble_known_answer_page(*scenario_tables(), report_case().tables["recordings"])
    for name in ("null", "p53_early"):
        assert PLANTED[name].split("'")[0] in page
    assert "sister_coupled" not in page
    assert page.count("Plotly.newPlot(") == 2


def test_the_lines_for_a_terminal_hold_every_method_and_score():
    text = print_known_answer(scenario_tables()[0])
    assert text.count("Shapley values") == 2
    assert "Planted hours, AUROC" in text
    assert "0.90" in text


@pytest.mark.parametrize(("baseline", "warns"), [(-0.3, False), (-2.3, False), (-2.6, True), (1.7, True)])
def test_a_forecast_of_nothing_far_from_the_base_rate_is_warned_of(baseline, warns):
    """The base rate is -.4; two cells, one with two values."""
    shapley = pd.DataFrame({"landmark_id": ["a", "a", "b"], "explained_outcome": "mitosis", "baseline": baseline})
    explained = pd.DataFrame({"landmark_id": ["b", "a", "c"], "reference_log_odds": [-0.4, -0.4, 9.0]})
    said = write_explained(shapley, explained)
    told = f"mitosis, in 2 test cells; mean log odds with nothing shown {baseline:.1f}, base rate -0.4"
    assert said.startswith(f"Shapley values explain {told}.")
    assert ("Warning" in said) == warns
