"""The pictures of a gallery's program: pyplot's figures, and those that the library draws without pyplot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst, matplotlib_scraper

from mine.reporting.figures import write_figure

__all__ = ["pictures"]


def pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any], **options: Any) -> str:
    """reStructuredText that shows the figures of one block of code; the variable ``figure`` holds one that pyplot lacks."""
    import matplotlib.pyplot as plt

    figure = block_vars["example_globals"].get("figure")
    if plt.get_fignums() or not isinstance(figure, Figure):
        return matplotlib_scraper(block, block_vars, gallery_conf, **options)
    path = Path(next(block_vars["image_path_iterator"]))
    write_figure(figure, path, dpi=100)
    del block_vars["example_globals"]["figure"]
    return figure_rst([str(path)], gallery_conf["src_dir"])
