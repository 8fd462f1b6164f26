"""Shipped data are what their sources hold, and samples with known information have it."""

from __future__ import annotations

import csv
import math
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
from mine.datasets import EXAMPLES, correlated_normal, correlated_normal_mi, example_path, load_example
from mine.errors import InputError, UnknownNameError


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
    assert np.array_equal(np.array(numbers, float), np.c_[np.delete(source.data, sex, axis=1), source.target])
    assert [row[sex] for row in rows] == [{1: "one", 2: "two"}[code] for code in source.data[:, sex]]


def test_wine_shows_dependence_without_correlation():
    table = load_example("wine")
    x, y = (table.select(name).column(0).to_numpy() for name in ("flavanoids", "color_intensity"))
    assert abs(spearmanr(x, y)[0]) < 0.05
    assert abs(mine.estimate(x, y, method="gaussian").value) < 0.01
    assert mine.estimate(x, y, method="ksg", random_state=0).interval[0] > 0.2


def test_every_file_has_its_source_and_licence():
    folder = example_path("wine").parent
    about = (folder / "README.md").read_text(encoding="utf-8")
    for file in folder.glob("*.csv"):
        assert file.stem in EXAMPLES
        entry = about.split(f"`{file.name}`", 1)[1].split("\n- ", 1)[0]
        assert "CC BY 4.0" in entry or "BSD" in entry
        assert f"{EXAMPLES[file.stem].rows} rows" in entry


def test_unknown_example_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'wine'"):
        load_example("wines")


def test_datasets_import_is_light(tmp_path: Path):
    code = "import mine.datasets, sys; print(*(m for m in ('torch', 'sklearn', 'scipy', 'pyarrow') if m in sys.modules))"
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(("rho", "dim", "expected"), [(0.0, 3, 0.0), (0.5, 1, 0.1438410362), (-0.9, 20, 16.6073120682)])
def test_closed_form(rho: float, dim: int, expected: float):
    assert correlated_normal_mi(rho, dim) == pytest.approx(expected, abs=1e-9)
    # the same from the determinants of the covariances: I = (log|Sx| + log|Sy| - log|S|) / 2
    joint = np.block([[np.eye(dim), rho * np.eye(dim)], [rho * np.eye(dim), np.eye(dim)]])
    assert correlated_normal_mi(rho, dim) == pytest.approx(-np.linalg.slogdet(joint)[1] / 2, abs=1e-9)


def test_closed_form_at_the_ends():
    assert correlated_normal_mi(1) == correlated_normal_mi(-1, 3) == math.inf


def test_samples_have_the_covariance_they_say():
    n, dim, rho = 40_000, 3, -0.7
    x, y = correlated_normal(n, rho, dim, random_state=0)
    assert x.shape == y.shape == (n, dim)
    wanted = np.block([[np.eye(dim), rho * np.eye(dim)], [rho * np.eye(dim), np.eye(dim)]])
    assert np.abs(np.cov(np.c_[x, y].T) - wanted).max() < 5 * math.sqrt(2 / n)  # a variance's standard error is sqrt(2 / n)


def test_samples_follow_the_seed():
    first, again, other = (correlated_normal(5, 0.3, random_state=seed) for seed in (1, np.random.default_rng(1), 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    x, y = correlated_normal(5, 1.0, random_state=0)
    assert np.array_equal(x, y)


@pytest.mark.parametrize("rho", [1.1, -2, math.nan])
def test_rho_out_of_range(rho: float):
    with pytest.raises(InputError, match=r"rho must lie in \[-1, 1\]"):
        correlated_normal(10, rho)
    with pytest.raises(InputError, match=r"rho must lie in \[-1, 1\]"):
        correlated_normal_mi(rho)
