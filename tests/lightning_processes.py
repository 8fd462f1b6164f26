"""Trains the models of mine.lightning in two processes; every rank leaves its state_dict in the folder given."""

from __future__ import annotations

import sys
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mine.lightning import InfoMax, VariationalBottleneck
from mine.terms import LearnedPrior

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name in ("infomax", "bottleneck"):
        torch.manual_seed(0)
        a = torch.randn(400, 4)
        b = a[:, :1] + 0.3 * torch.randn(400, 1)
        if name == "infomax":
            model: pl.LightningModule = InfoMax(nn.Linear(4, 1))
        else:
            model = VariationalBottleneck(nn.Linear(4, 4), nn.Linear(2, 1), prior=LearnedPrior(2))
        trainer = pl.Trainer(
            max_epochs=3,
            accelerator="cpu",
            devices=2,
            strategy=DDPStrategy(process_group_backend="gloo"),
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        data = DataLoader(TensorDataset(a, b), batch_size=50)
        trainer.fit(model, data, data)
        torch.save(model.state_dict(), folder / f"{name}{trainer.global_rank}.pt")
