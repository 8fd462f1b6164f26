"""The result: what a person reads, what a program reads, and units."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mine.errors import InputError, UnknownNameError
from mine.result import Estimate

LOG2 = math.log(2)


def made(**changes: Any) -> Estimate:
    fields: dict[str, Any] = {
        "value": 0.5,
        "lower_bound": 0.25,
        "stderr": 0.125,
        "interval": (0.375, 1.0),
        "method": "auto",
        "n": 12_345,
        "history": {"step": [0.0, 25.0], "train": [math.nan, 0.5], "validation": [0.0, 0.25]},
        "diagnostics": {"bias_correction": 0.25, "warnings": ["Mind the gap."]},
        "pointwise_values": np.array([0.0, 0.5]),
    }
    return Estimate(**{**fields, **changes})


def test_repr_is_what_a_person_reads():
    assert repr(made()).splitlines() == [
        "Estimate: 0.500 ± 0.125 nats   95 % interval [0.375, 1.000]",
        "  method auto, n = 12,345, held-out lower bound 0.250",
        "  ! Mind the gap.",
    ]


def test_repr_without_lower_bound_or_upper_end():
    text = repr(made(lower_bound=None, interval=(0.375, math.inf), diagnostics={}))
    assert text.splitlines() == [
        "Estimate: 0.500 ± 0.125 nats   95 % interval [0.375, ∞)",
        "  method auto, n = 12,345",
    ]


def test_repr_names_its_unit_and_survives_numbers_that_are_not():
    assert " bits " in repr(made().to("bits"))
    text = repr(made(value=math.nan, lower_bound=None, stderr=math.nan, interval=(-math.inf, math.inf)))
    assert text.startswith("Estimate: nan ± nan nats")
    assert repr(made(value=1234.56, interval=(1000.0, 2000.0))).startswith("Estimate: 1234.6 ± 0.1 nats")


def test_float():
    assert float(made()) == 0.5


def test_bits_and_back():
    bits = made().to("bits")
    assert bits.unit == "bits"
    assert bits.value == pytest.approx(0.5 / LOG2)
    assert bits.lower_bound == pytest.approx(0.25 / LOG2)
    assert bits.stderr == pytest.approx(0.125 / LOG2)
    assert bits.interval == pytest.approx((0.375 / LOG2, 1 / LOG2))
    np.testing.assert_allclose(bits.pointwise(), [0.0, 0.5 / LOG2])
    assert bits.history["step"] == [0.0, 25.0]
    assert bits.history["validation"] == pytest.approx([0.0, 0.25 / LOG2])
    assert math.isnan(bits.history["train"][0])
    back = bits.to("nats")
    assert (back.value, back.interval) == (pytest.approx(0.5), pytest.approx((0.375, 1.0)))
    assert bits.to("bits").value == bits.value
    assert made(interval=(0.0, math.inf)).to("bits").interval == (0.0, math.inf)
    assert made(lower_bound=None, pointwise_values=None).to("bits").lower_bound is None


def test_an_unknown_unit_lists_the_valid_ones():
    with pytest.raises(UnknownNameError, match=r"Unknown unit 'bit': did you mean 'bits'\? Valid: nats, bits"):
        made().to("bit")


def test_pointwise_is_a_copy():
    estimate = made()
    estimate.pointwise()[:] = 99
    assert estimate.pointwise().tolist() == [0.0, 0.5]
    with pytest.raises(InputError, match="Method 'ksg' has no pointwise estimate: use 'auto'"):
        made(method="ksg", pointwise_values=None).pointwise()


def test_warnings_are_a_copy():
    estimate = made()
    estimate.warnings.append("another")
    assert estimate.warnings == ["Mind the gap."]
    assert made(diagnostics={}).warnings == []


def test_it_is_frozen_and_pickles():
    estimate: Any = made()
    with pytest.raises(FrozenInstanceError):
        estimate.value = 1.0
    copy = pickle.loads(pickle.dumps(estimate))
    assert repr(copy) == repr(estimate) and copy.pointwise().tolist() == [0.0, 0.5]


# === to_dict ===


def strict_json(estimate: Estimate) -> dict[str, Any]:
    return json.loads(json.dumps(estimate.to_dict(), allow_nan=False))


def test_to_dict_has_the_fields_of_the_command_line():
    assert strict_json(made()) == {
        "value": 0.5,
        "lower_bound": 0.25,
        "stderr": 0.125,
        "interval": [0.375, 1.0],
        "unit": "nats",
        "method": "auto",
        "n": 12345,
        "diagnostics": {"bias_correction": 0.25, "warnings": ["Mind the gap."]},
    }


def test_to_dict_of_numbers_that_are_not_finite_is_strict_json():
    out = strict_json(made(value=math.nan, lower_bound=-math.inf, stderr=math.nan, interval=(-math.inf, math.inf)))
    assert (out["value"], out["lower_bound"], out["stderr"], out["interval"]) == (None, None, None, [None, None])


def test_to_dict_of_numpy_numbers_is_strict_json():
    out = strict_json(made(value=np.float32(0.5), lower_bound=np.float64(0.25), stderr=np.float32(0.5), n=np.int64(7)))
    assert (out["value"], out["lower_bound"], out["stderr"], out["n"]) == (0.5, 0.25, 0.5, 7)


def test_to_dict_makes_plain_values_of_diagnostics():
    diagnostics = {
        "array": np.array([[1.0, np.nan], [np.inf, 2.0]]),
        "integer": np.int32(3),
        "flag": np.bool_(True),
        "half": np.float16(0.5),
        "tuple": (1, None, "a"),
        "nested": {1: {"deep": np.float64(math.inf)}},
        "object": {1},
    }
    assert strict_json(made(diagnostics=diagnostics))["diagnostics"] == {
        "array": [[1.0, None], [None, 2.0]],
        "integer": 3,
        "flag": True,
        "half": 0.5,
        "tuple": [1, None, "a"],
        "nested": {"1": {"deep": None}},
        "object": "{1}",
    }


# === Old names ===


def test_the_old_name_of_the_pointwise_values_warns_and_works():
    with pytest.warns(FutureWarning, match=r"Estimate\(rows=...\) is called Estimate\(pointwise_values=...\)"):
        est = Estimate(0.1, None, 0.1, (0.0, 1.0), "f", 2, rows=np.array([1.0, 2.0]))
    np.testing.assert_array_equal(est.pointwise(), [1.0, 2.0])
    with pytest.warns(FutureWarning, match=r"Estimate.rows is called Estimate.pointwise_values"):
        np.testing.assert_array_equal(est.rows, est.pointwise_values)


def test_the_old_key_of_the_validation_bounds_warns_and_works():
    est = Estimate(0.1, None, 0.1, (0.0, 1.0), "f", 2, history={"step": [0.0], "train": [math.nan], "stop": [0.5]})
    assert set(est.history) == {"step", "train", "validation"}
    with pytest.warns(FutureWarning, match=r'history\["stop"\] is called history\["validation"\]'):
        assert est.history["stop"] == [0.5]
    with pytest.raises(KeyError):
        est.history["epoch"]
    with pytest.raises(KeyError):
        Estimate(0.1, None, 0.1, (0.0, 1.0), "f", 2).history["stop"]


def test_an_estimate_as_one_row_of_a_frame():
    est = Estimate(0.5, None, 0.1, (0.3, math.inf), "ksg", 100, diagnostics={"warnings": ["One.", "Two."]})
    frame = pd.concat([est.to_frame(), est.to("bits").to_frame()])
    assert frame["unit"].tolist() == ["nats", "bits"] and frame["high"].tolist() == [math.inf] * 2
    assert frame["lower_bound"].isna().all() and frame["warnings"].iloc[0] == "One. Two." and "p_value" not in frame
    difference = replace(est, p_value=0.25)
    assert difference.to_frame()["p_value"].tolist() == [0.25]


def test_no_number_is_printed_as_minus_nothing():
    est = Estimate(-0.0001, -0.0004, 0.1, (-0.00001, 0.3), "ksg", 100)
    assert "-0.000" not in repr(est) and "[0.000, 0.300]" in repr(est)
