"""The callback in a real Lightning run: what it logs, against known information; what it leaves behind."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import mine
from mine.critics import ConcatCritic
from mine.errors import InputError, MineError, UnknownNameError
from mine.lightning import MutualInformationCallback

pytestmark = [pytest.mark.runs_lightning, pytest.mark.usefixtures("seeded_torch")]


class Net(pl.LightningModule):
    """A layer that passes its input, one that is constant, one that keeps the first coordinate."""

    def __init__(self) -> None:
        super().__init__()
        self.same, self.constant, self.first = nn.Identity(), nn.Linear(2, 3), nn.Linear(2, 1, bias=False)
        nn.init.zeros_(self.constant.weight)
        with torch.no_grad():
            self.first.weight.copy_(torch.tensor([[1.0, 0.0]]))
        self.seen: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        return self.first(self.same(x)) + self.constant(x).sum(1, keepdim=True)

    def training_step(self, batch: Any, index: int) -> Tensor:
        self.seen.append(any(module._forward_hooks for module in self.modules()))
        return 0 * self(batch[0]).mean()

    def validation_step(self, batch: Any, index: int) -> None:
        self(batch["x"] if isinstance(batch, dict) else batch[0])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def loaders(n: int = 600, labels: bool = False) -> tuple[DataLoader, DataLoader]:
    x = torch.randn(n, 2)
    y = (x[:, 0] > 0).long() if labels else x[:, :1] + torch.randn(n, 1)
    data = TensorDataset(x, y)
    return DataLoader(data, batch_size=n // 2), DataLoader(data, batch_size=150)


def fit(callback: MutualInformationCallback, folder: Path, val: Any = None, model: Any = None, **options: Any) -> pl.Trainer:
    train, default = loaders()
    trainer = pl.Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        callbacks=[callback],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        **{"max_epochs": 1, "logger": False, **options},
    )
    trainer.fit(model or Net(), train, default if val is None else val)
    return trainer


def test_the_numbers_are_those_of_the_noisy_layer(tmp_path: Path):
    callback = MutualInformationCallback(["same", "first", "constant"], method="ksg", noise=1.0)
    trainer = fit(callback, tmp_path)
    logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
    # Noise as large as the signal: a coordinate tells (ln 2) / 2 of itself. y is x_1 plus noise of one: the noisy first
    # layer and y correlate by 1/2.
    assert logged["mi/first/x"] == pytest.approx(0.5 * math.log(2), abs=0.1)
    assert logged["mi/same/x"] == pytest.approx(math.log(2), abs=0.15)
    assert logged["mi/first/y"] == pytest.approx(-0.5 * math.log(1 - 0.25), abs=0.1)
    assert logged["mi/constant/x"] == logged["mi/constant/y"] == 0
    assert [logged[f"mi/{name}/constant"] for name in ("same", "first", "constant")] == [0, 0, 1]
    flags = {(e.layer, e.target): e.flag for e in callback.history}
    assert flags["constant", "x"] == "constant" and flags["same", "y"] == ""
    assert all(e.n == 600 for e in callback.history)


def test_a_critic_can_be_trained_inside_and_labels_are_labels(tmp_path: Path):
    callback = MutualInformationCallback("first", noise=0.0, method="mine", steps=150, n_folds=2, max_rows=400)
    fit(callback, tmp_path, loaders(labels=True)[1])
    by_target = {entry.target: entry for entry in callback.history}
    assert by_target["y"].value == pytest.approx(math.log(2), abs=0.15)  # the sign of the coordinate, one bit
    assert by_target["y"].n == 400 and by_target["y"].stderr > 0


def test_logs_land_in_the_csv_and_hooks_are_gone(tmp_path: Path):
    callback = MutualInformationCallback(["first"], method="gaussian", every_n_epochs=2)
    model = Net()
    fit(callback, tmp_path, model=model, max_epochs=3, logger=CSVLogger(tmp_path, name="run"))
    assert [e.epoch for e in callback.history] == [0, 0, 2, 2]
    header = next(tmp_path.rglob("metrics.csv")).read_text().splitlines()[0]
    assert "mi/first/x" in header and "mi/first/constant" in header
    assert model.seen and not any(model.seen)
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("every", "check", "epochs", "expected"),
    [(2, 2, 8, [1, 3, 5, 7]), (3, 2, 10, [1, 5, 9]), (1, 3, 6, [2, 5]), (3, 1, 7, [0, 3, 6])],
)
def test_readings_follow_the_validations(every: int, check: int, epochs: int, expected: list[int], tmp_path: Path):
    callback = MutualInformationCallback(["first"], method="gaussian", every_n_epochs=every)
    fit(callback, tmp_path, max_epochs=epochs, check_val_every_n_epoch=check)
    assert [e.epoch for e in callback.history if e.target == "x"] == expected
    fit(callback, tmp_path, max_epochs=epochs, check_val_every_n_epoch=check)  # a second run with the same callback
    assert [e.epoch for e in callback.history if e.target == "x"] == 2 * expected


def test_history_survives_a_resumed_run(tmp_path: Path):
    first, second = (MutualInformationCallback(["first"], method="gaussian", every_n_epochs=2) for _ in range(2))
    trainer = fit(first, tmp_path, max_epochs=2)
    trainer.save_checkpoint(tmp_path / "run.ckpt")
    train, validation = loaders()
    resumed = pl.Trainer(
        accelerator="cpu", callbacks=[second], max_epochs=5, logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    resumed.fit(Net(), train, validation, ckpt_path=str(tmp_path / "run.ckpt"))
    assert second.history[:2] == first.history
    assert [e.epoch for e in second.history if e.target == "x"] == [0, 2, 4]


def test_unknown_layers_are_named_without_a_fit(tmp_path: Path):
    trainer = pl.Trainer(
        accelerator="cpu", callbacks=[MutualInformationCallback(["frist"])], logger=False, enable_progress_bar=False
    )
    with pytest.raises(UnknownNameError, match="did you mean 'first'"):
        trainer.validate(Net(), loaders()[1], verbose=False)


def test_a_failing_estimate_warns_and_training_goes_on(tmp_path: Path):
    callback = MutualInformationCallback(["first"], method="ksg")
    few = DataLoader(TensorDataset(torch.randn(12, 2)), batch_size=12)
    with pytest.warns(UserWarning, match=r"I\(first; x\) in epoch 0 could not be estimated: .*12 rows"):
        trainer = fit(callback, tmp_path, few, max_epochs=1)
    assert math.isnan(callback.history[0].value) and "12" in callback.history[0].flag
    assert trainer.state.finished


def test_other_batches_need_unpack(tmp_path: Path):
    class Named(TensorDataset):
        def __getitem__(self, i: int) -> Any:
            return {"x": self.tensors[0][i]}

    named = DataLoader(Named(torch.randn(100, 2)), batch_size=50)
    with pytest.raises(InputError, match="batch is a dict: pass unpack="):
        fit(MutualInformationCallback(["first"]), tmp_path, named, num_sanity_val_steps=0)
    callback = MutualInformationCallback(["first"], method="ksg", unpack=lambda batch: (batch["x"], None))
    fit(callback, tmp_path, named)
    assert [e.target for e in callback.history] == ["x"]


def test_without_validation_it_says_so(tmp_path: Path):
    with pytest.warns(UserWarning, match="read nothing.*validation loader"):
        fit(MutualInformationCallback(["first"]), tmp_path, limit_val_batches=0)


def test_errors_name_the_remedy(tmp_path: Path):
    with pytest.raises(UnknownNameError, match="did you mean 'first'"):
        fit(MutualInformationCallback(["frist"]), tmp_path)
    with pytest.raises(InputError, match="layers is empty"):
        MutualInformationCallback([])
    with pytest.raises(InputError, match="got 0, 2000 and"):
        MutualInformationCallback(["a"], every_n_epochs=0)

    class Unused(Net):
        def forward(self, x: Tensor) -> Tensor:
            return self.first(x)

    with pytest.raises(MineError, match="'same' was not called in the validation step"):
        fit(MutualInformationCallback(["same"]), tmp_path, model=Unused())


def test_without_lightning_the_import_names_the_extra(tmp_path: Path):
    code = "import sys; sys.modules['lightning'] = None; import mine; mine.MaximizeMI\ntry: mine.lightning\nexcept ImportError as e: print(e)"
    env = {"PYTHONPATH": str(Path(mine.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert 'pip install "torch-mine[lightning]"' in done.stdout


class InfoMax(pl.LightningModule):
    """The module of docs/how-to/terms.md."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 1), nn.BatchNorm1d(1, affine=False))
        self.term = mine.MaximizeMI(ConcatCritic(1, 1), learning_rate=3e-3)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        z = self.encoder(batch[0])
        self.term.critic_step(z, batch[1])
        self.log("mi", self.term.estimate)
        return self.term(z, batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.encoder.parameters(), lr=1e-2)


def test_a_term_trains_under_automatic_optimisation(tmp_path: Path):
    a = torch.randn(2000, 4)
    b = a[:, :1] + 0.3 * torch.randn(2000, 1)
    model = InfoMax()
    trainer = pl.Trainer(
        max_epochs=20,
        accelerator="cpu",
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, DataLoader(TensorDataset(a, b), batch_size=250))
    weight = model.encoder[0].weight.detach()[0].abs()
    assert weight[0] > 5 * weight[1:].max()  # the encoder has found the coordinate that b shares
    assert model.term.estimate > 1.0  # of 1.25 nats
