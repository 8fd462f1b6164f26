"""The estimate in scikit-learn's clothes: parameters in the constructor, results in attributes with an underscore."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from mine.data.columns import DiscreteSpec
from mine.data.encoders import encoded_sides
from mine.data.parsing import ReadColumn, read_texts
from mine.data.problem import Problem, problem_device
from mine.data.rows import same_length
from mine.data.unreadable import foreign
from mine.errors import InputError
from mine.estimators import get_estimator, with_effort
from mine.estimators.neural import FittedNeural, Neural
from mine.estimators.run import run_estimator, with_read_columns
from mine.estimators.users_critic import is_users
from mine.result import UNITS, Estimate
from mine.surroundings import plain_modes

__all__ = ["MutualInformation"]


class MutualInformation(BaseEstimator):
    """Mutual information as a scikit-learn estimator: ``fit(X, Y).value_``.

    The constructor only stores its arguments, which have the meaning they have in :func:`mine.estimate`.

    Arguments:
        method: Name of the method, or an estimator object.
        effort: ``"fast"``, ``"default"`` or ``"thorough"``; see :func:`mine.estimate`.
        critic: An untrained ``nn.Module`` taking ``(x, y)``, a function making one, or the name of a built-in one.
        encoder: A frozen network or function that is applied to the rows first, or a pair of them; see :func:`mine.estimate`.
        discrete: Which columns are labels.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator.
        drop_missing: Leave out rows with a missing or infinite value.
        parse: Read columns of numbers written as text as numbers; new rows are read as the rows of ``fit`` were.
        progress: Progress bar.
        options: Options of the method, for example ``{"steps": 2000}``.

    Attributes:
        estimate_: The :class:`mine.Estimate`; ``value_``, ``lower_bound_``, ``stderr_`` and ``interval_`` are its fields.
        critics_: The trained critics, one per fold; an empty list for methods without critics.
        n_features_in_: Number of columns of X.
        feature_names_in_: Their names, where X has names that are strings.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(500, 1)); Y = X + rng.normal(size=(500, 1))
        >>> mi = MutualInformation(method="gaussian").fit(X, Y)
        >>> abs(mi.value_ - 0.35) < 0.1
        True
    """

    def __init__(
        self,
        method: Any = "auto",
        *,
        effort: str | None = None,
        critic: Any = None,
        encoder: Any = None,
        discrete: DiscreteSpec = None,
        device: str = "auto",
        unit: str = "nats",
        random_state: Any = None,
        drop_missing: bool = False,
        parse: bool = False,
        progress: Any = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.method = method
        self.effort = effort
        self.critic = critic
        self.encoder = encoder
        self.discrete = discrete
        self.device = device
        self.unit = unit
        self.random_state = random_state
        self.drop_missing = drop_missing
        self.parse = parse
        self.progress = progress
        self.options = options

    @plain_modes()
    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:
        """Estimate the mutual information between ``X`` and ``y``.

        Arguments:
            X: Rows of the first variable, shape (n, dx) or (n,).
            y: Rows of the second variable, shape (n,) or (n, dy).
            groups: One label per row; see :func:`mine.estimate`.

        Raises:
            InputError: As :func:`mine.estimate`.
        """
        if y is None:
            raise InputError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None: "
                "mutual information needs two variables."
            )
        fitted: list[FittedNeural] = []

        def run(estimator: Any, problem: Problem) -> Estimate:
            if not isinstance(estimator, Neural):
                return estimator.run(problem)
            fitted.append(estimator.fit(problem))
            return fitted[0].estimate

        sides = zip(self._encoded(X, y), ("x", "y"), strict=True)
        (left, self._read_x), (right, self._read_y) = (self._read(data, name) for data, name in sides)
        result = self._run(run, left, right, groups)
        self.estimate_ = with_read_columns(result, [*self._read_x, *self._read_y])
        self._note_features(X, reset=True)
        self.value_ = self.estimate_.value
        self.lower_bound_ = self.estimate_.lower_bound
        self.stderr_ = self.estimate_.stderr
        self.interval_ = self.estimate_.interval
        self._fitted = fitted[0] if fitted and fitted[0].critics else None
        self.critics_ = [] if self._fitted is None else self._fitted.critics
        return self

    @plain_modes()
    def score(self, X: Any, y: Any) -> float:
        """The bound, in ``unit``, that the fitted critics reach on new rows: higher is better.

        Methods without critics estimate anew from the rows given.

        Arguments:
            X: New rows of the first variable, with the columns of ``fit``.
            y: New rows of the second.

        Raises:
            NotFittedError: Before ``fit``.
            InputError: Rows that do not pair up or do not vary, or columns that ``fit`` did not see.
        """
        check_is_fitted(self)
        self._note_features(X, reset=False)
        X, y = self._encoded(X, y)
        X, _ = self._read(X, "x", self._read_x)
        y, _ = self._read(y, "y", self._read_y)
        if self._fitted is None:
            return self._run(lambda estimator, problem: estimator.run(problem), X, y, None).value
        left, right = (e.read(data) for e, data in zip(self._fitted.encoders, (X, y), strict=True))
        same_length(len(left), len(right))
        return self._fitted.score(left, right) / UNITS[self.unit]

    def _encoded(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Both sides after ``encoder``."""
        return (X, y) if self.encoder is None else encoded_sides(X, y, self.encoder, problem_device(self.device))

    def _read(self, data: Any, name: str, known: Sequence[ReadColumn] | None = None) -> tuple[Any, list[ReadColumn]]:
        """A side with its columns of numbers written as text as numbers, if ``parse``; and which these are."""
        (side,), columns = read_texts(self.parse, self.discrete, known, **{name: data})
        return side, columns

    def _run(self, run: Any, X: Any, y: Any, groups: Any) -> Estimate:
        options = {**(self.options or {}), **({} if self.critic is None else {"critic": self.critic})}
        if self.effort is not None:
            options = with_effort(self.method, self.effort, options)
        return run_estimator(
            run, get_estimator(self.method, options), X, y, discrete=self.discrete, groups=groups, device=self.device,
            unit=self.unit, random_state=self.random_state, drop_missing=self.drop_missing,
            keep_constant_columns=is_users(self.critic), progress=self.progress,
        )  # fmt: skip

    def _note_features(self, X: Any, *, reset: bool) -> None:
        """Set or check ``n_features_in_`` and ``feature_names_in_``; one-dimensional data has neither."""
        with foreign("X"):
            if len(getattr(X, "shape", ())) == 2:
                validate_data(self, X, reset=reset, skip_check_array=True)
            elif reset:
                self.n_features_in_ = 1

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.non_deterministic = self.random_state is None
        return tags
