"""
Rows in the order of time
=========================

Twenty pairs of unrelated series that remember their past. Treated as independent rows, many intervals exclude the
truth, which is 0. With ``order="time"`` the intervals know how long the series remember.
"""

import matplotlib.pyplot as plt
import numpy as np

import mine

rng = np.random.default_rng(7)
pairs = []
for _ in range(20):
    series, noise = np.zeros((2, 1000)), rng.normal(size=(2, 1000))
    for t in range(1, 1000):
        series[:, t] = 0.95 * series[:, t - 1] + noise[:, t]
    pairs.append(series)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), sharey=True, layout="constrained")
for axis, order, title in zip(axes, (None, "time"), ("rows taken as independent", 'order="time"'), strict=True):
    misses = 0
    for place, (x, y) in enumerate(pairs):
        low, high = mine.estimate(x, y, method="gaussian", order=order).interval
        missed = not low <= 0 <= high
        misses += missed
        axis.plot([place, place], [low, high], color="#d55e00" if missed else "#0072b2", lw=2)
    axis.axhline(0, color="black", lw=0.8)
    axis.set_title(f"{title}: {misses} of 20 miss 0", loc="left", fontsize=10)
    axis.set_xticks([])
axes[0].set_ylabel("95 % interval (nats)")
