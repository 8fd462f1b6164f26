"""What every task is held to: its stated information is the mean of its log-ratio; rows come by seed, in the stated shapes."""

from __future__ import annotations

import numpy as np
import pytest

from mine import tasks

N = 20_000


@pytest.mark.parametrize("name", [n for n in tasks.names() if tasks.get_task(n).has_log_ratio])
def test_mean_log_ratio_is_the_information(name: str) -> None:
    task = tasks.get_task(name)
    x, y = task.sample(N, random_state=11)
    assert x.reshape(N, -1).shape == (N, task.dx)
    assert y.reshape(N, -1).shape == (N, task.dy)
    ratio = task.log_ratio(x, y)
    assert ratio.shape == (N,)
    assert np.isfinite(ratio).all()
    assert abs(ratio.mean() - task.mutual_information) <= 4.5 * ratio.std() / np.sqrt(N) + 1e-9
    # the ratio of densities averages to 1 over independent pairs; its variance is that of the mean of exp(ratio)
    if task.mutual_information < 1.3:
        density = np.exp(task.log_ratio(x, np.roll(y, 1, axis=0)))
        assert abs(density.mean() - 1) <= 6 * density.std() / np.sqrt(N) + 1e-9


@pytest.mark.parametrize("name", tasks.names())
def test_rows_follow_the_seed(name: str) -> None:
    task = tasks.get_task(name)
    (x, y), (again, _), (other, _) = (task.sample(50, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(x, again)
    assert not np.array_equal(x, other)
    assert x.shape == (50, *(task.x_shape or (task.dx,)))
    assert y.shape == (50, *(task.y_shape or (task.dy,)))
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_says_what_it_is(name: str) -> None:
    task = tasks.get_task(name)
    assert task.mutual_information >= 0
    assert task.description
    assert "\n" not in task.description
    assert task.source


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"did you mean '1v1-normal-0\.75'"):
        tasks.get_task("1v1-normal-0.7")
    with pytest.raises(ValueError, match="Unknown suite 'publish'"):
        tasks.names("publish")
