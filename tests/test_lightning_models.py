"""The models of mine.lightning in real runs: what they reach, who trains what, what stands in the log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Laplace
from torch.utils.data import DataLoader, TensorDataset

import mine
from mine.errors import InputError
from mine.lightning import InfoMax, VariationalBottleneck
from mine.terms import LearnedPrior

pytestmark = [pytest.mark.runs_lightning, pytest.mark.usefixtures("seeded_torch")]


def trainer(folder: Path, epochs: int, **options: Any) -> pl.Trainer:
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return pl.Trainer(
        max_epochs=epochs, accelerator="cpu", default_root_dir=folder, **{"enable_checkpointing": False, **quiet, **options}
    )


def loader(*tensors: Tensor, batch: int = 200, shuffle: bool = False) -> DataLoader:
    return DataLoader(TensorDataset(*tensors), batch_size=batch, shuffle=shuffle)


def views(n: int) -> tuple[Tensor, Tensor]:
    a = torch.randn(n, 4)
    return a, a[:, :1] + 0.3 * torch.randn(n, 1)


def encoder(dx: int = 4) -> nn.Module:
    return nn.Sequential(nn.Linear(dx, 1), nn.BatchNorm1d(1, affine=False))


def classes(n: int) -> tuple[Tensor, Tensor]:
    """Four classes in the signs of two of six columns: log 4 nats."""
    x = torch.randn(n, 6)
    return x + 0.5 * x.sign(), 2 * (x[:, 0] > 0).long() + (x[:, 1] > 0).long()


def test_infomax_finds_what_the_views_share(tmp_path: Path):
    model = InfoMax(encoder(), learning_rate=1e-2, critic_learning_rate=3e-3)
    run = trainer(tmp_path, 15)
    run.fit(model, loader(*views(1600)), loader(*views(401)))  # a last batch of one row
    weight = model.encoder[0].weight.detach()[0].abs()
    assert weight[0] > 5 * weight[1:].max()
    assert run.callback_metrics["val_information"] == pytest.approx(1.25, abs=0.25)
    assert run.callback_metrics["train_information"] == pytest.approx(1.25, abs=0.25)


def test_two_views_of_x_share_one_encoder(tmp_path: Path):
    shared = torch.randn(1500, 1)
    x = torch.cat([shared, torch.zeros(1500, 3)], 1)

    def noisy(rows: Tensor) -> Tensor:
        return rows + torch.tensor([0.3, 1.0, 1.0, 1.0]) * torch.randn_like(rows)

    model = InfoMax(encoder(), views=noisy, learning_rate=1e-2, critic_learning_rate=3e-3)
    assert model.other is model.encoder
    trainer(tmp_path, 15).fit(model, loader(x, torch.arange(1500)))
    weight = model.encoder[0].weight.detach()[0].abs()
    assert weight[0] > 4 * weight[1:].max()


def test_more_beta_is_less_information(tmp_path: Path):
    train, new, reached = classes(2000), classes(500), {}
    for beta in (1e-4, 0.3):
        network = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 4))
        model = VariationalBottleneck(network, nn.Linear(2, 4), beta=beta, learning_rate=3e-3)
        run = trainer(tmp_path, 10)
        run.fit(model, loader(*train, shuffle=True), loader(*new))
        reached[beta] = {name: float(value) for name, value in run.callback_metrics.items()}
    assert reached[1e-4]["val_accuracy"] > 0.9
    assert reached[0.3]["val_information"] < 3 < reached[1e-4]["val_information"]
    for beta, told in reached.items():
        assert told["val_loss"] == pytest.approx(told["val_task"] + beta * told["val_information"], rel=1e-4)
    assert model(new[0]).shape == (500, 4)


def test_a_prior_is_trained_and_never_by_the_models_optimizer(tmp_path: Path):
    prior = LearnedPrior(2, components=2)
    model = VariationalBottleneck(nn.Linear(6, 4), nn.Linear(2, 4), prior=prior)
    trained = {id(p) for group in model.configure_optimizers().param_groups for p in group["params"]}
    assert trained == {id(p) for part in (model.encoder, model.head) for p in part.parameters()}
    before = prior.mean.detach().clone()
    trainer(tmp_path, 2).fit(model, loader(*classes(400)))
    assert not torch.equal(before, prior.mean.detach())


def test_a_density_of_ones_own_and_numbers_for_y(tmp_path: Path):
    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mean = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Independent:
            return Independent(Laplace(self.mean(x), 0.1), 1)

    model = VariationalBottleneck(Wide(), nn.Linear(2, 1), beta=1e-3, learning_rate=2e-2)
    run, (x, y) = trainer(tmp_path, 10), views(1000)
    run.fit(model, loader(x, y[:, 0]), loader(x, y[:, 0]))
    assert run.callback_metrics["val_task"] < 0.2
    assert "val_accuracy" not in run.callback_metrics


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path: Path):
    data = loader(*views(400))

    def run(epochs: int, **options: Any) -> tuple[InfoMax, pl.Trainer]:
        torch.manual_seed(1)
        model = InfoMax(encoder(), critic_steps=2)
        made = trainer(tmp_path, epochs)
        made.fit(model, data, **options)
        return model, made

    whole, _ = run(4)
    _, half = run(2)
    half.save_checkpoint(tmp_path / "half.ckpt")
    resumed, _ = run(4, ckpt_path=tmp_path / "half.ckpt")
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_errors_name_the_remedy(tmp_path: Path):
    with pytest.raises(InputError, match=r"2 D columns, means and raw standard deviations"):
        trainer(tmp_path, 1).fit(VariationalBottleneck(nn.Linear(6, 3), nn.Linear(2, 4)), loader(*classes(50)))
    with pytest.raises(InputError, match=r"for two views of x pass views="):
        trainer(tmp_path, 1).fit(InfoMax(encoder()), loader(views(50)[0]))
    with pytest.raises(InputError, match="must be \\(x, y\\), two tensors"):
        trainer(tmp_path, 1).fit(VariationalBottleneck(nn.Linear(6, 4), nn.Linear(2, 4)), loader(classes(50)[0]))
    with pytest.raises(InputError, match="pass task="):
        trainer(tmp_path, 1).fit(VariationalBottleneck(nn.Linear(4, 4), nn.Linear(2, 3)), loader(*views(50)))
    with pytest.raises(InputError, match="no parameters to train"):
        trainer(tmp_path, 1).fit(InfoMax(nn.Identity()), loader(*views(50)))
    for wrong in ({"beta": -1.0}, {"learning_rate": 0.0}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))} must be"):
            VariationalBottleneck(nn.Linear(6, 4), nn.Linear(2, 4), **wrong)
    with pytest.raises(InputError, match="critic_steps must be at least 1"):
        InfoMax(encoder(), critic_steps=0)


def test_two_processes_stay_in_step(tmp_path: Path):
    """Plain ``strategy="ddp"``: the wrapper leaves the critic alone, and the term keeps it the same on every rank."""
    script = Path(__file__).parent / "lightning_processes.py"
    env = {"PYTHONPATH": str(Path(mine.__file__).parents[1]), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("infomax", "bottleneck"):
        one, other = (torch.load(tmp_path / f"{name}{rank}.pt", weights_only=True) for rank in range(2))
        assert any("critic" in key for key in one)
        for key, value in one.items():
            assert "running" in key or torch.equal(value, other[key]), key
