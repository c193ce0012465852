"""What the report says of lost cells is what the tables hold."""

from cellfate.report.losses import tabulate_losses, tabulate_sensitivity
from tests.cases.score_tables import loss_sensitivity, losses


def test_losses_are_listed_by_horizon_and_dose_with_whose_losses_make_the_weights():
    table = tabulate_losses(losses())
    assert "at least 30 cells" in table.caption
    assert [row[:2] for row in table.rows[:3]] == [("2 h", "all doses"), ("2 h", "Low"), ("2 h", "High")]
    assert table.rows[2][2:] == ("600", "150", "30", "own", "1.50", "0 %")
    assert tabulate_losses(losses().head(0)) is None


def test_scores_if_lost_cells_had_died_stand_beside_those_as_analysed():
    table = tabulate_sensitivity(loss_sensitivity())
    assert table.caption == "Blend, if some of the 60 lost cells had died at the moment of loss"
    assert table.columns == ("Of", "Score", "As analysed", "10 % died", "30 % died", "Furthest apart")
    assert table.rows[0] == ("apoptosis within 5 h", "AUROC", "0.860", "0.850", "0.830", "0.030")
    assert tabulate_sensitivity(loss_sensitivity().assign(n_lost_cells=0)) is None
    assert tabulate_sensitivity(loss_sensitivity().head(0)) is None
