"""
How many dimensions are shared?
===============================

Two recordings of ten and twelve columns share two numbers. The information rises up to two codes per side, and is
flat from there on.
"""

import numpy as np

import mine

rng = np.random.default_rng(11)
shared = rng.normal(size=(1000, 2))
x = shared @ rng.normal(size=(2, 10)) + 0.5 * rng.normal(size=(1000, 10))
y = shared @ rng.normal(size=(2, 12)) + 0.5 * rng.normal(size=(1000, 12))

found = mine.shared_dimensions(x, y, max_dimensions=4, random_state=0)
print(found)
figure = found.plot()
