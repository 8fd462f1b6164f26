"""Names that others chose reach neither a terminal nor a spreadsheet as commands."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mine
from mine.errors import MineError
from mine.escapes import for_spreadsheet, printable


@settings(derandomize=True, deadline=None)
@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    shown = printable(text)
    assert all(unicodedata.category(c) != "Cc" or c in "\n\t" for c in shown)
    assert printable(shown) == shown


def test_other_text_stays_as_it_is() -> None:
    assert printable("Größe ± 1 °C\n\t日本") == "Größe ± 1 °C\n\t日本"
    assert printable("\x1b]0;title\x07 \x9b31m \u202etxt") == "\\x1b]0;title\\x07 \\x9b31m \\u202etxt"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_text(text: str) -> None:
    assert for_spreadsheet(text) == printable(f"'{text}")
    assert for_spreadsheet(-1.0) == -1.0 and for_spreadsheet("a=1") == "a=1"


def test_errors_spell_out_control_characters() -> None:
    x = np.random.default_rng(0).normal(size=60)
    with pytest.raises(MineError) as error:
        mine.pairwise(pd.DataFrame({"a\x1b[31m": x}))
    assert "\x1b" not in str(error.value) and r"a\x1b[31m" in str(error.value)
