"""
Are these enough rows?
======================

Estimates from a half, a quarter and an eighth of the rows, against one over the number of rows. A straight line is
extrapolated to infinitely many rows.
"""

import numpy as np

import mine

rng = np.random.default_rng(3)
latent = rng.normal(size=(1600, 2))
x = latent + 0.5 * rng.normal(size=(1600, 2))
y = latent + 0.5 * rng.normal(size=(1600, 2))

check = mine.sample_size_check(x, y, method="ksg", random_state=0)
print(check)
figure = check.plot()
