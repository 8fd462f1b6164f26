"""The version of the numbers, and which raises of it reach stored cells."""

from __future__ import annotations

import pytest

from mine.storage import versions


@pytest.mark.parametrize(("numerics", "in_cells"), [(1, 1), (2, 1), (3, 3), (4, 4)])
def test_a_raise_reaches_stored_cells_unless_it_is_listed(monkeypatch: pytest.MonkeyPatch, numerics: int, in_cells: int):
    monkeypatch.setattr(versions, "NUMERICS", numerics)
    assert versions.cell_numerics() == in_cells
