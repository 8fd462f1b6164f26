"""Shipped data are what their sources hold."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import mine
from mine.datasets import EXAMPLES, example_path, load_example
from mine.errors import UnknownNameError


def rows_of(name: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows, by Python's own reader."""
    with example_path(name).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


@pytest.mark.parametrize("name", EXAMPLES)
def test_listed_size_is_that_of_the_file(name: str):
    header, rows = rows_of(name)
    assert (len(rows), len(header)) == (EXAMPLES[name].rows, EXAMPLES[name].columns)
    table = load_example(name)
    assert (table.n_rows, table.columns) == (len(rows), tuple(header))


@pytest.mark.parametrize(
    ("name", "source", "labels"),
    [
        ("breast-cancer", load_breast_cancer(), {0: "malignant", 1: "benign"}),
        ("wine", load_wine(), {0: "class_0", 1: "class_1", 2: "class_2"}),
    ],
)
def test_classified_data_are_scikit_learns(name: str, source: Any, labels: dict[int, str]):
    header, rows = rows_of(name)
    assert header[:-1] == list(source.feature_names)
    assert np.array_equal(np.array([row[:-1] for row in rows], float), source.data)
    assert [row[-1] for row in rows] == [labels[target] for target in source.target]


def test_diabetes_is_scikit_learns_unscaled():
    source: Any = load_diabetes(scaled=False)
    header, rows = rows_of("diabetes")
    assert header == [*source.feature_names, "progression"]
    sex = header.index("sex")
    numbers = [[cell for i, cell in enumerate(row) if i != sex] for row in rows]
    expected = np.c_[np.delete(source.data, sex, axis=1), source.target]
    assert np.allclose(np.array(numbers, float), expected, rtol=1e-12, atol=0)  # scikit-learn < 1.8 differs in the last bit
    assert [row[sex] for row in rows] == [{1: "one", 2: "two"}[code] for code in source.data[:, sex]]


def test_wine_shows_dependence_without_correlation():
    table = load_example("wine")
    x, y = (table.select(name).column(0).to_numpy() for name in ("flavanoids", "color_intensity"))
    assert abs(spearmanr(x, y)[0]) < 0.05
    assert abs(mine.estimate(x, y, method="gaussian").value) < 0.01
    assert mine.estimate(x, y, method="ksg", random_state=0).interval[0] > 0.2


def test_climate_has_what_is_known_of_it():
    """A rise of 1.3 parts per million a year, its yearly wave, the warmest water in 1983 and 1998, and the months that lack."""
    table = load_example("climate")
    month, co2, sea = (table.select(name).column(0).to_numpy(zero_copy_only=False) for name in table.columns)
    months = month.astype("datetime64[M]")
    assert (np.diff(months) > np.timedelta64(1, "M")).sum() == 4
    every = np.arange(months[0], months[-1] + 1)
    assert len(np.setdiff1d(every, months)) == 8 and np.datetime64("1964-03") not in months
    years = (months - months[0]).astype(float) / 12
    assert np.polyfit(years, co2, 1)[0] == pytest.approx(1.3, abs=0.1)
    of_year = months.astype(int) % 12
    wave = [np.mean((co2 - np.polyval(np.polyfit(years, co2, 3), years))[of_year == k]) for k in range(12)]
    assert np.argmax(wave) == 4 and 5 < np.ptp(wave) < 7  # highest in May
    warmer = sea - np.array([sea[of_year == k].mean() for k in range(12)])[of_year]
    assert {str(m)[:4] for m in months[np.argsort(warmer)[-8:]]} <= {"1982", "1983", "1997", "1998"}


def test_every_file_has_its_source_and_licence():
    folder = example_path("wine").parent
    about = (folder / "README.md").read_text(encoding="utf-8")
    for file in folder.glob("*.csv"):
        assert file.stem in EXAMPLES
        entry = about.split(f"`{file.name}`", 1)[1].split("\n- ", 1)[0]
        assert any(licence in " ".join(entry.split()) for licence in ("CC BY 4.0", "BSD", "public domain"))
        assert f"{EXAMPLES[file.stem].rows} rows" in entry


def test_unknown_example_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'wine'"):
        load_example("wines")


def test_datasets_import_is_light(tmp_path: Path):
    code = "import mine.datasets, sys; print(*(m for m in ('torch', 'sklearn', 'scipy', 'pyarrow') if m in sys.modules))"
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
