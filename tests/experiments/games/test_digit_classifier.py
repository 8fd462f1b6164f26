"""The judge of digits: right on images it never saw, kept in a file, and the same from the same seed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mine.datasets import digits
from mine.errors import InputError
from mine.experiments.games.digit_classifier import digit_classifier

STORED = Path(os.environ.get("MINE_DATA", "/nowhere")) / "mnist"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("classifier")


def test_it_reads_digits_it_never_saw_and_is_kept(kept: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    found = digit_classifier(kept, lambda *a: calls.append(a), data=digits())
    images, labels = digits().test
    right = found.predict(images[:, None] / 16) == labels
    assert right.mean() > 0.92  # 360 digits of other writers; chance is 10 %
    assert found.accuracy == pytest.approx(right.mean()) and (found.size, found.tested) == (8, 360)
    assert calls and all(done <= total for done, total, _ in calls)

    trained = len(calls)
    again = digit_classifier(kept, lambda *a: calls.append(a), data=digits())
    assert len(calls) == trained and again.accuracy == found.accuracy
    np.testing.assert_array_equal(again.predict(images[:, None] / 16), found.predict(images[:, None] / 16))
    # in one batch or one by one: nothing depends on the neighbours
    np.testing.assert_array_equal(
        np.concatenate([again.predict(torch.as_tensor(images[i : i + 1, None] / 16)) for i in range(20)]),
        again.predict(images[:20, None] / 16),
    )


def test_the_seed_decides_and_a_torn_file_is_trained_again(tmp_path: Path) -> None:
    few = replace(digits(), images=digits().images[:400], labels=digits().labels[:400], n_train=320)
    one, two, other = (
        digit_classifier(tmp_path / name, data=few, seed=seed).network.state_dict()
        for name, seed in (("one", 0), ("two", 0), ("one", 1))
    )
    assert all(torch.equal(a, b) for a, b in zip(one.values(), two.values(), strict=True))
    assert not torch.equal(one["last.weight"], other["last.weight"])
    files = sorted((tmp_path / "one").iterdir())
    assert len(files) == 2
    for file in files:
        file.write_bytes(file.read_bytes()[:1_000])
    mended = digit_classifier(tmp_path / "one", data=few).network.state_dict()
    assert all(torch.equal(a, b) for a, b in zip(one.values(), mended.values(), strict=True))


def test_images_of_another_shape(kept: Path) -> None:
    found = digit_classifier(kept, data=digits())
    with pytest.raises(InputError, match=r"shape \(n, 1, 8, 8\), got \(5, 3, 8, 8\)"):
        found.predict(np.zeros((5, 3, 8, 8)))
    assert found.predict(np.zeros((0, 1, 8, 8))).shape == (0,)


@pytest.mark.slow
@pytest.mark.skipif(not STORED.is_dir(), reason="the real files")
def test_99_of_100_real_digits(tmp_path: Path) -> None:
    found = digit_classifier(tmp_path)
    assert found.tested == 10_000 and found.accuracy >= 0.99
