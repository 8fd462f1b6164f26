"""Small real data sets that ship with the package, for a first look and for the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mine.errors import UnknownNameError

if TYPE_CHECKING:
    from mine.tables import Table

__all__ = ["EXAMPLES", "Example", "example_path", "load_example"]


@dataclass(frozen=True)
class Example:
    """One shipped data set: what it is, where it is from, and a command to try."""

    name: str
    rows: int
    columns: int
    summary: str
    source: str
    command: str


EXAMPLES: dict[str, Example] = {
    e.name: e
    for e in (
        Example(
            "breast-cancer",
            569,
            31,
            "30 measurements of cell nuclei, and whether the tumour was malignant",
            "Wisconsin Diagnostic Breast Cancer, UCI Machine Learning Repository, CC BY 4.0",
            'mine estimate example:breast-cancer --x "mean *" --y diagnosis',
        ),
        Example(
            "diabetes",
            442,
            11,
            "ten measurements of diabetes patients, and the progression of the disease a year later",
            "Efron, Hastie, Johnstone & Tibshirani, 'Least Angle Regression', 2004, as distributed with scikit-learn",
            "mine estimate example:diabetes --x bmi,bp --y progression",
        ),
        Example(
            "wine",
            178,
            14,
            "13 measurements of Italian wines of three cultivars; flavanoids and colour are uncorrelated, yet dependent",
            "Wine, S. Aeberhard and M. Forina, UCI Machine Learning Repository, CC BY 4.0",
            "mine estimate example:wine --x flavanoids --y color_intensity",
        ),
    )
}


def example_path(name: str) -> Path:
    """Path of a shipped data set's CSV file.

    Raises:
        UnknownNameError: No such data set.

    >>> example_path("breast-cancer").name
    'breast-cancer.csv'
    """
    if name not in EXAMPLES:
        raise UnknownNameError("example", name, EXAMPLES)
    return Path(__file__).parent / "files" / f"{name}.csv"


def load_example(name: str) -> Table:
    """A shipped data set as a table of columns.

    >>> table = load_example("breast-cancer")
    >>> table.n_rows, table.columns[-1]
    (569, 'diagnosis')
    """
    from mine.tables import read_table

    return read_table(str(example_path(name)))
