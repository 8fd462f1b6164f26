"""The estimators, by the names that ``method=`` takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from mine.data.weights import refuse_weights
from mine.errors import InputError, UnknownNameError
from mine.result import Estimate

if TYPE_CHECKING:
    from mine.data.problem import Problem

__all__ = [
    "METHODS",
    "Estimator",
    "Method",
    "check_data_parallel",
    "get_estimator",
    "methods",
    "takes_numbers_only",
    "with_effort",
]


@runtime_checkable
class Estimator(Protocol):
    """Anything with ``run(problem) -> Estimate``; see :class:`mine.data.problem.Problem` for what it is handed.

    ``Estimate`` must be in nats; :func:`mine.estimate` converts.
    """

    def run(self, problem: Problem) -> Estimate: ...


@dataclass(frozen=True)
class Method:
    """One line of ``mine methods``.

    ``module`` and ``factory`` are imported when used, ``defaults`` are the factory's arguments for this name, and
    ``takes_critic`` says whether ``critic=`` makes sense.
    """

    name: str
    summary: str
    paper: str
    module: str
    factory: str
    defaults: dict[str, Any] = dataclasses.field(default_factory=dict)
    takes_critic: bool = False
    numeric_only: bool = False


def _neural(name: str, summary: str, paper: str, **defaults: Any) -> Method:
    return Method(name, summary, paper, "mine.estimators.neural", "Neural", {"name": name, **defaults}, takes_critic=True)


METHODS: dict[str, Method] = {
    m.name: m
    for m in (
        Method(
            "auto",
            "the default: critics by distance and on pairs, blended, on a fitted copula; a classifier for labels; cross-fitted",
            "this library, after Belghazi et al. 2018",
            "mine.estimators.auto",
            "Auto",
            takes_critic=True,
        ),
        _neural("mine", "Donsker-Varadhan with the EMA-corrected gradient", "Belghazi et al. 2018, eq. 12", bound="mine"),
        _neural("dv", "Donsker-Varadhan, plain mini-batch gradient", "Donsker & Varadhan 1983", bound="dv"),
        _neural("nwj", "the MINE paper's MINE-f ('fdiv'); high variance at high MI", "Nguyen et al. 2010", bound="nwj"),
        _neural(
            "jensen-shannon",
            "trained as a classifier, reported by Donsker-Varadhan",
            "Hjelm et al. 2019",
            bound="jensen-shannon",
        ),
        _neural(
            "infonce",
            "low variance, capped at the log of the number of negatives",
            "van den Oord et al. 2018",
            bound="infonce",
            batch_size=128,
            shuffles=15,
        ),
        _neural("smile", "clipped partition term; an estimate, not a bound", "Song & Ermon 2020", bound="smile"),
        Method(
            "ksg",
            "k nearest neighbours, no training; for few dimensions",
            "Kraskov et al. 2004",
            "mine.estimators.ksg",
            "KSG",
            numeric_only=True,
        ),
        Method(
            "ross",
            "k nearest neighbours between labels and few numbers, no training",
            "Ross 2014",
            "mine.estimators.ross",
            "Ross",
        ),
        Method(
            "gaussian",
            "Gaussian copula in closed form; sees monotone dependence only",
            "Ince et al. 2017",
            "mine.estimators.gaussian",
            "GaussianCopula",
            numeric_only=True,
        ),
        Method(
            "discrete",
            "contingency table with its bias corrected, at any number of levels",
            "Miller 1955; Vinh et al. 2010; Chao et al. 2013",
            "mine.estimators.discrete",
            "DiscretePlugin",
        ),
    )
}

_ALIASES = {
    "mine_biased": "dv",
    "donsker-varadhan": "dv",
    "fdiv": "nwj",
    "mine-f": "nwj",
    "jensen_shannon": "jensen-shannon",
    "js": "jensen-shannon",
    "kraskov": "ksg",
}


#: Values of ``effort``, for methods that train.
EFFORTS = ("fast", "default", "thorough")


def methods() -> dict[str, str]:
    """Name and one-line description of every method.

    >>> methods()["ksg"]
    'k nearest neighbours, no training; for few dimensions (Kraskov et al. 2004)'
    """
    return {m.name: f"{m.summary} ({m.paper})" for m in METHODS.values()}


def get_estimator(method: Any, options: dict[str, Any] | None = None) -> Estimator:
    """The estimator of that name with these options, or ``method`` itself where it is an estimator.

    A plain function ``(x, y) -> float`` of two matrices is wrapped; its value then comes without an error bar.

    Raises:
        UnknownNameError: No such method.
        InputError: An option the method does not take.
    """
    options = dict((options or {}).items())
    refuse_weights(options)
    if isinstance(method, str):
        name = _ALIASES.get(method.lower(), method.lower())
        if name not in METHODS:
            raise UnknownNameError("method", method, METHODS)
        spec = METHODS[name]
        factory = getattr(import_module(spec.module), spec.factory)
        fields = [f.name for f in dataclasses.fields(factory) if f.init and f.name != "name"]
        for option in options:
            if option == "critic" and not spec.takes_critic:
                raise InputError(f"method {name!r} has no critic: drop critic= or use a neural method such as 'auto'.")
            if option not in fields:
                raise UnknownNameError(f"{name!r} option", option, fields)
        return factory(**{**spec.defaults, **options})
    if options:
        raise InputError(f"An estimator object takes its options itself; got {', '.join(options)}.")
    if isinstance(method, type):
        raise InputError(f"method got the class {method.__name__}, not an instance: pass {method.__name__}().")
    if isinstance(method, Estimator):
        return method
    if callable(method):
        return _FunctionEstimator(method)
    raise InputError(f"method must be a name, an estimator with run(problem), or a function (x, y) -> float; got {method!r}.")


def takes_numbers_only(estimator: Any) -> bool:
    """Whether an estimator refuses labels, so that columns of few distinct numbers are numbers to it."""
    return bool(getattr(estimator, "numeric_only", False))


def check_data_parallel(estimator: Any, asked: str) -> None:
    """Refuse several processes for an estimator that they cannot train together.

    Arguments:
        estimator: The estimator; its attribute ``data_parallel`` says whether processes can train it together.
        asked: The argument or option that asked for several processes, for the message.

    Raises:
        InputError: The processes would have nothing to share.
    """
    if not getattr(estimator, "data_parallel", False):
        name = getattr(estimator, "name", type(estimator).__name__)
        raise InputError(f"{asked} shares the training of critics, and {name!r} takes no part: drop it, or use 'auto'.")


def with_effort(method: Any, effort: str, options: dict[str, Any]) -> dict[str, Any]:
    """``options`` with ``effort`` if ``method`` names a method that takes this option; unchanged for any other.

    Raises:
        UnknownNameError: No such effort.
        InputError: ``method`` is an object, which takes its options itself.
    """
    if effort not in EFFORTS:
        raise UnknownNameError("effort", effort, EFFORTS)
    if not isinstance(method, str):
        raise InputError("An estimator object takes its effort itself: leave effort= out.")
    spec = METHODS.get(_ALIASES.get(method.lower(), method.lower()))
    return {**options, "effort": effort} if spec is not None and spec.takes_critic else options


@dataclass(frozen=True)
class _FunctionEstimator:
    function: Callable[..., Any]

    def run(self, problem: Problem) -> Estimate:
        if problem.x.n_discrete or problem.y.n_discrete:
            raise InputError("A function as method gets numbers only: encode the discrete columns, or pass discrete=False.")
        value = self.function(problem.x.flat, problem.y.flat)
        if isinstance(value, Estimate):
            return value
        unknown = float("nan")
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return Estimate(
            float(value), None, unknown, (-float("inf"), float("inf")), name, problem.n,
            diagnostics={"warnings": ["The function gave a value without an error bar."]},
        )  # fmt: skip
