# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # All experiments
#
# Each cell shows the arms and seeds that `mine reproduce` saved in `results`; where there are none it runs all arms, once.
# To fill them:
#
#     mine reproduce all --scale default --repeats 3 --out results
#
# The environment variables `MINE_RESULTS` and `MINE_SCALE` name another folder and scale. At `smoke`, the scale set here, all
# runs in minutes and the numbers mean nothing. Figures are written to `figures`.
#
# This notebook is made from `all_experiments.py`: `jupytext --to notebook all_experiments.py`.

# %%
import json
import os
import shutil
from pathlib import Path

import numpy as np
from IPython.display import Image, Markdown, display

from mine.datasets import gaussian_grid
from mine.experiments import Reproduction, reproduce
from mine.reporting.figures import new_figure

RESULTS = Path(os.environ.get("MINE_RESULTS", "results"))
SCALE = os.environ.get("MINE_SCALE", "smoke")
FIGURES = Path("figures")
FIGURES.mkdir(exist_ok=True)


def run(name: str) -> Reproduction:
    """What is saved of an experiment, or one seed of all its arms."""
    saved = RESULTS / name / SCALE / "results.json"
    records = json.loads(saved.read_text(encoding="utf-8")) if saved.is_file() else []
    arms = list(dict.fromkeys(record["arm"] for record in records)) or None
    seeds = sorted({record["seed"] for record in records}) or [0]
    return reproduce(name, out=RESULTS, scale=SCALE, arms=arms, n_repeats=seeds, progress=False)


def show(found: Reproduction, save_as: str | None = None) -> None:
    """The table, and the figures; the first one is saved under the name given."""
    display(Markdown(str(found)))
    pictures = [path for path in found.files if path.suffix == ".png"]
    for path in pictures:
        display(Image(filename=str(path)))
    if save_as is not None:
        shutil.copy(pictures[0], FIGURES / f"{save_as}.png")


# %% [markdown]
# ## Mutual information of correlated normals
#
# The paper's figure 1: estimates against correlation, and while the critics train.

# %%
show(run("gaussians"), "mi_estimation")

# %% [markdown]
# ## Noisy functions
#
# Is the information the same for all f? The exact values say no.

# %%
show(run("functions"))

# %% [markdown]
# ## 25 normals: original, GAN, and GAN with mutual information


# %%
def panel(points: np.ndarray, labels: np.ndarray, name: str) -> None:
    figure, axes = new_figure(1, 1, (4.0, 4.0))
    axes[0][0].scatter(*points.T, c=labels * 7 % 25, cmap="nipy_spectral", s=3, lw=0)
    axes[0][0].set(xlim=(-5.5, 5.5), ylim=(-5.5, 5.5), aspect="equal")
    figure.savefig(FIGURES / f"{name}.png")
    display(Image(filename=str(FIGURES / f"{name}.png")))


found = run("gan-25-gaussians")
display(Markdown(str(found)))
panel(*gaussian_grid(2_500, 0), "25gaussians")
for arm, name in (("GAN", "25gaussians_gan"), ("GAN+MINE", "25gaussians_mine")):
    record = next(record for record in found.records if record.arm == arm and not record.failed)
    with np.load(RESULTS / record.experiment / SCALE / "cells" / record.cell.name / "samples.npz") as stored:
        panel(stored["points"], stored["codes"], name)

# %% [markdown]
# ## Two spirals

# %%
show(run("gan-spiral"))

# %% [markdown]
# ## Stacked MNIST

# %%
show(run("stacked-mnist"))

# %% [markdown]
# ## Bidirectional GANs

# %%
show(run("bigan-25-gaussians"))

# %%
show(run("bigan-mnist"))

# %% [markdown]
# ## The information plane

# %%
show(run("information-plane"), "info_plane")

# %% [markdown]
# ## The information plane of a network on MNIST

# %%
show(run("information-plane-mnist"))

# %% [markdown]
# ## The information bottleneck

# %%
show(run("bottleneck"))

# %% [markdown]
# ## Self-consistency

# %%
show(run("self-consistency"))

# %%
sorted(path.name for path in FIGURES.glob("*.png"))
