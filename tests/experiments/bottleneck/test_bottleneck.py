"""The bottleneck: the sign of the information, the encoders' noise, the baseline by hand, runs that go on, the table."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal
from torch.nn.functional import cross_entropy

from mine.datasets import digits
from mine.experiments import get_experiment, reproduce
from mine.experiments.bottleneck.classifier import BottleneckConfig, Classifier, _information, train_classifier
from mine.experiments.checkpoint import Checkpoint

TINY = BottleneckConfig(epochs=2, width=16, code=4, samples=3, critic_width=16, averaging=0.9, learning_rate=3e-3)


def silent(done: int, total: int, message: str) -> None:
    pass


def data() -> tuple[Tensor, Tensor]:
    images, labels = digits().train
    return torch.as_tensor(images.reshape(len(images), -1), dtype=torch.float32) / 8 - 1, torch.as_tensor(
        labels, dtype=torch.int64
    )


@pytest.mark.slow
def test_information_falls_when_its_weight_rises_and_the_error_does_not_at_the_recipes_weight(tmp_path: Path) -> None:
    config = replace(
        TINY, encoder="additive", regulariser="mine", code=2, epochs=8, critic_rate=2e-3, width=64, critic_width=64, decay=1.0,
        critic_steps=5, critic_alpha=0.1,
    )  # fmt: skip
    found = {}
    for weight in (0.0, 1e-3, 1.0):
        (tmp_path / str(weight)).mkdir()
        model = train_classifier(replace(config, weight=weight), 0, data(), tmp_path / str(weight), silent)
        found[weight] = model.evaluate(*data())
    assert found[1.0]["information"] < found[0.0]["information"] - 1
    assert found[1e-3]["error"] < found[0.0]["error"] + 0.02 < 0.5


def test_the_information_of_a_known_code() -> None:
    mean = 100.0 * torch.eye(8)
    assert _information(mean, Normal(mean, torch.ones(()).expand(8, 8))) == pytest.approx(math.log(8), abs=1e-5)
    same = torch.zeros(8, 3)
    assert _information(torch.arange(24.0).reshape(8, 3) / 24, Normal(same, torch.ones(8, 3))) == pytest.approx(0, abs=1e-5)


def test_the_baseline_is_an_ordinary_network() -> None:
    model = Classifier(TINY, 64, 10, 0)
    x, y = (part[:30] for part in data())
    a, b, c, d = model.layers
    logits = d(c(torch.relu(b(torch.relu(a(x))))))
    torch.testing.assert_close(model.loss(x, y), cross_entropy(logits, y))
    p = logits.softmax(1)
    entropy = -(p * p.log()).sum(1).mean()
    penalised = Classifier(replace(TINY, regulariser="confidence", weight=0.5), 64, 10, 0)
    torch.testing.assert_close(penalised.loss(x, y), cross_entropy(logits, y) - 0.5 * entropy)
    smoothed = Classifier(replace(TINY, regulariser="smoothing", weight=0.2), 64, 10, 0)
    uniform = -p.log().mean()
    torch.testing.assert_close(smoothed.loss(x, y), 0.8 * cross_entropy(logits, y) + 0.2 * uniform)
    dropped = Classifier(replace(TINY, regulariser="dropout", weight=0.5), 64, 10, 0)
    assert not torch.equal(dropped.encode(x, training=True)[0], dropped.encode(x, training=True)[0])
    assert torch.equal(dropped.encode(x, training=False)[0], dropped.encode(x, training=False)[0])


def test_the_divergence_of_deep_vib() -> None:
    config = replace(TINY, regulariser="vib", encoder="gaussian", weight=0.7)
    x, y = (part[:30] for part in data())
    model, plain = Classifier(config, 64, 10, 0), Classifier(replace(config, regulariser="none"), 64, 10, 0)
    _, density = Classifier(config, 64, 10, 0).encode(x, training=True)
    assert density is not None
    divergence = torch.distributions.kl_divergence(density, Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(model.loss(x, y), plain.loss(x, y) + 0.7 * divergence)


def test_noise_of_the_encoders() -> None:
    x, _ = data()
    x = x[:1].expand(4_000, -1)
    code, density = Classifier(replace(TINY, encoder="additive"), 64, 10, 0).encode(x, training=False)
    assert density is not None
    torch.testing.assert_close(code.std(0), torch.ones(4), atol=0.05, rtol=0)
    code, density = Classifier(replace(TINY, encoder="gaussian"), 64, 10, 0).encode(x, training=False)
    assert density is not None
    torch.testing.assert_close(code.std(0), density.stddev[0], atol=0, rtol=0.05)
    code, density = Classifier(replace(TINY, encoder="propagated"), 64, 10, 0).encode(x, training=False)
    assert density is None and code.std(0).min() > 0.01


@pytest.mark.parametrize("arm", [{}, {"regulariser": "mine", "encoder": "additive", "weight": 1e-3}])
def test_a_run_cut_short_goes_on_to_the_same_numbers(
    arm: dict[str, str | float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(TINY, **arm)
    train = tuple(part[:1000] for part in data())
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)

    def numbers(name: str, stop_at: int | None = None) -> dict[str, float]:
        (tmp_path / name).mkdir(exist_ok=True)

        def progress(done: int, total: int, message: str) -> None:
            if done == stop_at:
                raise KeyboardInterrupt

        monkeypatch.setattr("mine.experiments.bottleneck.classifier._REPORT_EVERY", 1)
        return train_classifier(config, 1, (train[0], train[1]), tmp_path / name, progress).evaluate(*data())

    with pytest.raises(KeyboardInterrupt):
        numbers("cut", 14)
    saved = Checkpoint(tmp_path / "cut" / "checkpoint.pt").load()
    assert saved is not None and saved["step"] == 13
    assert numbers("cut") == numbers("whole")


def test_a_state_from_another_device_brings_no_noise_along() -> None:
    """Its generators' states mean nothing here: weights are taken over, and the noise is none that was drawn before."""
    x, y = (part[:100] for part in data())
    config = replace(TINY, regulariser="mine", encoder="additive", weight=1e-3)
    model, again, moved = (Classifier(config, x.shape[1], 10, 0) for _ in range(3))
    for _ in range(3):
        model.train_step(x, y)
    state = model.state()
    assert state["device"] == "cpu"
    again.load_state(state)
    moved.load_state({**state, "device": "cuda", "random": {name: torch.zeros(16, dtype=torch.uint8) for name in model.random}})
    fresh = Classifier(config, x.shape[1], 10, 0)
    drawn = {
        name: torch.randn(8, generator=one.random["noise"])
        for name, one in {"on": model, "again": again, "moved": moved, "fresh": fresh}.items()
    }
    assert torch.equal(drawn["on"], drawn["again"])
    assert not any(torch.equal(drawn["moved"], drawn[name]) for name in ("on", "fresh"))
    assert moved.step == 3
    for a, b in zip(model.average, moved.average, strict=True):
        assert torch.equal(a, b)
    assert math.isfinite(moved.train_step(x, y))


def test_the_experiment_from_end_to_end(tmp_path: Path) -> None:
    arms = ["baseline", "MINE, additive"]
    experiment = get_experiment("bottleneck")
    small = replace(experiment.scales["smoke"], epochs=1)
    found = reproduce(replace(experiment, scales={"smoke": small}), out=tmp_path, scale="smoke", n_repeats=2, arms=arms)
    assert [path.name for path in found.files[-2:]] == ["against_paper.md", "figure.png"]
    errors = [100 * record.metrics["error"] for record in found.records]  # baseline of both seeds, then MINE's
    gains = [errors[0] - errors[2], errors[1] - errors[3]]
    mean, error = sum(gains) / 2, abs(gains[0] - gains[1]) / 2
    text = found.files[-2].read_text(encoding="utf-8")
    assert f"| {mean:+.2f} ± {error:.2f}, not clear |" in text  # two seeds never are
    assert "| baseline | – | 1.38 |" in text and "| MINE, additive | 1.19 | – |" in text
