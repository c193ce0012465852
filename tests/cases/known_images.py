"""Studies in which it is known what images add: tables of landmarks, measurements and forecasts of a network."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings, SplitSettings
from cellfate.cohort.splits import split_cells
from cellfate.metrics.added_value import add_value
from cellfate.metrics.settings import AddedValueSettings, ScoreSettings
from cellfate.models.settings import BlendSettings, BoostingSettings

FOLLOW_UP = FollowUpSettings(
    questions=("within_hours",), events=("mitosis",), guard_h=1.0, bin_h=1.0, horizon_h=2.0, report_h=(2.0,),
    headline_h=2.0, min_frames=1, stride_frames=1,
)  # fmt: skip
BLEND = BlendSettings(history_h=1.0, boosting=BoostingSettings(n_trees=60, min_samples_leaf=20))
CELL = ["recording_id", "cell_id"]


@dataclass(frozen=True)
class KnownImages:
    """A draw: every cell is asked once; its hazard depends on its age, on the hour and, if `useful`, on its images.

    Attributes
    ----------
    useful
        Log odds of mitosis by one standard deviation of what the images show; 0: they are useless.
    measured
        Whether measurements show it, or the network alone.
    knows_age
        Whether the network has learned the age, from its training cells; with useless images, all it knows.
    scheme
        Split scheme.
    """

    useful: float = 0.0
    measured: bool = False
    knows_age: bool = True
    scheme: str = "grouped_folds"
    n_groups: int = 40
    n_cells: int = 30

    def tables(self, seed: int) -> dict[str, pd.DataFrame]:
        """Draw landmarks, splits, measurements and forecasts of the network."""
        rng = np.random.default_rng(seed)
        n = self.n_groups * self.n_cells
        group = np.repeat(np.arange(self.n_groups), self.n_cells)
        age, begin, shown = rng.integers(0, 40, n), rng.integers(0, 40, n), rng.normal(size=n)
        hour = (begin + age) / 2
        log_odds = -3 + 2.5 / (1 + np.exp(-(age / 2 - 12) / 2)) + np.sin(hour / 6) + self.useful * shown
        log_odds += 0.3 * rng.normal(size=self.n_groups)[group]
        happens = rng.random(n) < 1 / (1 + np.exp(-log_odds))
        landmarks = _landmarks(group, begin, age, happens)
        splits = _split(landmarks, self.scheme, seed)
        features = landmarks[CELL].assign(frame=landmarks["last_frame"], n_neighbors=0.0)
        features["area"] = shown if self.measured else rng.normal(size=n)
        features["perimeter"] = rng.normal(size=n)
        forecasts = [
            _network(landmarks, fold, age / 2, shown if self.useful else None, happens, self.knows_age, rng)
            for _, fold in splits.groupby("fold")
        ]
        return {
            "forecasts": pd.concat(forecasts, ignore_index=True),
            "landmarks": landmarks,
            "splits": splits,
            "frame_features": features,
            "questions": pd.DataFrame({"question": ["within_hours"], "asked": [True], "remark": [None]}),
        }

    def added(self, seed: int, contexts: tuple = (("age", "recording_time"),), n_resamples: int = 400) -> pd.DataFrame:
        """Ask of a draw what images add."""
        settings = AddedValueSettings(contexts=contexts), ScoreSettings(n_resamples=n_resamples)
        return add_value(*self.tables(seed).values(), FOLLOW_UP, BLEND, *settings)


def gain(table: pd.DataFrame, added: str = "images") -> pd.Series:
    """The one test of what is added."""
    rows = table[(table["metric"] == "log_likelihood") & (table["added"] == added)]
    assert len(rows) == 1
    return rows.iloc[0]


def _landmarks(group, begin, age, happens) -> pd.DataFrame:
    n = len(group)
    names = [f"r{number:03d}" for number in group]
    last = begin + age
    return pd.DataFrame(
        {
            "landmark_id": [f"{name}:{cell}:{frame}" for name, cell, frame in zip(names, range(n), last, strict=True)],
            "recording_id": names,
            "cell_id": np.arange(n),
            "group_id": names,
            "dose": "Control",
            "first_frame": begin,
            "last_frame": last,
            "n_frames": age + 1,
            "age_frames": age,
            "frame_interval_min": 30.0,
            "fate": np.where(happens, "mitosis", "censored"),
            "event_frame": pd.array(np.where(happens, last + 3, -1), dtype="Int64"),
            "time_h": np.where(happens, 1.5, 5.0),
            "watchable_h": 9.0,
            "regular": True,
            "last": True,
        }
    )


def _split(landmarks: pd.DataFrame, scheme: str, seed: int) -> pd.DataFrame:
    settings = SplitSettings(scheme=scheme, seed=seed, test_share=0.3, validation_share=0.2)  # type: ignore[arg-type]
    nothing = pd.DataFrame()
    return split_cells(landmarks, nothing, nothing, FOLLOW_UP, settings)


def _network(landmarks, fold, age_h, shown, happens, knows_age, rng) -> pd.DataFrame:
    """Forecast validation and test cells by a smooth regression on age and images, taught by the training cells."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    seen = rng.normal(size=len(landmarks)) if shown is None else shown
    inputs = np.column_stack([age_h if knows_age else rng.normal(size=len(landmarks)), seen])
    part = landmarks[CELL].merge(fold, on=CELL, how="left", validate="one_to_one")["part"].to_numpy()
    network = make_pipeline(SplineTransformer(6), LogisticRegression(max_iter=500))
    train = part == "train"
    p = network.fit(inputs[train], happens[train]).predict_proba(inputs)[:, 1]
    rows = landmarks[CELL].assign(
        predictor="network", scheme=fold["scheme"].iloc[0], fold=fold["fold"].iloc[0], part=part,
        frame=landmarks["last_frame"], within_h=2.0, p_mitosis=p, p_none=1 - p, expected_h=np.nan,
    )  # fmt: skip
    return rows[~train]
