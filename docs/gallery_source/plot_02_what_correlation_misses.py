"""
What correlation misses
=======================

Four pairs of columns: the correlation sees the line only. The information sees every shape of dependence, and its
interval contains 0 where there is none.
"""

import matplotlib.pyplot as plt
import numpy as np

import mine

rng = np.random.default_rng(1)
n = 800
u, noise = rng.uniform(-1, 1, n), rng.normal(size=n)
angle = rng.uniform(0, 2 * np.pi, n)
shapes = {
    "line": (u, u + 0.4 * noise),
    "parabola": (u, u**2 + 0.15 * noise),
    "circle": (np.cos(angle) + 0.1 * noise, np.sin(angle) + 0.1 * rng.normal(size=n)),
    "independent": (u, noise),
}

figure, axes = plt.subplots(1, 4, figsize=(11, 3.2), layout="constrained")
for axis, (name, (x, y)) in zip(axes, shapes.items(), strict=True):
    est = mine.estimate(x, y, method="ksg", random_state=0)
    low, high = est.interval
    axis.scatter(x, y, s=4, alpha=0.5)
    correlation = np.corrcoef(x, y)[0, 1]
    axis.set_title(f"{name}\ncorrelation {correlation:+.2f}\n{est.value:.2f} nats [{low:.2f}, {high:.2f}]", fontsize=9)
    axis.set_xticks([])
    axis.set_yticks([])
