"""Files: what comes back is what went in, and what is wrong with a file is said."""

from __future__ import annotations

import base64
import copy
import errno
import json
import math
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import mine
from mine.critics import ModuleCritic, SeparableCritic
from mine.critics import storage as keeping
from mine.errors import InputError
from mine.result import Estimate
from mine.storage.archive import seal


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Estimate, Path]:
    est = Estimate(
        value=1.25,
        lower_bound=1.0,
        stderr=0.1,
        interval=(1.0, math.inf),
        method="auto",
        n=3,
        unit="bits",
        history={"step": [0.0, 1.0], "train": [math.nan, 0.5]},
        diagnostics={"warnings": ["a"], "limit": -math.inf, "correlations": np.array([0.5]), "n": np.int64(3)},
        pointwise_values=np.array([0.5, 1.0, 1.5]),
    )
    path = tmp_path / "estimate.json"
    est.save(path)
    return est, path


def test_an_estimate_comes_back(saved: tuple[Estimate, Path]) -> None:
    est, path = saved
    back = Estimate.load(path)
    for name in ("value", "lower_bound", "stderr", "interval", "method", "n", "unit"):
        assert getattr(back, name) == getattr(est, name)
    assert back.pointwise().tolist() == [0.5, 1.0, 1.5] and back.pointwise().dtype == np.float64
    assert math.isnan(back.history["train"][0]) and back.history["step"] == [0.0, 1.0]
    assert back.diagnostics == {"warnings": ["a"], "limit": -math.inf, "correlations": [0.5], "n": 3}
    assert repr(back) == repr(est)
    assert b"pickle" not in path.read_bytes() and [p.name for p in path.parent.iterdir()] == ["estimate.json"]
    assert list(json.loads(path.read_text())["arrays"]) == ["rows"]


def test_an_estimate_without_rows_is_one_file(tmp_path: Path) -> None:
    Estimate(0.1, None, math.nan, (-math.inf, math.inf), "f", 5).save(tmp_path / "kept")
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert math.isnan(Estimate.load(tmp_path / "kept").stderr)


def test_a_newer_version_is_refused(saved: tuple[Estimate, Path]) -> None:
    _, path = saved
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "version": 99}))
    with pytest.raises(InputError, match=r"version 99 .* upgrade torch-mine"):
        Estimate.load(path)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_cut_short_is_refused(saved: tuple[Estimate, Path], share: float) -> None:
    _, path = saved
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"damaged"):
        Estimate.load(path)


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_is_an_error(saved: tuple[Estimate, Path], data: st.DataObject) -> None:
    whole = saved[1].read_bytes()
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = saved[1].with_name("damaged.json")
    path.write_bytes(damaged)
    with pytest.raises(InputError):
        Estimate.load(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["estimate", "critic"])
def test_ten_thousand_flipped_bits_are_errors(
    saved: tuple[Estimate, Path], tmp_path: Path, kind: str, seeded_torch: None
) -> None:
    critic = tmp_path / "critic.json"
    keeping.save_critic(SeparableCritic(2, 1, hidden=(3,)), critic)
    path, load = (saved[1], Estimate.load) if kind == "estimate" else (critic, keeping.load_critic)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place, bit in zip(rng.integers(0, len(whole), 5000), rng.integers(0, 8, 5000), strict=True):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(bit)
        path.write_bytes(damaged)
        with pytest.raises(InputError):
            load(path)


#: Any JSON value.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("$number"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(["format", "version", "arrays", "content", "data"]), value=VALUES)
def test_any_value_in_any_place_of_a_sealed_file(saved: tuple[Estimate, Path], field: str, value: object) -> None:
    record = json.loads(saved[1].read_text())
    path = saved[1].with_name("crafted.json")
    path.write_bytes(seal({**record, field: value}))
    with pytest.raises(InputError):
        Estimate.load(path)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(sorted({f.name for f in fields(Estimate)} - {"pointwise_values"})), value=VALUES)
def test_any_value_in_any_field_of_an_estimate(saved: tuple[Estimate, Path], field: str, value: object) -> None:
    record = json.loads(saved[1].read_text())
    path = saved[1].with_name("crafted.json")
    path.write_bytes(seal({**record, "content": {**record["content"], field: value}}))
    try:
        repr(Estimate.load(path))
    except InputError:
        return
    finally:
        path.unlink()


