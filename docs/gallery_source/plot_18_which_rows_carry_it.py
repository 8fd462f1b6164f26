"""
Which rows carry the information?
=================================

Pointwise information of every row, by a critic that never saw that row: high where x and y go together more than by
chance, below 0 where they contradict what the others show.
"""

import matplotlib.pyplot as plt
import numpy as np

import mine

rng = np.random.default_rng(12)
x = rng.normal(size=1500)
y = np.where(x > 0, x + 0.2 * rng.normal(size=1500), rng.normal(size=1500))  # the right half is tied together, the left is not

est = mine.estimate(x, y, effort="fast", random_state=0)
rows = est.pointwise()
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
dots = axis.scatter(x, y, c=rows, s=6, cmap="coolwarm", vmin=-2, vmax=2)
axis.set_xlabel("x")
axis.set_ylabel("y")
axis.set_title(f"{est.value:.2f} nats on average", loc="left")
figure.colorbar(dots, label="information of the row (nats)")
