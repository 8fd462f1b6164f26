"""
A first estimate
================

A sine with noise: the correlation is near 0, the mutual information is 0.86 nats. The figure of an estimate shows the
value with its 95 % interval, the training of the critic, and what each row contributes.
"""

import numpy as np

import mine

rng = np.random.default_rng(0)
x = rng.normal(size=1000)
y = np.sin(3 * x) + 0.3 * rng.normal(size=1000)

est = mine.estimate(x, y, random_state=0)
print(f"correlation {np.corrcoef(x, y)[0, 1]:.2f}")
print(est)
figure = est.plot()