def test_a_failed_overwrite_leaves_the_old_file(saved: tuple[Estimate, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    est, path = saved

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        Estimate(9.0, None, 0.1, (8.0, 10.0), "f", 2).save(path)
    assert Estimate.load(path).value == est.value and [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_deep_file_is_refused(saved: tuple[Estimate, Path]) -> None:
    for text in ("[" * 200_000, '{"format": "torch-mine estimate", "version": 1, "arrays": {}, "content": ' + '{"a":' * 10_000):
        saved[1].write_text(text)
        with pytest.raises(InputError, match="damaged"):
            Estimate.load(saved[1])


def as_version_1(path: Path) -> None:
    """Write a file anew as version 1 did: without a checksum, the arrays in a second file."""
    record = json.loads(path.read_text())
    data = base64.b64decode(record.pop("data", ""))
    if data:
        path.with_suffix(".safetensors").write_bytes(data)
    del record["sha256"]
    path.write_text(json.dumps({**record, "version": 1}))


def test_a_file_of_version_1_comes_back_with_a_warning(saved: tuple[Estimate, Path]) -> None:
    est, path = saved
    as_version_1(path)
    with pytest.warns(UserWarning, match="earlier version, which has no checksum"):
        back = Estimate.load(path)
    assert repr(back) == repr(est) and back.pointwise().tolist() == est.pointwise().tolist()


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 8 + b"{}", (2**40).to_bytes(8, "little") + b"{}"])
def test_a_damaged_second_file_of_version_1_is_refused(saved: tuple[Estimate, Path], content: bytes) -> None:
    as_version_1(saved[1])
    saved[1].with_suffix(".safetensors").write_bytes(content)
    with pytest.raises(InputError, match="damaged or cut short"):
        Estimate.load(saved[1])


def test_files_that_do_not_belong(saved: tuple[Estimate, Path], tmp_path: Path) -> None:
    _, path = saved
    with pytest.raises(InputError, match="holds a estimate, not a critic"):
        keeping.load_critic(path)
    Estimate(0.1, None, 0.1, (0.0, 1.0), "f", 2, pointwise_values=np.zeros(2)).save(tmp_path / "other.json")
    as_version_1(path)
    as_version_1(tmp_path / "other.json")
    (tmp_path / "other.safetensors").replace(path.with_suffix(".safetensors"))
    with pytest.raises(InputError, match="does not belong"):
        Estimate.load(path)
    path.with_suffix(".safetensors").unlink()
    with pytest.raises(InputError, match=r"needs estimate\.safetensors next to it"):
        Estimate.load(path)
    (tmp_path / "a.json").write_text('{"a": 1}')
    with pytest.raises(InputError, match="not written by this library"):
        Estimate.load(tmp_path / "a.json")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        Estimate.load(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be written: No such file"):
        saved[0].save(tmp_path / "none" / "a.json")


@pytest.mark.parametrize(("d", "effort"), [(1, "fast"), (2, "thorough")])
def test_trained_critics_score_as_before(tmp_path: Path, d: int, effort: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_t(2, size=(200, d))
    fitted = mine.MutualInformation(random_state=0, effort=effort, options={"steps": 5}).fit(x, x + rng.normal(size=(200, d)))
    critic = fitted.critics_[0]
    keeping.save_critic(critic, tmp_path / "critic.json")
    back = keeping.load_critic(tmp_path / "critic.json")
    width = 2 * d + (2 if d > 1 else 0)
    a, b = torch.as_tensor(rng.normal(size=(2, 50, width)), dtype=torch.float32)
    assert type(back) is type(critic) and torch.equal(back(a, b), critic(a, b))


def test_a_stack_of_critics(tmp_path: Path, seeded_torch: None) -> None:
    critic = SeparableCritic(2, 1, stack=(3,))
    keeping.save_critic(critic, tmp_path / "c.json")
    back = keeping.load_critic(tmp_path / "c.json")
    x, y = torch.randn(3, 4, 2), torch.randn(3, 4, 1)
    assert back.stack == (3,) and torch.equal(back(x, y), critic(x, y))
    assert torch.equal(back.select(1)(x[1], y[1]), critic.select(1)(x[1], y[1]))


def test_strangers_are_neither_kept_nor_built(tmp_path: Path, seeded_torch: None) -> None:
    with pytest.raises(InputError, match=r"state_dict\(\)"):
        keeping.save_critic(ModuleCritic(nn.Bilinear(2, 2, 1)), tmp_path / "c.json")
    keeping.save_critic(SeparableCritic(1, 1), tmp_path / "c.json")
    record = json.loads((tmp_path / "c.json").read_text())
    for name in ("os:system", "mine.cli.app:main", "torch.nn.modules.linear:Linear", "mine.benchmarking.pool:Worker"):
        record["content"]["module"]["class"] = name
        (tmp_path / "c.json").write_bytes(seal(record))
        with pytest.raises(InputError, match="no class of this library"):
            keeping.load_critic(tmp_path / "c.json")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("note", {"$record": "mine.benchmarking.pool:Worker", "fields": {}}),
        ("forward", "x"),
        ("__class__", "x"),
        ("_forward_hooks", {"$list": []}),
        ("stack", {"$record": "subprocess:Popen", "fields": {"args": "true"}}),
        ("stack", {"$record": "SideLayout", "fields": {"danger": 1}}),
    ],
)
def test_a_file_sets_listed_attributes_only(tmp_path: Path, seeded_torch: None, name: str, value: object) -> None:
    keeping.save_critic(SeparableCritic(1, 1), tmp_path / "c.json")
    record = json.loads((tmp_path / "c.json").read_text())
    record["content"]["module"]["attributes"][name] = value
    (tmp_path / "c.json").write_bytes(seal(record))
    with pytest.raises(InputError):
        keeping.load_critic(tmp_path / "c.json")


def test_a_file_without_all_parts_of_a_critic_is_refused(tmp_path: Path, seeded_torch: None) -> None:
    keeping.save_critic(SeparableCritic(1, 1, (4,)), tmp_path / "c.json")
    record = json.loads((tmp_path / "c.json").read_text())

    def lacks(*path: str) -> None:
        crafted = copy.deepcopy(record)
        part = crafted["content"]["module"]
        for name in path[:-1]:
            part = part[name]
        del part[path[-1]]
        (tmp_path / "c.json").write_bytes(seal(crafted))
        with pytest.raises(InputError):
            keeping.load_critic(tmp_path / "c.json")

    lacks("modules", "tower_x", "modules", "layers", "modules", "0", "parameters", "weight")
    lacks("modules", "tower_x", "attributes", "activation")
    lacks("modules", "tower_y")


def test_warnings_of_another_kind_are_refused(saved: tuple[Estimate, Path]) -> None:
    record = json.loads(saved[1].read_text())
    record["content"]["diagnostics"]["warnings"] = {"$number": "nan"}
    saved[1].write_bytes(seal(record))
    with pytest.raises(InputError, match="diagnostics of the wrong kind"):
        Estimate.load(saved[1])


def test_a_device_is_no_file(saved: tuple[Estimate, Path]) -> None:
    for load in (Estimate.load, keeping.load_critic):
        with pytest.raises(InputError, match="is a device"):
            load(os.devnull)


def test_a_name_that_no_file_can_have(saved: tuple[Estimate, Path]) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        saved[0].save("a\0b.json")
    with pytest.raises(InputError):
        Estimate.load("a\0b.json")


def test_files_of_version_0_1_name_modules_and_classes_that_have_moved(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 2))  # two columns: the critic by distance, which names most classes
    fitted = mine.MutualInformation(random_state=0, effort="fast", options={"steps": 5}).fit(x, x + rng.normal(size=(100, 2)))
    critic = fitted.critics_[0]
    keeping.save_critic(critic, tmp_path / "c.json")
    text = (tmp_path / "c.json").read_text()
    old = {
        '"CopulaMetricCritic"': '"mine.guided:GuidedCritic"',
        '"SideLayout"': '"mine.guided:SideLayout"',
        '"norms"': '"lengths"',
        '"Linear"': '"mine.critics:_Linear"',
        '"MLP"': '"mine.critics:MLP"',
        '"MetricCritic"': '"mine.metric:MetricCritic"',
        '"GaussianCritic"': '"mine.critics:GaussianCritic"',
        '"StudentCritic"': '"mine.student:StudentCritic"',
    }
    for now, then in old.items():
        text = text.replace(now, then)
    assert "mine.guided:GuidedCritic" in text and "lengths" in text
    (tmp_path / "c.json").write_text(text)
    as_version_1(tmp_path / "c.json")
    with pytest.warns(UserWarning, match="no checksum"):
        back = keeping.load_critic(tmp_path / "c.json")
    a, b = torch.as_tensor(rng.normal(size=(2, 50, 6)), dtype=torch.float32)  # two ranked columns, two scaled, two norms
    assert type(back) is type(critic) and torch.equal(back(a, b), critic(a, b))
