"""The notebook: made from its script, and executed from results at smoke scale to figures of the names that are asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

import mine
from mine.experiments import names, reproduce

EXAMPLES = Path(__file__).parent.parent / "examples"

EXECUTE = """
import sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
errors = [out for cell in notebook.cells for out in cell.get("outputs", []) if out.output_type == "error"]
pictures = [out for cell in notebook.cells for out in cell.get("outputs", []) if "image/png" in out.get("data", {})]
print(len(errors), len(pictures))
"""

#: A few arms of each experiment: what the notebook finds saved it shows, and runs nothing more.
SAVED = {
    "gaussians": ["MINE", "Kraskov"],
    "functions": ["x"],
    "gan-25-gaussians": ["GAN", "GAN+MINE"],
    "gan-spiral": ["GAN", "GAN+MINE"],
    "information-plane": ["tanh, noise 0.1"],
    "information-plane-mnist": ["tanh"],
    "stacked-mnist": ["DCGAN"],
    "bigan-25-gaussians": ["BiGAN"],
    "bigan-mnist": ["BiGAN"],
    "bottleneck": ["baseline", "MINE, additive"],
    "self-consistency": ["Kraskov"],
}


def test_the_notebook_is_made_from_its_script() -> None:
    script = jupytext.read(EXAMPLES / "all_experiments.py")
    notebook = jupytext.read(EXAMPLES / "all_experiments.ipynb")
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in script.cells
    ]
    text = "\n".join(cell.source for cell in script.cells)
    assert all(f'run("{name}")' in text for name in SAVED)
    assert set(SAVED) == set(names()), "the notebook lacks an experiment"


@pytest.mark.slow
@pytest.mark.runs_lightning
def test_the_notebook_runs_from_saved_results(tmp_path: Path) -> None:
    for name, arms in SAVED.items():
        reproduce(name, out=tmp_path / "results", scale="smoke", arms=arms, progress=False)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("results/*/smoke/cells/*/result.json")}
    shutil.copy(EXAMPLES / "all_experiments.ipynb", tmp_path)
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1]), "MINE_RESULTS": "results", "MINE_SCALE": "smoke"}
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, "all_experiments.ipynb"],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    pictures = 2 + 3 + len(SAVED) - 2  # two of the normals, three of the 25, one of each other experiment
    assert done.stdout.split() == ["0", str(pictures)]
    assert sorted(path.stem for path in (tmp_path / "figures").iterdir()) == [
        "25gaussians", "25gaussians_gan", "25gaussians_mine", "info_plane", "mi_estimation",
    ]  # fmt: skip
    after = {path: path.stat().st_mtime_ns for path in tmp_path.glob("results/*/smoke/cells/*/result.json")}
    assert after == before  # nothing was run again
