"""The small real data sets that ship with the package, and where their files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mine.errors import UnknownNameError

__all__ = ["EXAMPLES", "Example", "example_path"]


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
            "climate",
            517,
            3,
            "carbon dioxide in the air at Mauna Loa and the temperature of the Pacific off Peru, monthly from 1958 to 2001",
            "C. D. Keeling and T. P. Whorf, CDIAC, 2004; NOAA, ERSST Nino 1+2; both in the public domain",
            "mine estimate example:climate --x sea_temperature --y co2 --given month",
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
