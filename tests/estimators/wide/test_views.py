"""Views of wide sides: no evaluation row decides what a fold's critic reads."""

import numpy as np
import torch

from mine.critics.wide import view as read
from mine.data.components import WideEncoder
from mine.data.sides import as_variable
from mine.data.splits import make_folds
from mine.estimators.wide.views import canonical_view, component_view, preferred, screened_view
from mine.training.pairs import Pairs


def encoded(x: np.ndarray, y: np.ndarray) -> tuple[Pairs, list[WideEncoder]]:
    variables = [as_variable(side, name) for side, name in ((x, "x"), (y, "y"))]
    encoders = [WideEncoder().fit(v) for v in variables]
    features = [torch.as_tensor(e.transform(v)) for e, v in zip(encoders, variables, strict=True)]
    return Pairs(features[0], features[1]), encoders


def linear_pair(n: int, seed: int, width: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n, width))
    y[:, 3] = x[:, 5] + 0.5 * y[:, 3]
    return x, y


def test_screened_columns_of_a_fold_do_not_depend_on_its_evaluation_rows():
    pairs, encoders = encoded(*linear_pair(900, 0))
    layouts, folds = [e.layout for e in encoders], make_folds(900, 3, seed=0)
    view = screened_view(pairs, layouts, folds)
    assert view is not None and isinstance(pairs.x, torch.Tensor)
    assert all(int(x[0][0]) == 5 and int(y[0][0]) == 3 for x, y in view.sides)
    changed = pairs.x.clone()
    first = torch.as_tensor(np.concatenate([folds[0].evaluation, folds[0].validation]))
    changed[first] = changed[first].flip(0)
    again = screened_view(Pairs(changed, pairs.y), layouts, folds)
    assert again is not None
    assert torch.equal(again.sides[0][0][0], view.sides[0][0][0]) and torch.equal(again.sides[0][1][0], view.sides[0][1][0])


def test_a_view_has_a_copy_of_the_rows_for_each_fold():
    pairs, encoders = encoded(*linear_pair(900, 1))
    folds = make_folds(900, 3, seed=0)
    view = screened_view(pairs, [e.layout for e in encoders], folds)
    assert view is not None and isinstance(pairs.x, torch.Tensor)
    data, moved = view.read(pairs, folds)
    for k, fold in enumerate(folds):
        x, _ = data.rows(torch.as_tensor(moved[k].evaluation))
        assert torch.equal(x, pairs.x[torch.as_tensor(fold.evaluation)][:, view.sides[k][0][0]])


def test_canonical_directions_find_a_rotated_pair_and_their_correlation_is_not_that_of_the_training_rows():
    rng = np.random.default_rng(2)
    x, y = linear_pair(1500, 2)
    turned = [side @ np.linalg.qr(rng.normal(size=(80, 80)))[0] for side in (x, y)]
    pairs, encoders = encoded(*turned)
    folds = make_folds(1500, 3, seed=0)
    layouts = [e.layout for e in encoders]
    view = canonical_view(pairs, layouts, folds)
    assert view is not None and view.bases is not None
    for base, (side_x, side_y), fold in zip(view.bases, view.sides, folds, strict=True):
        rows = torch.as_tensor(fold.evaluation)
        u, v = (read(side[rows], *place) for side, place in ((pairs.x, side_x), (pairs.y, side_y)))
        held_out = float(torch.corrcoef(torch.stack([u[:, 0], v[:, 0]]))[0, 1])
        assert abs(float(base.correlations[0, 0]) - held_out) < 0.12
        assert 0.7 < held_out < 0.9  # 0.894 if the directions were known
    independent, encoders = encoded(*rng.normal(size=(2, 1500, 80)))
    assert canonical_view(independent, layouts, folds) is None


def test_the_copula_says_how_many_components():
    rng = np.random.default_rng(3)
    z = rng.normal(size=(1200, 5))
    other = 0.9 * z + 0.4 * rng.normal(size=z.shape)
    x, y = (side @ rng.normal(size=(5, 90)) + 0.3 * rng.normal(size=(1200, 90)) for side in (z, other))
    pairs, encoders = encoded(x, y)
    folds = make_folds(1200, 3, seed=0)
    views = [component_view([e.layout for e in encoders], k, 3, copula=True) for k in (2, 5, 32)]
    assert [v.dims for v in preferred(views, pairs, folds)] == [(5, 5)]
