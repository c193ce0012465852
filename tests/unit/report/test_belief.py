"""Verdicts on explanations follow from their scores, and say why."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.methods import COMPARED
from cellfate.core.words import name_method
from cellfate.report.belief import (
    is_at_chance,
    judge_methods,
    tabulate_attribution_scores,
    tabulate_background_swap,
    tabulate_reasons,
    tabulate_rests_on,
    tabulate_verdicts,
    write_belief,
    write_explained,
)
from cellfate.report.known_answer import PLANTED, assemble_known_answer_page, print_known_answer
from tests.cases.explanation_tables import attribution_scores, background_swap, shapley_values, tree_shapley_values
from tests.cases.report_tables import report_case

NAN = (np.nan, np.nan, np.nan)


def test_a_method_that_is_good_at_everything_passes_twice():
    verdicts = judge_methods(attribution_scores())
    assert set(verdicts["about_model"]) == set(verdicts["about_cell"]) == {"passes"}
    assert set(verdicts["reasons"]) == {""}
    words = write_belief(attribution_scores())
    assert words.startswith("Believe of a single cell: Attention, ")
    assert "not of a single cell" not in words


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
        ("deletion_gain", (0.4, -0.1, 0.9), "deletion, over random 0.40 [-0.10, 0.90]"),
        ("insertion_gain", (-0.4, -0.6, -0.1), "insertion, over random -0.40 [-0.60, -0.10]"),
        ("deletion_over_shared", (0.4, -0.1, 0.9), "deletion, over a shared order 0.40 [-0.10, 0.90]"),
        ("insertion_over_shared", (0.4, -0.1, 0.9), "insertion, over a shared order 0.40 [-0.10, 0.90]"),
        ("randomised_weights", (0.8, 0.7, 0.9), "weights randomised 0.80 [0.70, 0.90]"),
        ("retrained_over_permuted", (0.1, -0.1, 0.3), "trained again, over permuted 0.10 [-0.10, 0.30]"),
        ("window_auroc", (0.6, 0.5, 0.7), "planted hours, AUROC 0.60 [0.50, 0.70]"),
    ],
)
def test_each_check_can_fail_a_method_about_the_model_and_so_about_the_cell(score, value, words):
    verdicts = judge_methods(attribution_scores(shapley={score: value})).set_index("method")
    expected = {name: "fails" if name == "shapley" else "passes" for name in COMPARED}
    assert verdicts["about_model"].to_dict() == verdicts["about_cell"].to_dict() == expected
    assert verdicts.loc["shapley", "reasons"] == words


@pytest.mark.parametrize(
    ("score", "value", "words"),
    [
        ("deletion_over_matched", (0.1, -0.1, 0.3), "deletion, over matched cells 0.10 [-0.10, 0.30]"),
        ("insertion_over_matched", (0.1, -0.1, 0.3), "insertion, over matched cells 0.10 [-0.10, 0.30]"),
        ("deletion_over_mean", (0.1, -0.1, 0.3), "deletion, over the others' mean 0.10 [-0.10, 0.30]"),
        ("insertion_over_mean", (0.1, -0.1, 0.3), "insertion, over the others' mean 0.10 [-0.10, 0.30]"),
        ("monte_carlo_error", (0.3, 0.2, 0.4), "Monte Carlo error 0.30 beside values of 0.80"),
    ],
)
def test_each_check_can_fail_a_method_about_the_cell_alone(score, value, words):
    scores = attribution_scores(shapley={score: value})
    verdicts = judge_methods(scores).set_index("method")
    assert set(verdicts["about_model"]) == {"passes"}
    assert verdicts["about_cell"].to_dict() == {name: "fails" if name == "shapley" else "passes" for name in COMPARED}
    assert verdicts.loc["shapley", "reasons"] == words
    assert "Believe of the model, not of a single cell: Shapley values." in write_belief(scores)


SMALL = (0.003, 0.001, 0.005)


@pytest.mark.parametrize(
    ("score", "verdicts", "words"),
    [
        ("deletion_gain", ("fails", "fails"), "deletion, over random 0.003, expected at least 0.02 logits"),
        (
            "insertion_over_shared",
            ("fails", "fails"),
            "insertion, over a shared order 0.003, expected at least 0.02 logits",
        ),
        (
            "deletion_over_mean",
            ("passes", "fails"),
            "deletion, over the others' mean 0.003, expected at least 0.02 logits",
        ),
        ("retrained_over_permuted", ("passes", "passes"), ""),  # a correlation, no logits
    ],
)
def test_a_gain_of_thousandths_of_a_logit_passes_no_verdict_however_narrow_its_interval(score, verdicts, words):
    """The interval .001 to .005 lies above 0; .003 logits move a probability of a half by .0008."""
    found = judge_methods(attribution_scores(shapley={score: SMALL})).set_index("method").loc["shapley"]
    assert (found["about_model"], found["about_cell"], found["reasons"]) == (*verdicts, words)
    enough = judge_methods(attribution_scores(shapley={score: (0.02, 0.01, 0.03)})).set_index("method").loc["shapley"]
    assert (enough["about_model"], enough["about_cell"]) == ("passes", "passes")


def test_permuted_above_trained_again_on_the_mean_is_not_enough_to_fail_or_pass():
    alike = {"label_permuted": (0.8, 0.7, 0.9)}  # the interval of the paired difference decides
    assert set(judge_methods(attribution_scores(shapley=alike))["about_model"]) == {"passes"}


def test_where_cells_share_their_hours_the_words_say_so():
    shared = {name: {"deletion_over_mean": (0.0, -0.1, 0.1)} for name in COMPARED}
    words = write_belief(attribution_scores(**shared))
    assert words.startswith("Believe of the model, not of a single cell: Attention, ")
    assert "the values of Attention have a rank correlation of 0.60 with the mean of the other cells" in words
    assert "Where cells share their hours, no method can do more." in words
    del shared["shapley"]
    assert "share their hours" not in write_belief(attribution_scores(**shared))


def test_both_readings_stand_side_by_side_and_methods_alike_in_all_verdicts_share_a_row():
    bad, of_cell = {"deletion_gain": (0.0, -0.1, 0.1)}, {"deletion_over_mean": (0.0, -0.1, 0.1)}
    clock = attribution_scores(occlusion_window=of_cell, shapley=bad)
    table = tabulate_verdicts(
        {
            "Classifier": attribution_scores(attention=bad, shapley=bad),
            "Fate clock": clock.query("method != 'attention'"),
        }
    )
    assert table.columns[1:] == (
        "Classifier: about the model",
        "Classifier: about this cell",
        "Fate clock: about the model",
        "Fate clock: about this cell",
    )
    verdicts = {row[0]: row[1:] for row in table.rows}
    assert verdicts["Attention"] == ("fails", "fails", "\u2013", "\u2013")
    assert verdicts["Shapley values"] == ("fails", "fails", "fails", "fails")
    assert verdicts["Occlusion of windows"] == ("passes", "passes", "passes", "fails")
    others = [name for name in COMPARED if name not in ("attention", "shapley", "occlusion_window")]
    assert verdicts[", ".join(map(name_method, others))] == ("passes",) * 4
    assert len(table.rows) == 4


def test_reasons_are_told_once_for_methods_alike_and_not_of_those_that_pass():
    bad = {"deletion_gain": (0.0, -0.1, 0.1)}
    table = tabulate_reasons(attribution_scores(shapley=bad, attention=bad))
    assert table.rows == (("Attention, Shapley values", "deletion, over random 0.00 [-0.10, 0.10]"),)
    assert table.folded


@pytest.mark.parametrize(
    ("score", "of_model"),
    [("insertion_over_shared", "not checked"), ("randomised_weights", "not checked"), ("deletion_over_mean", "passes")],
)
def test_a_method_without_a_score_that_is_needed_is_not_checked(score, of_model):
    verdicts = judge_methods(attribution_scores(attention={score: NAN})).set_index("method")
    found = verdicts.loc["attention"]
    assert (found["about_model"], found["about_cell"], found["reasons"]) == (
        of_model,
        "not checked",
        "not for this method",
    )


def test_a_boosting_needs_no_random_network_and_nobody_needs_comparison_trainings():
    verdicts = judge_methods(
        attribution_scores(
            tree_shapley={"randomised_weights": NAN},
            shapley=dict.fromkeys(("label_permuted", "retrained", "retrained_over_permuted"), NAN),
        )
    )
    assert set(verdicts["about_cell"]) == {"passes"}


def test_under_ten_groups_no_method_is_said_to_be_better_than_random_orders():
    bad = {"deletion_gain": (0.4, -0.1, 0.9)}
    few = attribution_scores(shapley=bad, occlusion_window={"randomised_weights": (0.8, 0.7, 0.9)}).assign(n_groups=9)
    verdicts = judge_methods(few).set_index("method")
    found = verdicts["about_model"].to_dict()
    assert found == {name: "fails" if name == "occlusion_window" else "not checked" for name in COMPARED}
    assert verdicts.loc["shapley", "reasons"] == "cells of 9 groups were explained, expected are at least 10"
    assert write_belief(few) == (
        f"Too few groups to tell methods from random orders: {verdicts.loc['shapley', 'reasons']}."
    )
    assert "Believe of a single cell" in write_belief(few.assign(n_groups=10))


def test_when_nothing_passes_the_words_say_so():
    bad = {name: {"deletion_gain": (0.0, -0.1, 0.1)} for name in COMPARED}
    assert write_belief(attribution_scores(**bad)).startswith("No method passes every check about the model")


def test_scores_stand_with_their_intervals_and_columns_without_any_value_are_left_out():
    no_truth = {name: dict.fromkeys(("window_auroc", "window_precision", "channel_hit"), NAN) for name in COMPARED}
    table = tabulate_attribution_scores(attribution_scores(**no_truth))
    assert "Planted hours, AUROC" not in [row[0] for row in table.rows]
    column = table.columns.index("Shapley values")
    deletion = next(row for row in table.rows if row[0] == "Deletion, over random")
    assert deletion[column] == "1.50 [1.20, 1.80]"


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
    scores, metrics, *_ = scenario_tables()
    text = print_known_answer(scores, metrics)
    assert text.count("Shapley values") == 2
    assert "Planted hours, AUROC" in text
    assert "0.90" in text
    assert "at chance" not in text


def test_what_a_model_at_chance_says_passes_in_no_line():
    scores, metrics, *_ = scenario_tables()
    unsure = metrics["metric"].eq("auroc") & metrics["scenario"].eq("null")
    of_null, other = print_known_answer(scores, metrics.assign(low=metrics["low"].mask(unsure, 0.4))).split("\n\n")
    assert "passes" not in of_null
    assert all("at chance" in line for line in of_null.splitlines()[-2:])
    assert "passes" in other


@pytest.mark.parametrize(("baseline", "warns"), [(-0.3, False), (-2.3, False), (-2.6, True), (1.7, True)])
def test_a_forecast_of_nothing_far_from_the_base_rate_is_warned_of(baseline, warns):
    """The base rate is -.4; two cells, one with two values."""
    shapley = pd.DataFrame({"landmark_id": ["a", "a", "b"], "explained_outcome": "mitosis", "baseline": baseline})
    explained = pd.DataFrame({"landmark_id": ["b", "a", "c"], "reference_log_odds": [-0.4, -0.4, 9.0]})
    said = write_explained(shapley, explained)
    told = f"mitosis, in 2 test cells; mean log odds with nothing shown {baseline:.1f}, base rate -0.4"
    assert said.startswith(f"Shapley values explain {told}.")
    assert ("Warning" in said) == warns
