"""``mine reproduce``: a paper's experiments again."""

from __future__ import annotations

from mine.cli import options as opt
from mine.cli.output import check_figures, folded, interruptible, one_sentence, print_text
from mine.cli.values import arm_names, seed_numbers
from mine.errors import InputError

__all__ = ["reproduce"]


def reproduce(
    name: opt.Experiment = None,
    out: opt.Out = None,
    scale: opt.Scale = "default",
    repeats: opt.Repeats = 1,
    seed: opt.FirstSeed = 0,
    arms: opt.Arms = None,
    retry_failed: opt.RetryFailed = False,
    device: opt.Device = "auto",
    list_experiments: opt.List = False,
    progress: opt.Progress = None,
) -> None:
    """Run a paper's experiment again: a table with the published numbers next to this run's, and figures.

    Every arm and seed is written when it is finished, with checkpoints in between; rerun the command to resume. "all" also
    writes one page, reproduction.html, with every table, verdict and figure.

    Examples:

      mine reproduce --list

      mine reproduce gan-25-gaussians --scale smoke --out results

      mine reproduce gan-25-gaussians --repeats 5 --out results

      mine reproduce all --scale default --repeats 3 --out results
    """
    with one_sentence():
        from mine import experiments

        if list_experiments:
            known = [experiments.get_experiment(one) for one in experiments.names()]
            print_text(folded(experiments.as_listing(known), indent=4))
            return
        if name is None:
            raise InputError("NAME is missing: name an experiment ('mine reproduce --list' shows them), or 'all'.")
        if out is None:
            raise InputError("--out is missing: name the folder that keeps the results, for example --out results.")
        numbers = seed_numbers(repeats, seed)
        chosen = [experiments.get_experiment(one) for one in (experiments.names() if name == "all" else [name])]
        check_figures()
        with interruptible(f"finished cells are kept in {out}; rerun the command to resume"):
            for experiment in chosen:
                reproduction = experiments.reproduce(
                    experiment,
                    out=out,
                    scale=scale,
                    n_repeats=numbers,
                    arms=None if arms is None else arm_names(arms),
                    retry_failed=retry_failed,
                    device=device,
                    progress=progress,
                )
                print_text(f"{reproduction}\nWritten: {', '.join(map(str, reproduction.files))}")
            if name == "all":
                print_text(f"All on one page: {', '.join(map(str, experiments.write_pages(out)))}")
