"""One page of results: a table of all experiments, then one section each, as Markdown and as HTML in one file."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from mine.errors import InputError, renamed_arguments
from mine.experiments.experiment import SCALES, Experiment
from mine.experiments.levels import published_levels
from mine.experiments.registry import get_experiment, names
from mine.experiments.store import Record, read_records
from mine.experiments.summary import PUBLISHED, code_notes, markdown_table, table
from mine.experiments.targets import Values, Verdict, judge
from mine.storage.files import write_whole

__all__ = ["Section", "as_html", "as_markdown", "find_results", "read_section", "write_pages"]

_TITLE = "Reproduction"
_ABOUT = (
    "The results of `mine reproduce` on our machine, next to the published numbers: mean ± standard error over the seeds. "
    "A published level counts as reached if our mean is at least as good. The other targets are our own. "
    "Minutes are for one arm and one seed. "
    "This page is written from the result files by a command, never by hand."
)


@dataclass(frozen=True)
class Section:
    """An experiment at a scale, ready to be printed.

    Attributes:
        experiment: What was run.
        scale: Its scale.
        header: Of the table.
        rows: Of the table: one row per arm, followed by a row of the published numbers where there are any.
        seen: What the numbers show, in one or two sentences.
        levels: Published levels, with met or missed.
        verdict: Targets, with met, missed or not measured.
        minutes: Of one arm and seed, the mean; NaN without a finished one.
        facts: Seeds, machine and command.
        figures: The figures' files by their names on a page, ``NAME-SCALE.png`` first, then say ``NAME-SCALE-convergence.png``;
            empty where nothing was drawn.
    """

    experiment: Experiment
    scale: str
    header: list[str]
    rows: list[list[str]]
    seen: str
    levels: list[Verdict]
    verdict: list[Verdict]
    minutes: float
    facts: list[str]
    figures: dict[str, Path]

    @property
    def name(self) -> str:
        """Of the experiment and the scale, for files and anchors."""
        return f"{self.experiment.name}-{self.scale}"


def find_results(folder: Path) -> list[Path]:
    """The folders below ``folder`` with results of known experiments, ordered by experiment, the larger scale first."""
    order = [(name, scale) for name in names() for scale in reversed(SCALES)]
    return [folder / name / scale for name, scale in order if (folder / name / scale / "results.json").is_file()]


def read_section(folder: Path) -> Section:
    """A section from a folder with ``results.json``.

    Arguments:
        folder: ``NAME/SCALE`` as ``mine reproduce`` writes it.

    Raises:
        InputError: The file is not one of ``mine reproduce``.
    """
    path = folder / "results.json"
    try:
        records = read_records(path)
        experiment = get_experiment(records[0].experiment)
    except (OSError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} is not a result file of mine reproduce ({error}): run the experiment again.") from None
    scale = records[0].scale
    files = sorted(folder.glob("*.png"), key=lambda file: (file.stem != "figure", file.stem))
    name = f"{experiment.name}-{scale}"
    header, rows = table(experiment, records)
    small = scale == "smoke"
    good = [record.seconds / 60 for record in records if not record.failed]
    return Section(
        experiment,
        scale,
        header,
        rows,
        experiment.shows if small else _seen(experiment, records),
        [] if small else published_levels(experiment, records),
        [] if small else judge(experiment.targets, records),
        fmean(good) if good else math.nan,
        _facts(experiment, records),
        {f"{name}.png" if file.stem == "figure" else f"{name}-{file.name}": file for file in files},
    )


def _seen(experiment: Experiment, records: Sequence[Record]) -> str:
    """The experiment's sentence with this run's numbers, or what it shows if an arm is missing."""
    try:
        return experiment.shows if experiment.seen is None else _spaced(experiment.seen(Values(records)))
    except KeyError:
        return experiment.shows


def _spaced(text: str) -> str:
    """The text with a space before the sign of percent, as everywhere on the page."""
    return re.sub(r"(?<=\d)%", " %", text)


def _facts(experiment: Experiment, records: Sequence[Record]) -> list[str]:
    seeds = len({record.seed for record in records})
    scale = records[0].scale
    facts = [f"Source: {experiment.source}."]
    facts += [f"Failed: {record.arm}, seed {record.seed}: {record.error}." for record in records if record.error is not None]
    facts.append(f"{scale} scale, {seeds} {'seed' if seeds == 1 else 'seeds'}.")
    facts += [f"Measured with {environment}." for environment in dict.fromkeys(r.environment for r in records) if environment]
    facts += code_notes(records)
    first, last = min(record.seed for record in records), max(record.seed for record in records)
    numbers = f"--repeats {last - first + 1}" + (f" --seed {first}" if first else "")
    return [*facts, f"`mine reproduce {experiment.name} --scale {scale} {numbers} --out results`"]


def _verdicts(section: Section) -> list[str]:
    """One line per published level and target."""
    if section.scale == "smoke":
        return ["No verdict: the smoke scale only shows that it runs."]
    return [
        f"**{one.said}**: {one.text}" + (f" (measured: {_spaced(one.measured)})." if one.measured else ".")
        for one in [*section.levels, *section.verdict]
    ]


#: Columns of the table that opens the page; arms named in one of its cells, at most.
_OVERVIEW, _ARMS_NAMED = ["experiment", "measure", "published", "ours", "verdict", "minutes"], 3


def _overview(section: Section) -> list[str]:
    """The row of a section in the table that opens the page: the first measure with a published number, else the first."""
    published = {row[0].removesuffix(PUBLISHED): row[2:] for row in section.rows if row[0].endswith(PUBLISHED)}
    ours = {row[0]: row[2:] for row in section.rows if not row[0].endswith(PUBLISHED)}
    metrics = range(len(section.experiment.metrics))
    known = [(k, arm) for k in metrics for arm in published if published[arm][k] not in ("", "–")]
    measure = known[0][0] if known else 0
    compared = [arm for k, arm in known if k == measure]
    arms = list(dict.fromkeys([*compared, *ours]))[:_ARMS_NAMED]
    theirs = "; ".join(f"{arm} {published[arm][measure]}" for arm in arms if arm in compared)
    here = "; ".join(f"{arm} {ours[arm][measure]}" for arm in arms)
    name = f"{section.experiment.name}, {section.scale} scale"
    minutes = "" if math.isnan(section.minutes) else f"{section.minutes:.1f}"
    return [name, section.header[2 + measure], theirs or "–", here, _count(section), minutes]


def _count(section: Section) -> str:
    """How many of the published levels and of the targets are met."""
    parts = [
        f"{sum(one.said == 'met' for one in verdicts)} of {len(verdicts)} {name}"
        for name, verdicts in (("published levels", section.levels), ("targets", section.verdict))
        if verdicts
    ]
    return "; ".join(parts) or "no target"


def as_markdown(sections: Sequence[Section], figures: str) -> str:
    """The page in Markdown.

    Arguments:
        sections: In the order of the page.
        figures: Folder of the figures as the page sees it.
    """
    parts = [f"# {_TITLE}", _ABOUT] + ([] if sections else ["No results are kept yet."])
    if sections:
        parts.append(markdown_table([_OVERVIEW, *map(_overview, sections)], numbers_from=len(_OVERVIEW) - 1))
    for section in sections:
        parts += [f"## {section.experiment.name}, {section.scale} scale", section.seen]
        parts += [f"![{_alternative(section, name)}]({figures}/{name})" for name in section.figures]
        parts.append(markdown_table([section.header, *section.rows], numbers_from=1))
        parts += ["\n".join(f"- {line}" for line in lines) for lines in (_verdicts(section),) if lines]
        parts += [f"Limits: {section.experiment.limits}"] if section.experiment.limits else []
        parts.append("\n".join(f"- {fact}" for fact in section.facts))
    return "\n\n".join(parts) + "\n"


def _alternative(section: Section, name: str) -> str:
    """For who cannot see the figure; a further one says by its name what it shows."""
    further = Path(name).stem.removeprefix(section.name).lstrip("-")
    return section.experiment.shows if not further else f"{section.experiment.shows.rstrip('.')}: {further}."


_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; font-size: 0.9rem; } .wide { overflow-x: auto; }
th, td { border-bottom: 1px solid #ddd; padding: 0.3rem 0.7rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; } code { background: #f3f3f3; padding: 0 0.2rem; } li { font-size: 0.9rem; }
"""


