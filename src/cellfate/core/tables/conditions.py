"""Conditions compared by what was observed."""

import pandera.pandas as pa
from pandera.typing.pandas import Series

from cellfate.core.tables.base import Table


class _OfCondition(Table):
    """Columns that name a condition and dose, an event, and from when hours are counted."""

    condition: Series[str]
    dose: Series[str]
    curve: Series[str] = pa.Field(description="name of condition and dose together")
    outcome: Series[str] = pa.Field(description="event")
    since: Series[str] = pa.Field(isin=("treatment", "first frame"), description="hour 0")


class ConditionIncidence(_OfCondition):
    """Aalen-Johansen curves with delayed entry: one row a condition and dose, event and time."""

    time_h: Series[float] = pa.Field(ge=0)
    incidence: Series[float] = pa.Field(ge=0, le=1 + 1e-9)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_at_risk: Series[int] = pa.Field(ge=0)
    n_cells: Series[int]
    n_groups: Series[int]


class ConditionSummary(_OfCondition):
    """What was observed of a condition and dose: one row of each and event."""

    by_h: Series[float] = pa.Field(ge=0, description="last hour to which recordings of every condition go on")
    incidence: Series[float] = pa.Field(ge=0, le=1 + 1e-9, description="by then")
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    half_h: Series[float] = pa.Field(nullable=True, description="hours until half of the cells met it")
    half_low: Series[float] = pa.Field(nullable=True)
    half_high: Series[float] = pa.Field(nullable=True)
    n_events: Series[int]
    n_cells: Series[int]
    n_groups: Series[int]
    n_event_groups: Series[int]
    reason: Series[str] = pa.Field(nullable=True, description="what is not defined, and why")


class ConditionTests(Table):
    """Gray's test, permuted by unit: one row an event and set of conditions."""

    outcome: Series[str] = pa.Field(description="event")
    compared: Series[str] = pa.Field(description="`all` conditions, or one against the reference")
    reference: Series[str] = pa.Field(nullable=True)
    statistic: Series[float] = pa.Field(nullable=True, description="Gray's, of cells")
    df: Series[int]
    p_value: Series[float] = pa.Field(nullable=True, description="share of assignments with as large a statistic")
    p_corrected: Series[float] = pa.Field(nullable=True, description="Holm, over the pairs of an event")
    least_p: Series[float] = pa.Field(nullable=True, description="the smallest that p could be")
    p_of_cells: Series[float] = pa.Field(nullable=True, description="as if cells were independent: far too small")
    n_assignments: Series[int]
    exact: Series[bool] = pa.Field(description="all assignments were tried")
    n_units: Series[int]
    n_cells: Series[int]
    reason: Series[str] = pa.Field(nullable=True, description="why there is no p value, or what bounds it")


class DoseResponse(Table):
    """Log-logistic curve of the observed incidence against the dose: one row a condition and event."""

    condition: Series[str] = pa.Field(description="`all`: the table of conditions names none beside the dose")
    outcome: Series[str] = pa.Field(description="event")
    by_h: Series[float] = pa.Field(ge=0)
    unit: Series[str] = pa.Field(description="of the doses")
    bottom: Series[float] = pa.Field(description="share without a dose")
    top: Series[float] = pa.Field(description="share at the highest doses")
    middle: Series[float] = pa.Field(gt=0, description="dose half-way between the two, as fitted")
    half_dose: Series[float] = pa.Field(nullable=True, description="the same (EC50), where it lies among the doses")
    half_low: Series[float] = pa.Field(nullable=True)
    half_high: Series[float] = pa.Field(nullable=True)
    slope: Series[float]
    n_doses: Series[int]
    n_cells: Series[int]
    n_groups: Series[int] = pa.Field(description="of the dose that has fewest")
    reason: Series[str] = pa.Field(nullable=True, description="what is not defined, and why")


class ConditionCurves(Table):
    """`ConditionIncidence` for Prism and R: one row a time, three columns a curve and event."""

    time_h: Series[float] = pa.Field(ge=0)


class ConditionGroups(Table):
    """Incidence by group for Prism and R: one row an event, condition and dose, a column a group of it."""

    outcome: Series[str] = pa.Field(description="event")
    condition: Series[str]
    dose: Series[str]
    by_h: Series[float] = pa.Field(ge=0)
