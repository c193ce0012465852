"""What network and boosting count for in the blend, and what the network was worth, in a table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cellfate.core.predictors import label_predictor
from cellfate.prediction.records import ALL_CELLS, BlendWeights
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table


def tabulate_weights(blend_weights: Mapping[str, Mapping[str, Any]]) -> ReportTable | None:
    """List the weights of a blend: those of the test cells of each fold, and those of new cells.

    Parameters
    ----------
    blend_weights
        `blend_weights` of the fate clock's `config.json`; empty: nothing is listed.
    """
    if not blend_weights:
        return None
    weighed = {owner: BlendWeights.model_validate(found) for owner, found in blend_weights.items()}
    rows = [_row(_name_cells(owner), weights) for owner, weights in weighed.items()]
    bounded = {f"{weights.most:g}" for weights in weighed.values() if weights.most < 1}
    bound = (
        f"; with fewer than three recordings that did not train it, at most {', '.join(sorted(bounded))} of the network"
    )
    caption = (
        "What the parts of the blend count for: boosting alone, unless the network adds more than one standard error "
        f"in log likelihood on cells that neither train nor test{bound if bounded else ''}"
    )
    return as_report_table(pd.DataFrame(rows), caption, folded=True)


def _name_cells(owner: str) -> str:
    return "new cells" if owner == ALL_CELLS else f"test cells of {owner.replace('_', ' ')}"


def _row(cells: str, weights: BlendWeights) -> dict[str, str]:
    judged = weights.gain is not None and weights.standard_error is not None
    gain = f"{weights.gain:+.4f} ({weights.standard_error:.4f})" if judged else "could not be judged"
    counted = {label_predictor(part): f"{weight:.2f}" for part, weight in weights.parts.items()}
    chosen_on = {"groups": f"{weights.n_groups:,}", "recordings": f"{weights.n_recordings:,}"}
    return {"forecast of": cells, **counted, "gain a landmark (standard error)": gain, **chosen_on}
