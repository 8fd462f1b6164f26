"""Two towers: every pair from two encodings, one tower for equal sides, sizes that follow the input."""

import pytest
import torch

from mine.critics.builders import CRITICS, EMBED, candidates, tower_critic
from mine.critics.pairs import score_matrix_of
from mine.critics.towers import ImageTower, SequenceTower, TimeConvolution, shifted

SHAPES = {
    "images": ((1, 28, 28), (1, 28, 28)),
    "colour beside grey": ((3, 16, 16), (20, 30)),
    "tiny": ((1, 5, 5), (1, 1, 2)),
    "image and table": ((1, 12, 20), (5,)),
    "sequences": ((64, 4), (64, 2)),
    "short and long": ((20, 1), (300, 8)),
    "video": ((4, 3, 16, 16), (7,)),
}


def built(kind, events, **options):
    return tower_critic(kind, *events, generator=torch.Generator().manual_seed(0), **options)


@pytest.mark.parametrize("kind", CRITICS)
@pytest.mark.parametrize("events", SHAPES.values(), ids=SHAPES)
def test_all_pairs_are_the_scores_of_every_pair(kind, events):
    critic = built(kind, events).eval()
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.randn(6, *event, generator=generator) for event in events)
    assert score_matrix_of(critic) is not None
    matrix = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
    one_by_one = torch.stack([critic(x, y.roll(-s, 0)) for s in range(6)])
    expected = torch.stack([matrix[i, (i + s) % 6] for s in range(6) for i in range(6)]).reshape(6, 6)
    assert torch.allclose(one_by_one, expected, atol=1e-4)
    assert matrix.std() > 1e-4


def test_equal_sides_share_a_tower_and_differ_in_their_heads():
    critic = built("conv", SHAPES["images"])
    assert critic.tower_x is critic.tower_y and critic.head_x is not critic.head_y
    assert built("conv", ((1, 28, 28), (1, 28, 27))).tower_x is not built("conv", ((1, 28, 28), (1, 28, 27))).tower_y
    flat = built("mlp", ((3,), (3,)))
    assert flat.tower_x is not flat.tower_y  # columns at the same place need not mean the same


def test_the_whole_of_a_sequence_depends_on_what_follows_what():
    """Waves of two frequencies with the same values at their times, in another order: only patterns over time differ."""
    critic = built("sequence", ((40, 2), (40, 2))).eval()
    slow = torch.randn(5, 40, 2, generator=torch.Generator().manual_seed(3)).sort(1).values
    fast = torch.stack([slow[:, :20], slow[:, 20:].flip(1)], 2).flatten(1, 2)
    with torch.no_grad():
        whole = [critic.encode_x(side)[:, -1 - EMBED : -1] for side in (slow, fast)]
    assert (whole[0] - whole[1]).abs().mean() > 0.02 * whole[0].abs().mean()


def test_rows_in_parts_without_gradient():
    critic = built("conv", SHAPES["image and table"]).eval()
    x = torch.randn(1100, 1, 12, 20, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        parts = critic.encode_x(x)
    assert torch.allclose(parts, critic.encode_x(x).detach(), atol=1e-5)


def test_the_work_is_that_of_the_layers():
    # Patches of 2 x 2 pixels as 4 channels, a grid of 7 x 7, twice 20 channels, 128 features.
    tower = ImageTower((1, 28, 28), generator=torch.Generator())
    assert tower.work == 49 * 9 * 4 * 20 + 49 * 9 * 20 * 20 + 49 * 20 * 128
    assert [c.stride for c in ImageTower((3, 64, 200), generator=torch.Generator()).convolutions] == [2, 2, 2, 1]
    assert [c.stride for c in ImageTower((3, 5, 5), generator=torch.Generator()).convolutions] == [1, 1]
    assert SequenceTower((50, 3), generator=torch.Generator()).work == 50 * (3 * 64 + 64 * 32)


@pytest.mark.parametrize(("stride", "kernel", "sees"), [(1, 1, 1), (1, 9, 9), (2, 9, 10), (4, 9, 12), (5, 3, 5), (3, 16, 21)])
@pytest.mark.parametrize("steps", [5, 24])
def test_a_convolution_over_time_is_that_of_torch(stride, kernel, sees, steps, seeded_torch):
    layer = TimeConvolution(3, 2, stride=stride, kernel=kernel, generator=torch.Generator().manual_seed(0))
    x = torch.randn(4, steps, 3)
    outputs = layer.output_steps(steps)
    assert outputs == -(-steps // stride)
    assert layer.work(steps) == outputs * sees * 3 * 2
    places = sees // stride
    weight = layer.linear.weight.reshape(stride, 3, places, 2).permute(3, 1, 2, 0).reshape(2, 3, sees)
    before = (places // 2) * stride
    padded = torch.nn.functional.pad(x.transpose(1, 2), (before, before + outputs * stride - steps))
    expected = torch.nn.functional.conv1d(padded, weight, layer.bias, stride)
    assert torch.allclose(layer(x), expected.transpose(1, 2), atol=1e-5)


def test_dropout_and_shifts_are_for_training_only(seeded_torch):
    critic = built("conv", SHAPES["images"], dropout=0.3, shift=1)
    x = torch.randn(16, 1, 28, 28)
    critic.eval()
    assert torch.equal(critic.encode_x(x), critic.encode_x(x))
    critic.train()
    assert not torch.equal(critic.encode_x(x), critic.encode_x(x))


def test_shifted_images_keep_what_stays_inside(seeded_torch):
    x = torch.zeros(32, 1, 8, 8)
    x[:, :, 3:5, 3:5] = 1.0
    moved = shifted(x, (1, 1))
    assert torch.equal(moved.sum((1, 2, 3)), x.sum((1, 2, 3)))
    places = {tuple(image[0].nonzero()[0].tolist()) for image in moved}
    assert len(places) > 1 and all(2 <= i <= 4 and 2 <= j <= 4 for i, j in places)


def test_an_axis_of_few_pixels_is_not_shifted(seeded_torch):
    """A series as an image of one column would lose all of it by one pixel to the side."""
    critic = built("conv", ((40, 1), (40, 1)), shift=2).train()
    x = torch.zeros(64, 40, 1)
    x[:, 20] = 1.0
    tower = critic.tower_x
    blank = tower(torch.zeros(64, 40, 1))
    assert (tower(x) - blank).abs().amax(1).min() > 0.0


def test_features_after_training_are_the_mean_over_neighbouring_places(seeded_torch):
    tower = built("conv", SHAPES["images"], shift=1).tower_x.eval()
    plain = built("conv", SHAPES["images"]).tower_x.eval()
    plain.load_state_dict(tower.state_dict())
    x = torch.zeros(4, 1, 28, 28)
    x[:, :, 5:20, 6:18] = torch.randn(4, 1, 15, 12)  # what a roll brings back in is zeros
    neighbours = [plain(x.roll(place, (2, 3))) for place in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
    torch.testing.assert_close(tower(x), torch.stack(neighbours).mean(0))


def test_candidates():
    assert candidates((3,), ()) == ()
    assert candidates((1, 8, 8), (3,)) == ("conv",)
    assert candidates((), (20, 1)) == ("conv", "sequence")