def _inline(text: str) -> str:
    """Escaped, with Markdown's ** and ` as tags."""
    out = html.escape(text)
    for mark, tag in (("**", "strong"), ("`", "code")):
        pieces = out.split(mark)
        out = "".join(piece if i % 2 == 0 else f"<{tag}>{piece}</{tag}>" for i, piece in enumerate(pieces))
    return out


def _html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _html_list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{_inline(line)}</li>" for line in lines) + "</ul>" if lines else ""


def as_html(sections: Sequence[Section]) -> str:
    """The page as one HTML file that needs no other: figures are inside."""
    parts = [f"<h1>{_TITLE}</h1>", f"<p>{_inline(_ABOUT)}</p>"]
    if sections:
        parts.append(_html_table(_OVERVIEW, [_overview(section) for section in sections]))
    for section in sections:
        title = f"{section.experiment.name}, {section.scale} scale"
        parts += [f'<h2 id="{section.name}">{html.escape(title)}</h2>', f"<p>{_inline(section.seen)}</p>"]
        for name, figure in section.figures.items():
            data = base64.b64encode(figure.read_bytes()).decode()
            parts.append(f'<img alt="{html.escape(_alternative(section, name))}" src="data:image/png;base64,{data}">')
        parts.append(_html_table(section.header, section.rows))
        parts.append(_html_list(_verdicts(section)))
        parts += [f"<p>Limits: {_inline(section.experiment.limits)}</p>"] if section.experiment.limits else []
        parts.append(_html_list(section.facts))
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{_TITLE}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n'


@renamed_arguments(folder="out")
def write_pages(out: Path) -> list[Path]:
    """Write ``reproduction.md``, its figures and ``reproduction.html`` from all results below ``out``.

    Raises:
        InputError: There are none.
    """
    sections = [read_section(result_folder) for result_folder in find_results(out)]
    if not sections:
        raise InputError(f"{out} has no results: name a folder that mine reproduce --out wrote.")
    for section in sections:
        for name, figure in section.figures.items():
            target = out / "figures" / name
            target.parent.mkdir(exist_ok=True)
            content = figure.read_bytes()
            write_whole(target, lambda stream, content=content: stream.write(content))
    pages = {"reproduction.md": as_markdown(sections, "figures"), "reproduction.html": as_html(sections)}
    for name, text in pages.items():
        write_whole(out / name, lambda stream, text=text: stream.write(text.encode()))
    return [out / name for name in pages]
