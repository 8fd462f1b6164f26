"""The version of the package, and the version of its numbers. Stored results name both."""

from __future__ import annotations

__all__ = ["NUMERICS", "__version__", "cell_numerics"]

__version__ = "0.9.0"

#: Raised, by one, by the commit that means to change what an estimate comes to; nothing else makes a stored result stale.
#:
#: 2: ``mine.kl_divergence`` and ``conditional="shuffle"`` train in the one loop.
#: 3: two columns of labels by their counts at any number of levels; no interval with labels on a side is open above;
#:    ``gaussian`` and ``ksg`` refuse numbers with large ties, and a copula fitted to them is no reference.
#: 4: copulas and residuals count after a check, relations without noise are open above, few rows in many columns may take the
#:    copula, labels of many levels are random effects, conditional information is symmetric; ties are parted by other noise.
#: 5: intervals of nearest neighbours weigh rows with parts, and are open where no neighbour is near; 64 columns and more are
#:    compressed and screened; rows of two axes and more keep their shape; near copies are found on bent scales.
#: 6: tables screen two columns of numbers; few columns of series are told by neighbours; the interval of wide sides and images
#:    reaches what neighbours find among their components, and images choose their critic early; tests stop early.
#: 7: critics train and are validated by fewer and lighter steps; the network for sequences; ``gaussian`` finds what ranks hide;
#:    heaps of equal numbers go to nearest neighbours; a term's moving average stays near its batch.
#: 8: intervals at high information allow for the error of fits, for ranks and for too few shuffled pairs; labels of rare and of
#:    frequent levels are told apart; images and sequences train by orthogonal updates.
#: 9: numbers given labels of many levels are compared within these; noise of labels may depend on how frequent they are; a
#:    copula must describe the rows before its agreement counts; critics of images and sequences train for fewer steps.
#: 10: residuals in units of their neighbours' noise, wider intervals for bent relations and for few rows a level; the
#:    bound of a term is Donsker-Varadhan's, and MINE's average weights joint and shuffled pairs alike; few groups in time.
#: 11: critics of images see more shifts, train longer on them, and score images by the mean over their neighbouring places.
#: 12: sides of 64 columns of labels and more are compressed and screened, as columns of numbers are; labels among other
#:    columns are counted too; trained tables and lag scans are open without noise, total correlation within entropies.
NUMERICS = 12
#: Raises that changed no number that a stored cell can hold (of a benchmark, of ``mine.pairwise``), and those that changed only
#: cells with labels or large ties on a side.
_IN_NO_CELL, _IN_CELLS_WITH_TIES = frozenset({2}), frozenset({3})


def cell_numerics(*, ties: bool) -> int:
    """The version of the numbers in a stored cell: the last raise that changed such cells.

    Arguments:
        ties: Whether a side has a column of labels, or of numbers with large ties.
    """
    others = _IN_NO_CELL if ties else _IN_NO_CELL | _IN_CELLS_WITH_TIES
    return max(number for number in range(1, NUMERICS + 1) if number not in others)
