"""One page of what was run: a table, a line, a verdict and figures an experiment, as Markdown and as HTML in one file."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from mine.errors import InputError, renamed_arguments
from mine.experiments.experiment import SCALES, Experiment
from mine.experiments.registry import get_experiment, names
from mine.experiments.store import Record, read_records
from mine.experiments.summary import by_arm, comparison, shown
from mine.experiments.targets import judge
from mine.storage.files import write_whole

__all__ = ["Section", "as_html", "as_markdown", "find_results", "read_section", "write_pages"]

_TITLE = "Reproduction"
_ABOUT = (
    "The results of `mine reproduce` on our machine, next to the published numbers: mean ± standard error over the seeds. "
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
        line: Published numbers next to this run's.
        verdict: Targets, with met, missed or not measured.
        facts: Seeds, minutes, machine and command.
        figures: The figures' files by their names on a page, ``NAME-SCALE.png`` first, then say ``NAME-SCALE-convergence.png``;
            empty where nothing was drawn.
    """

    experiment: Experiment
    scale: str
    header: list[str]
    rows: list[list[str]]
    line: str
    verdict: list[tuple[str, str]]
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
    return Section(
        experiment,
        scale,
        ["arm", "seeds", *(metric.label for metric in experiment.metrics)],
        _rows(experiment, records),
        comparison(experiment, records),
        [] if scale == "smoke" else judge(experiment.targets, records),
        _facts(experiment, records),
        {f"{name}.png" if file.stem == "figure" else f"{name}-{file.name}": file for file in files},
    )


def _rows(experiment: Experiment, records: Sequence[Record]) -> list[list[str]]:
    rows = []
    for arm, arm_records in by_arm(records).items():
        good = [record for record in arm_records if not record.failed]
        rows.append([arm, str(len(good)), *(shown(metric, good) for metric in experiment.metrics)])
        published = [metric.published.get(arm, "") for metric in experiment.metrics]
        if any(number not in ("", "–") for number in published):
            rows.append([f"{arm}, published", "", *published])
    return rows


def _facts(experiment: Experiment, records: Sequence[Record]) -> list[str]:
    seeds = len({record.seed for record in records})
    scale = records[0].scale
    good = [record for record in records if not record.failed]
    facts = [f"Source: {experiment.source}."]
    facts += [f"Failed: {record.arm}, seed {record.seed}: {record.error}." for record in records if record.error is not None]
    if good:
        minutes = fmean(record.seconds for record in good) / 60
        facts.append(f"{scale} scale, {seeds} {'seed' if seeds == 1 else 'seeds'}, {minutes:.1f} minutes per arm and seed.")
    facts += [f"Measured with {environment}." for environment in dict.fromkeys(r.environment for r in records) if environment]
    facts += [f"Code: {code}." for code in dict.fromkeys(record.code for record in records)]
    first, last = min(record.seed for record in records), max(record.seed for record in records)
    numbers = f"--repeats {last - first + 1}" + (f" --seed {first}" if first else "")
    return [*facts, f"`mine reproduce {experiment.name} --scale {scale} {numbers} --out results`"]


def _verdict(section: Section) -> str:
    if section.scale == "smoke":
        return "none: the smoke scale only shows that it runs"
    if not section.verdict:
        return "no target was set"
    return "; ".join(f"{text}: **{said}**" for text, said in section.verdict)


#: Columns of the table that opens the page; arms named in one of its cells, at most.
_OVERVIEW, _ARMS_NAMED = ["experiment", "measure", "published", "ours", "verdict"], 3
_PUBLISHED = ", published"


def _overview(section: Section) -> list[str]:
    """The row of a section in the table that opens the page: the first measure with a published number, else the first."""
    published = {row[0].removesuffix(_PUBLISHED): row[2:] for row in section.rows if row[0].endswith(_PUBLISHED)}
    ours = {row[0]: row[2:] for row in section.rows if not row[0].endswith(_PUBLISHED)}
    known = [(k, arm) for k in range(len(section.header) - 2) for arm in published if published[arm][k] not in ("", "–")]
    measure = known[0][0] if known else 0
    compared = [arm for k, arm in known if k == measure]
    arms = list(dict.fromkeys([*compared, *ours]))[:_ARMS_NAMED]
    theirs = "; ".join(f"{arm} {published[arm][measure]}" for arm in arms if arm in compared)
    said = [verdict for _, verdict in section.verdict]
    verdict = "; ".join(f"{said.count(word)} {word}" for word in dict.fromkeys(said)) or "no target"
    here = "; ".join(f"{arm} {ours[arm][measure]}" for arm in arms)
    return [f"{section.experiment.name}, {section.scale} scale", section.header[2 + measure], theirs or "–", here, verdict]


def _markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of Markdown, the first of them the header."""
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def as_markdown(sections: Sequence[Section], figures: str) -> str:
    """The page in Markdown.

    Arguments:
        sections: In the order of the page.
        figures: Folder of the figures as the page sees it.
    """
    parts = [f"# {_TITLE}", _ABOUT] + ([] if sections else ["No results are kept yet."])
    if sections:
        parts.append(_markdown_table([_OVERVIEW, ["---"] * len(_OVERVIEW), *map(_overview, sections)]))
    for section in sections:
        table = [section.header, ["---", *["--:"] * (len(section.header) - 1)], *section.rows]
        parts += [f"## {section.experiment.name}, {section.scale} scale", section.experiment.shows, _markdown_table(table)]
        parts += [section.line, f"Verdict: {_verdict(section)}."]
        parts += [f"![{_alternative(section, name)}]({figures}/{name})" for name in section.figures]
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


def as_html(sections: Sequence[Section]) -> str:
    """The page as one HTML file that needs no other: figures are inside."""
    parts = [f"<h1>{_TITLE}</h1>", f"<p>{_inline(_ABOUT)}</p>"]
    if sections:
        parts.append(_html_table(_OVERVIEW, [_overview(section) for section in sections]))
    for section in sections:
        title = f"{section.experiment.name}, {section.scale} scale"
        parts += [f'<h2 id="{section.name}">{html.escape(title)}</h2>', f"<p>{html.escape(section.experiment.shows)}</p>"]
        parts.append(_html_table(section.header, section.rows))
        parts += [f"<p>{_inline(section.line)}</p>", f"<p>Verdict: {_inline(_verdict(section))}.</p>"]
        for name, figure in section.figures.items():
            data = base64.b64encode(figure.read_bytes()).decode()
            parts.append(f'<img alt="{html.escape(_alternative(section, name))}" src="data:image/png;base64,{data}">')
        parts.append("<ul>" + "".join(f"<li>{_inline(fact)}</li>" for fact in section.facts) + "</ul>")
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
