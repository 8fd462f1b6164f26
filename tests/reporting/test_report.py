"""``mine.report``: the page of the command from Python, in a notebook and as a file."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mine
from mine.errors import InputError
from mine.tables.listing import as_terminal


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    a = rng.normal(size=200)
    return pd.DataFrame({"a": a, "b": a**2 + 0.3 * rng.normal(size=200), "c": rng.choice(["u", "v"], 200)})


def test_its_pairs_are_those_of_pairwise(frame: pd.DataFrame):
    page = mine.report(frame, random_state=0)
    pd.testing.assert_frame_equal(page.to_frame(), mine.pairwise(frame, test=True, random_state=0))
    assert repr(page) == as_terminal(page.pairwise, 10, 120)
    assert "mine.report(data)" in page.html and "<dt>rows</dt><dd>200</dd>" in page.html


def test_a_notebook_shows_the_very_page_in_a_frame(frame: pd.DataFrame):
    page = mine.report(frame, "c", test=False, title="Three <columns>", random_state=0)
    shown = page._repr_html_()
    inside = shown[shown.index('srcdoc="') + 8 : shown.rindex('"></iframe>')]
    assert '"' not in inside and html.unescape(inside) == page.html
    assert "<h1>Three &lt;columns&gt;</h1>" in page.html


def test_it_is_written_whole_or_refused(frame: pd.DataFrame, tmp_path: Path):
    page = mine.report(frame[["a", "b"]], test=False, random_state=0)
    path = page.save(tmp_path / "page.html")
    assert path.read_text(encoding="utf-8") == page.html
    with pytest.raises(InputError, match=r"end the name in \.html"):
        page.save(tmp_path / "page.pdf")
    with pytest.raises(InputError, match="cannot be written"):
        page.save(tmp_path / "none" / "page.html")
