"""The version of the numbers, and which raises of it reach stored cells."""

from __future__ import annotations

import pytest

from mine.storage import versions


@pytest.mark.parametrize(("numerics", "of_numbers", "of_labels"), [(1, 1, 1), (2, 1, 1), (3, 1, 3), (4, 4, 4), (5, 5, 5)])
def test_a_raise_reaches_the_stored_cells_that_it_changes(
    monkeypatch: pytest.MonkeyPatch, numerics: int, of_numbers: int, of_labels: int
):
    monkeypatch.setattr(versions, "NUMERICS", numerics)
    assert versions.cell_numerics(ties=False) == of_numbers
    assert versions.cell_numerics(ties=True) == of_labels
