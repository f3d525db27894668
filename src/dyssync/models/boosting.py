"""LightGBM on the time series: the study's third model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from dyssync.arrays import Floats
from dyssync.errors import ModelError, check_choice
from dyssync.image import Input
from dyssync.learning.training import UNWATCHED, Watch
from dyssync.models.base import ProbabilityMixin, check_labels, signals_of
from dyssync.models.measured import FEATURES, feature_matrix, feature_names
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
        rounds: most trees; early stopping on the validation part takes fewer.
        patience: trees without a better validation log-loss before stopping.
        learning_rate: shrinkage.
        leaves: leaves a tree.
        min_leaf: patients a leaf, at least.
        column_share: share of the features each tree may use, 0-1.
        row_share: share of the patients each tree sees, 0-1.
        l2: ridge penalty on leaf values.
    """

    CHOICES: ClassVar[Choices] = {"features": FEATURES}
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
        rounds: int = 600,
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
        validation: Labelled | None = None,
        watch: Watch = UNWATCHED,
    ) -> Self:
        """Grow trees; with `validation`, as many as its log-loss bears."""
        import lightgbm

        labels = check_labels(X, y)
        self.classes_ = np.array([0, 1])
        self.feature_names_ = self._names()
        data = lightgbm.Dataset(self._matrix(X), labels, feature_name=self.feature_names_)
        callbacks = [lambda env: watch.on_progress(env.iteration + 1, self.rounds)]
        sets = []
        if validation is not None:
            sets = [data.create_valid(self._matrix(validation[0]), validation[1])]
            callbacks.append(lightgbm.early_stopping(self.patience, verbose=False))
        self.booster_ = lightgbm.train(
            self._parameters(seed, labels), data, self.rounds, valid_sets=sets, callbacks=callbacks
        )
        self.rounds_ = self.booster_.best_iteration if sets else self.rounds
        return self

    def _names(self) -> list[str]:
        check_choice("features", self.features, FEATURES)
        return feature_names(self.features, clinical=self.clinical)

    def _matrix(self, X: Sequence[Input]) -> Floats:
        signals = signals_of(X, "lightgbm")
        return feature_matrix(signals, self.features, clinical=self.clinical)

    def _parameters(self, seed: int, labels: Labels) -> dict[str, Any]:
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": min(self.min_leaf, max(1, len(labels) // 6)),
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

    def response_probability(self, X: Sequence[Input]) -> Floats:
        """Return the probability of response, (n,) float64."""
        booster = self._learned("booster_")
        p = booster.predict(self._matrix(X), num_iteration=self.rounds_, num_threads=1)
        return np.asarray(p, dtype=np.float64)

    def contributions(self, X: Sequence[Input]) -> Contributions:
        """Return the SHAP values that LightGBM itself computes (exact for trees).

        References:
            Lundberg SM et al., Nat Mach Intell 2020;2:56-67 (TreeSHAP).
        """
        booster = self._learned("booster_")
        values = self._matrix(X)
        shares = np.asarray(
            booster.predict(values, num_iteration=self.rounds_, num_threads=1, pred_contrib=True),
            dtype=np.float64,
        )
        return Contributions(tuple(self.feature_names_), values, shares[:, :-1], shares[:, -1])

    def refit_params(self, fitted: Sequence[Self]) -> Mapping[str, Any]:
        """Return the median number of trees that early stopping chose."""
        return {"rounds": max(1, round(float(np.median([m.rounds_ for m in fitted]))))}

    def state(self) -> State:
        """Return the trees as LightGBM text."""
        text = self._learned("booster_").model_to_string(num_iteration=self.rounds_)
        values = {"rounds": self.rounds_, "feature_names": self.feature_names_}
        return State(values, {"booster.txt": text.encode()})

    def restore(self, state: State) -> Self:
        """Take the trees back.

        Raises:
            ModelError: they were grown on features that this version does not compute.
        """
        import lightgbm

        names, known = list(state.values["feature_names"]), self._names()
        if names != known:
            unknown, new = sorted(set(names) - set(known)), sorted(set(known) - set(names))
            raise ModelError(
                f"the model's features differ from this version's: {len(unknown)} unknown "
                f"({', '.join(unknown[:3])}), {len(new)} new ({', '.join(new[:3])}); "
                "use the version that made the bundle"
            )
        self.classes_ = np.array([0, 1])
        self.feature_names_ = names
        try:
            self.booster_ = lightgbm.Booster(model_str=state.files["booster.txt"].decode())
        except lightgbm.basic.LightGBMError as error:
            raise ModelError("the trees are damaged; copy the bundle again") from error
        self.rounds_ = int(state.values["rounds"])
        return self
