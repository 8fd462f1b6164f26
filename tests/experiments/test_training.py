"""The loop of the experiments: what it logs and where, that it goes on exactly, and that Lightning's Trainer does the same."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mine.experiments import training
from mine.experiments.training import Trainable, fit


class Walk(Trainable):
    """w <- w - 0.1 (w - mean of the batch): a step of gradient descent on half the squared distance."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(()))
        self.random = {"noise": torch.Generator().manual_seed(0)}
        self.optimizers = [torch.optim.SGD([self.w], lr=0.1, momentum=0.5)]
        self.drawn: list[float] = []

    def training_step(self, batch: Tensor) -> None:
        self.drawn.append(float(torch.rand((), generator=self.random["noise"])))
        self.optimizers[0].zero_grad()
        (0.5 * (self.w - batch.mean()) ** 2).backward()
        self.optimizers[0].step()
        self.step += 1

    def metrics(self) -> dict[str, float]:
        return {"w": self.w.item()}


def batches(block: int) -> Iterable[Tensor]:
    return torch.full((50, 4), float(block + 1))


def by_hand(steps: int) -> list[float]:
    w, speed, path = 0.0, 0.0, []
    for step in range(steps):
        speed = 0.5 * speed + w - (step // 50 + 1)
        w -= 0.1 * speed
        path.append(w)
    return path


def nothing(done: int, total: int, message: str) -> None:
    pass


def rows(path: Path) -> list[tuple[int, float]]:
    with path.open() as stream:
        return [(int(row["step"]), float(row["w"])) for row in csv.DictReader(stream)]


def test_what_is_logged(tmp_path: Path) -> None:
    model, seen = Walk(), []
    fit(model, batches, 120, tmp_path, lambda *a: seen.append(a), lambda m: f"w = {m.metrics()['w']:.1f}")
    path = by_hand(120)
    assert model.step == 120 and model.w.item() == pytest.approx(path[-1], rel=1e-5)
    assert [(done, total) for done, total, _ in seen] == [(50, 120), (100, 120), (120, 120)]
    assert seen[0][2] == "w = 1.0"  # it has come to the first block's mean
    logged = rows(tmp_path / "logs" / "version_0" / "metrics.csv")
    assert [step for step, _ in logged] == [50, 100, 120]
    assert [w for _, w in logged] == pytest.approx([path[49], path[99], path[119]], rel=1e-5)


def test_tensorboards_file_holds_the_same(tmp_path: Path) -> None:
    reader: Any = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    fit(Walk(), batches, 100, tmp_path, nothing)
    events = reader.EventAccumulator(str(tmp_path / "logs" / "version_0")).Reload().Scalars("w")
    assert [event.step for event in events] == [50, 100]
    assert [event.value for event in events] == pytest.approx([by_hand(100)[49], by_hand(100)[99]], rel=1e-5)


def test_a_run_cut_short_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Walk()
    fit(whole, batches, 170, tmp_path / "whole", nothing)

    def stop(done: int, total: int, message: str) -> None:
        if done == 150:
            raise KeyboardInterrupt

    monkeypatch.setattr("mine.experiments.checkpoint.Checkpoint.due", lambda self: True)
    cut, again = Walk(), Walk()
    (tmp_path / "cut").mkdir()
    with pytest.raises(KeyboardInterrupt):
        fit(cut, batches, 170, tmp_path / "cut", stop)
    assert cut.step == 150  # but the checkpoint is of step 100
    fit(again, batches, 170, tmp_path / "cut", nothing)
    assert torch.equal(again.w, whole.w)
    assert again.drawn == whole.drawn[100:]
    logs = tmp_path / "cut" / "logs"
    assert [step for step, _ in rows(logs / "version_0" / "metrics.csv")] == [50, 100, 150]
    assert [step for step, _ in rows(logs / "version_1" / "metrics.csv")] == [150, 170]
    done = Walk()
    fit(done, batches, 150, tmp_path / "cut", stop)
    assert done.drawn == [] and done.step == 170  # all of that is in the checkpoint


def test_without_lightning_nothing_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    model = Walk()
    fit(model, batches, 120, tmp_path, nothing)
    assert model.w.item() == pytest.approx(by_hand(120)[-1], rel=1e-5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.runs_lightning
def test_a_trainer_does_the_same(tmp_path: Path) -> None:
    from lightning.pytorch import Trainer
    from lightning.pytorch.loggers import CSVLogger

    from mine.experiments.lightning_module import ExperimentModule

    model = Walk()
    trainer = Trainer(
        accelerator="cpu", max_epochs=1, logger=CSVLogger(tmp_path, name="logs"), enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=50,
    )  # fmt: skip
    stored: Any = [batch for block in range(3) for batch in batches(block)]
    trainer.fit(ExperimentModule(model), torch.utils.data.DataLoader(stored, batch_size=None, generator=torch.Generator()))
    path = by_hand(150)
    assert model.step == 150 and model.w.item() == pytest.approx(path[-1], rel=1e-5)
    logged = rows(tmp_path / "logs" / "version_0" / "metrics.csv")
    assert [w for _, w in logged] == pytest.approx([path[49], path[99], path[149]], rel=1e-5)
