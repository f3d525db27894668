"""LightGBM on the time series: the study's third model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np

from dyssync.arrays import Floats
from dyssync.errors import ModelError, check_choice
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.learning.tree_text import check_trees
from dyssync.learning.trees import Trees
from dyssync.models.base import (
    SMALLEST_SCALE,
    ProbabilityMixin,
    base_rate_of,
    check_labels,
    check_names,
    check_weights,
    learnt_number,
    learnt_rate,
)
from dyssync.models.fall import NORMAL_TO_LOGISTIC, falls_to_learn, log_odds_of_response
from dyssync.models.measured import FEATURES, feature_names, signal_matrix
from dyssync.models.physiology import constraints
from dyssync.models.protocols import Choices, Contributions, Labelled, Labels, Ranges, State


class Boosting(ProbabilityMixin):
    """Gradient-boosted trees on the measurements of an ECG and what the clinic knows.

    Small trees, few columns a tree and strong shrinkage, because a cohort of 285 supports few
    parameters (criteria of Riley RD et al., BMJ 2020;368:m441). Row and column sampling make the
    seed matter at all (LightGBM #3506).

    Args:
        features: "dictionary" (measurements), "waveform" (lead statistics and samples of the median
            beat) or "both".
        clinical: whether age, sex, aetiology, LVEF, NYHA class and atrial fibrillation are used
            where they are known.
        monotone: whether the signs of :mod:`dyssync.models.physiology` bind the trees.
        target: "fall" of LVESV where the volumes are known and there is no validation part, or
            "response" even there.
        rounds: trees; with a validation part early stopping may take fewer.
        patience: trees without a better validation loss before stopping.
        learning_rate: shrinkage.
        leaves: leaves a tree.
        min_leaf: patients a leaf, at least.
        column_share: share of the features each tree may use, 0-1.
        row_share: share of the patients each tree sees, 0-1.
        l2: ridge penalty on leaf values.
    """

    QUICK_TO_FIT: ClassVar[bool] = True
    CHOICES: ClassVar[Choices] = {"features": FEATURES, "target": ("fall", "response")}
    RANGES: ClassVar[Ranges] = {
        "rounds": (1, 100_000),
        "patience": (1, 100_000),
        "learning_rate": (1e-8, 10.0),
        "leaves": (2, 10_000),
        "min_leaf": (1, 100_000),
        "column_share": (0.001, 1.0),
        "row_share": (0.001, 1.0),
        "l2": (0.0, 1e9),
    }

    def __init__(
        self,
        *,
        features: str = "dictionary",
        clinical: bool = True,
        monotone: bool = True,
        target: str = "fall",
        rounds: int = 100,
        patience: int = 60,
        learning_rate: float = 0.03,
        leaves: int = 7,
        min_leaf: int = 10,
        column_share: float = 0.3,
        row_share: float = 0.8,
        l2: float = 1.0,
    ) -> None:
        self.features = features
        self.clinical = clinical
        self.monotone = monotone
        self.target = target
        self.rounds = rounds
        self.patience = patience
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.min_leaf = min_leaf
        self.column_share = column_share
        self.row_share = row_share
        self.l2 = l2

    def fit(
        self,
        X: Sequence[Input],
        y: Labels,
        *,
        seed: int = 0,
        fall: Floats | None = None,
        weight: Floats | None = None,
        validation: Labelled | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Grow trees; with `validation`, as many as its log-loss bears."""
        import lightgbm

        labels = check_labels(X, y)
        weights = check_weights(weight, len(X))
        self.classes_ = np.array([0, 1])
        self.base_rate_ = base_rate_of(labels, weights)
        self.feature_names_ = self._names()
        values = self._matrix(X)
        missing = np.isnan(values).sum(axis=0)
        # Where training has hardly seen a value missing, trees would take it for 0.
        gaps = missing < self._least(len(labels))
        self.median_: Floats = np.full(values.shape[1], np.nan)
        self.median_[gaps] = np.nanmedian(values[:, gaps], axis=0)
        # a validation part tells the response alone, so that alone can be stopped on
        wanted = self.target == "fall" and validation is None
        falls = falls_to_learn(fall, labels) if wanted else None
        self.fall_sd_ = None if falls is None else _weighted_sd(falls, weights)
        data = lightgbm.Dataset(
            self._filled(values),
            labels if falls is None else falls,
            weight=weights,
            feature_name=self.feature_names_,
        )
        callbacks = [lambda env: watch.on_progress(env.iteration + 1, self.rounds)]
        sets = []
        if validation is not None:
            held = self._filled(self._matrix(validation[0]))
            sets = [data.create_valid(held, validation[1])]
            callbacks.append(lightgbm.early_stopping(self.patience, verbose=False))
        settings = self._parameters(seed, len(labels))
        booster = lightgbm.train(settings, data, self.rounds, valid_sets=sets, callbacks=callbacks)
        best = booster.best_iteration if sets else self.rounds
        self.trees_ = Trees(booster.model_to_string(num_iteration=best))
        return self

    def ecg_alone(self) -> Self | None:
        """Return it unfitted and without clinical facts; None where it looks at none anyway."""
        return type(self)(**{**self.get_params(), "clinical": False}) if self.clinical else None

    def _names(self) -> list[str]:
        check_choice("features", self.features, FEATURES)
        return feature_names(self.features, clinical=self.clinical)

    def _matrix(self, X: Sequence[Input]) -> Floats:
        return signal_matrix(X, "lightgbm", self.features, clinical=self.clinical)

    def _least(self, n: int) -> int:
        return min(self.min_leaf, max(1, n // 6))

    def _filled(self, values: Floats) -> Floats:
        return np.where(np.isnan(values), self.median_, values)

    def _parameters(self, seed: int, n: int) -> dict[str, Any]:
        return {
            "objective": "binary" if self.fall_sd_ is None else "regression",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self._least(n),
            "feature_fraction": self.column_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1,
            "lambda_l2": self.l2,
            "monotone_constraints": constraints(self.feature_names_ if self.monotone else ()),
            "seed": seed,
            # same numbers on every machine (LightGBM #3654, #6094)
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }

    def logits(self, X: Sequence[Input]) -> Floats:
        """Return the log-odds of response, (n,) float64; NaN without a heartbeat."""
        values = self._matrix(X)
        trees: Trees = self._learned("trees_")
        raw = trees.scores(self._filled(values))
        n_ecg = len(FEATURES[self.features].names)
        return np.where(np.isnan(values[:, :n_ecg]).all(axis=1), np.nan, self._log_odds(raw))

    def _log_odds(self, raw: Floats) -> Floats:
        return raw if self.fall_sd_ is None else log_odds_of_response(raw, self.fall_sd_)

    def contributions(self, X: Sequence[Input]) -> Contributions:
        """Return the SHAP values that LightGBM itself computes (exact for trees).

        References:
            Lundberg SM et al., Nat Mach Intell 2020;2:56-67 (TreeSHAP).
        """
        values = self._matrix(X)
        trees: Trees = self._learned("trees_")
        shares = trees.contributions(self._filled(values))
        of_features, base = shares[:, :-1], shares[:, -1]
        if self.fall_sd_ is not None:  # from % of fall to log-odds, which is linear in it
            of_features = of_features * (NORMAL_TO_LOGISTIC / self.fall_sd_)
        return Contributions(tuple(self.feature_names_), values, of_features, self._log_odds(base))

    def state(self) -> State:
        """Return the trees as LightGBM text."""
        trees: Trees = self._learned("trees_")
        values = {
            "feature_names": self.feature_names_,
            "median": [None if np.isnan(v) else float(v) for v in self.median_],
            "fall_sd": self.fall_sd_,
            "base_rate": self.base_rate_,
        }
        return State(values, {"booster.txt": trees.text.encode()})

    def restore(self, state: State) -> Self:
        """Take the trees back.

        Raises:
            ModelError: they are damaged, or were grown on features that this version does not
                compute.
        """
        self.feature_names_ = self._names()
        check_names(list(state.values["feature_names"]), self.feature_names_)
        self.classes_ = np.array([0, 1])
        self.base_rate_ = learnt_rate(state.values)
        sd = state.values["fall_sd"]
        self.fall_sd_ = None if sd is None else learnt_number(state.values, "fall_sd")
        if self.fall_sd_ is not None and not self.fall_sd_ > SMALLEST_SCALE:
            raise ModelError("fall_sd: a number above 0 is needed; copy the bundle again")
        median = state.values["median"]
        self.median_ = np.array([np.nan if v is None else v for v in median], dtype=np.float64)
        if self.median_.shape != (len(self.feature_names_),) or np.isinf(self.median_).any():
            raise ModelError("median: a number a feature is needed; copy the bundle again")
        text = state.files["booster.txt"].decode("ascii")
        check_trees(text, self.feature_names_, rounds=self.rounds, leaves=self.leaves)
        self.trees_ = Trees(text)
        return self


def _weighted_sd(falls: Floats, weights: Floats) -> float:
    """Return the SD of the falls, %.

    Trees fit their own training falls too closely for residuals to tell how far others vary. The SD
    of the falls themselves is an upper bound; the recalibration on patients that no member saw
    takes up the rest.
    """
    centre = np.average(falls, weights=weights)
    sd = float(np.sqrt(np.average((falls - centre) ** 2, weights=weights)))
    if sd == 0:
        raise ModelError("all training patients have the same fall; nothing can be learnt")
    return sd
