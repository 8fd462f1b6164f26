"""Write ``reproduction.md`` from result files: ``python docs/reproduction.py [RESULTS_FOLDER ...]``.

Every folder is one that ``mine reproduce --out`` wrote. Its result files are copied to ``docs/results/NAME/SCALE``, its
figures, made smaller where they are wide, to ``docs/_static/reproduction``; the page is then written from what lies there.
Without a folder only the page is written.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from mine.errors import MineError
from mine.experiments.page import as_markdown, find_results, read_section
from mine.storage.files import write_whole

DOCS = Path(__file__).parent
RESULTS, FIGURES, PAGE = DOCS / "results", DOCS / "_static" / "reproduction", DOCS / "reproduction.md"

#: Pixels: wider figures are made smaller.
_WIDTH = 1400


def page() -> str:
    """The text of the page, from the result files in the repository."""
    sections = [read_section(folder) for folder in find_results(RESULTS)]
    return as_markdown([replace(section, figures=_kept(section.name)) for section in sections], "_static/reproduction")


def _kept(name: str) -> dict[str, Path]:
    """Figures of an experiment and scale in the repository."""
    files = [FIGURES / f"{name}.png", *sorted(FIGURES.glob(f"{name}-*.png"))]
    return {file.name: file for file in files if file.is_file()}


def take_over(results: Path) -> None:
    """Copy the result files and figures of a folder into the repository.

    Raises:
        MineError: The folder has no results.
    """
    folders = find_results(results)
    if not folders:
        raise MineError(f"{results} has no results: name a folder that mine reproduce --out wrote.")
    for folder in folders:
        section = read_section(folder)  # checks the file before it is copied
        target = RESULTS / section.experiment.name / section.scale
        target.mkdir(parents=True, exist_ok=True)
        for name in ("results.json", "table.csv"):
            shutil.copyfile(folder / name, target / name)
        for name, figure in section.figures.items():
            FIGURES.mkdir(parents=True, exist_ok=True)
            content = _smaller(figure)
            write_whole(FIGURES / name, lambda stream, content=content: stream.write(content))


def _smaller(figure: Path) -> bytes:
    from PIL import Image

    with Image.open(figure) as image:
        if image.width <= _WIDTH:
            return figure.read_bytes()
        size = (_WIDTH, round(image.height * _WIDTH / image.width))
        stream = BytesIO()
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def main(folders: list[str]) -> None:
    """Take over the folders, then write the page."""
    try:
        for folder in folders:
            take_over(Path(folder))
        PAGE.write_text(page(), encoding="utf-8")
    except MineError as error:
        sys.exit(f"reproduction.py: {error}")
    print(f"Written: {PAGE}")


if __name__ == "__main__":
    main(sys.argv[1:])
