"""``mine benchmark``: methods on tasks whose mutual information is known."""

from __future__ import annotations

from mine.cli import options as opt
from mine.cli.output import check_figures, interruptible, one_sentence, print_text, table_width
from mine.cli.values import seed_numbers, whole_numbers
from mine.errors import InputError

__all__ = ["benchmark"]


def benchmark(
    out: opt.Out = None,
    suite: opt.Suite = "published",
    tasks: opt.Tasks = None,
    methods: opt.Methods = "auto",
    n: opt.Rows = "1000,5000,10000",
    repeats: opt.Repeats = 3,
    seed: opt.FirstSeed = 0,
    effort: opt.Efforts = None,
    jobs: opt.Jobs[int] = 1,
    retry_failed: opt.RetryFailed = False,
    list_tasks: opt.List = False,
    progress: opt.Progress = None,
) -> None:
    """Measure methods on tasks whose mutual information is known.

    Every finished estimate is written at once; rerun the command to resume. Each worker process has one thread.

    Examples:

      mine benchmark --list

      mine benchmark --methods auto,ksg --n 1000 --repeats 1 --out results

      mine benchmark --tasks "student-*" --methods "auto,rival.py:Estimator[k=5]" --jobs 4 --out results
    """
    with one_sentence():
        from mine import benchmarking
        from mine.benchmarking.grid import chosen_tasks
        from mine.benchmarking.summary import as_listing, as_terminal

        within = None if suite == "all" else suite
        if list_tasks:
            print_text(as_listing(chosen_tasks(tasks, within)))
            return
        if out is None:
            raise InputError("--out is missing: name the folder that keeps what is measured, for example --out results.")
        numbers = seed_numbers(repeats, seed)
        check_figures()
        with interruptible(f"finished cells are kept in {out}; rerun the command to resume"):
            result = benchmarking.benchmark(
                tasks,
                methods,
                suite=within,
                n=whole_numbers("--n", n),
                n_repeats=numbers,
                effort=None if effort is None else [part.strip() for part in effort.split(",")],
                n_jobs=jobs,
                out=out,
                retry_failed=retry_failed,
                progress=progress,
            )
        files = result.save(out)
        print_text(as_terminal(result.lines, result.title, table_width(80)))
        print_text("\n".join([*result.notes, f"Written: {', '.join(str(file) for file in files)}"]))
