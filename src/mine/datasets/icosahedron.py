"""The data set of the information plane: all patterns of twelve points on a sphere, and a label that rotations leave alone."""

from __future__ import annotations

import numpy as np

__all__ = ["icosahedron_patterns", "icosahedron_vertices"]

#: Vertices with an edge to vertex 0, 1, ...; the order is that of the original file.
_NEIGHBOURS = (
    (1, 3, 5, 10, 11), (0, 2, 3, 4, 11), (1, 3, 4, 8, 9), (0, 1, 2, 8, 10), (1, 2, 6, 9, 11), (0, 6, 7, 10, 11),
    (4, 5, 7, 9, 11), (5, 6, 8, 9, 10), (2, 3, 7, 9, 10), (2, 4, 6, 7, 8), (0, 3, 5, 7, 8), (0, 1, 4, 5, 6),
)  # fmt: skip
_THRESHOLD = 7.63


def icosahedron_vertices() -> np.ndarray:
    """The twelve unit vertices, shape (12, 3): eigenvectors of the graph of the edges at the eigenvalue sqrt 5.

    >>> bool(np.allclose(icosahedron_vertices()[0] @ icosahedron_vertices()[1], 5**-0.5))
    True
    """
    adjacency = np.zeros((12, 12))
    for vertex, neighbours in enumerate(_NEIGHBOURS):
        adjacency[vertex, neighbours] = 1
    values, vectors = np.linalg.eigh(adjacency)
    return 2 * vectors[:, np.isclose(values, 5**0.5)]


def icosahedron_patterns() -> tuple[np.ndarray, np.ndarray]:
    """All 4,096 patterns of twelve bits, equally likely, and their labels.

    The bits say which vertices of an icosahedron are taken, ``y = 1`` where their number plus the length of their sum is
    above 7.63: rotations and reflections of a pattern keep its label. I(X; Y) = H(Y) = 0.6926 nats.

    References:
        The data of Shwartz-Ziv & Tishby, 2017 (arXiv 1703.00810), section 3.1; this rule gives their file without a mismatch.

    Returns:
        Patterns of shape (4096, 12), the 12-bit numbers in order, most significant bit first; labels of shape (4096,), 0 or 1.

    Example:
        >>> x, y = icosahedron_patterns()
        >>> x[5], round(float(y.mean()), 5)
        (array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1], dtype=uint8), 0.51709)
    """
    x = (np.arange(1 << 12)[:, None] >> np.arange(11, -1, -1) & 1).astype(np.uint8)
    length = np.linalg.norm(x @ icosahedron_vertices(), axis=1)
    return x, (x.sum(1) + length > _THRESHOLD).astype(np.uint8)
