"""Principal components of one side: which columns they are taken of, and how they are laid out."""

import numpy as np
import pandas as pd
import pytest

from mine.data.components import WIDE, WideEncoder, is_wide
from mine.data.sides import as_variable


def latent_columns(n: int, width: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    z = rng.normal(size=(n, 3)) * [3.0, 2.0, 1.0]
    return z, z @ np.linalg.qr(rng.normal(size=(width, 3)))[0].T + 0.01 * rng.normal(size=(n, width))


def explained(z: np.ndarray, components: np.ndarray) -> float:
    fitted = components @ np.linalg.lstsq(components, z, rcond=None)[0]
    return float(1 - ((z - fitted) ** 2).sum() / (z**2).sum())


def test_layout_and_what_components_are():
    z, x = latent_columns(600, 80, np.random.default_rng(0))
    data = pd.DataFrame(x).add_prefix("c")
    data["kind"] = np.where(np.arange(600) % 3, "a", "b")
    variable = as_variable(data, "x")
    encoder = WideEncoder().fit(variable)
    layout, features = encoder.layout, encoder.transform(variable)
    assert (layout.columns, layout.labels) == (80, 1)
    assert features.shape == (600, 80 + 1 + 2 * layout.components)
    plain = features[:, -layout.components :]
    assert explained(z, plain[:, :3]) > 0.99
    assert plain.std(0)[:3] == pytest.approx(1, abs=0.02)
    ranked = features[:, 81 : 81 + layout.components]
    assert (np.argsort(ranked[:, 0]) == np.argsort(plain[:, 0], kind="stable")).mean() > 0.99
    assert np.allclose(encoder.transform(variable.take(slice(5, 9))), features[5:9], atol=1e-5)


def test_columns_of_different_units_are_ranked_first():
    rng = np.random.default_rng(1)
    z, x = latent_columns(600, 80, rng)
    x[:, 4] = 1e9 * rng.standard_cauchy(600)  # alone it would be every component
    variable = as_variable(x, "x")
    encoder = WideEncoder().fit(variable)
    plain = encoder.transform(variable)[:, -encoder.layout.components :]
    assert explained(z, plain[:, :6]) > 0.9


def test_narrow_sides_have_no_components():
    rng = np.random.default_rng(2)
    wide, narrow = (as_variable(rng.normal(size=(100, d)), "x") for d in (WIDE, WIDE - 1))
    assert is_wide(wide, narrow) and is_wide(narrow, wide) and not is_wide(narrow, narrow)
    assert WideEncoder().fit(narrow).layout.components == 0
