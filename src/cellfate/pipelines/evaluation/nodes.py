"""Nodes of the `evaluation` pipeline."""

import pandas as pd

from cellfate.core.tables import Forecasts


def gather_forecasts(*forecasts: pd.DataFrame) -> pd.DataFrame:
    """Put the forecasts of all predictors into one table.

    Parameters
    ----------
    *forecasts
        Tables `Forecasts`; those without rows are left out.

    Returns
    -------
    DataFrame
        Table `Forecasts`, in the order given.
    """
    filled = [table for table in forecasts if len(table)]
    return Forecasts.validate(pd.concat(filled, ignore_index=True) if filled else forecasts[0])
