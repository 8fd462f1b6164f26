"""
A neuron and its stimulus
=========================

A neuron fires most for one direction of a grating. How many bits do its spikes within half a second tell about the
direction?
"""

import matplotlib.pyplot as plt
import numpy as np

import mine

rng = np.random.default_rng(10)
directions = np.arange(0, 360, 45)
shown = rng.integers(0, 8, 1600)
rates = 2 + 30 * np.exp(2 * (np.cos(np.deg2rad(directions - 90)) - 1))
counts = rng.poisson(0.5 * rates[shown])
times = np.sort(np.repeat(0.5 * np.arange(1600), counts) + rng.uniform(0, 0.5, counts.sum()))

windows = mine.spikes(times, window=0.5, start=0.0, stop=800.0)
est = mine.estimate(windows, directions[shown].astype(str), unit="bits", random_state=0)
print(est)

figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
axis.boxplot([counts[shown == k] for k in range(8)], tick_labels=[f"{angle}°" for angle in directions], showfliers=False)
axis.set_xlabel("direction of the grating")
axis.set_ylabel("spikes in half a second")
axis.set_title(f"{est.value:.2f} of {np.log2(8):.0f} bits", loc="left")
