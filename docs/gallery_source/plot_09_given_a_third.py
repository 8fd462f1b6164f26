"""
Given a third variable
======================

Ice cream and drownings both follow the heat. Given the heat, one tells nothing about the other.
"""

import matplotlib.pyplot as plt
import numpy as np

import mine

rng = np.random.default_rng(5)
heat = rng.normal(size=1500)
ice = np.tanh(heat) + 0.3 * rng.normal(size=1500)
drowned = heat**3 / 3 + heat + 0.5 * rng.normal(size=1500)

plain = mine.estimate(ice, drowned, method="ksg", random_state=0)
given = mine.estimate(ice, drowned, heat, method="ksg", random_state=0)
test = mine.independence_test(ice, drowned, heat, random_state=0)
print(f"I(ice; drowned) = {plain.value:.2f} nats")
print(f"I(ice; drowned | heat) = {given.value:.2f} nats, test given the heat: {test}")

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), width_ratios=[3, 2], layout="constrained")
dots = left.scatter(ice, drowned, c=heat, s=5, cmap="coolwarm")
left.set_xlabel("ice cream")
left.set_ylabel("drownings")
figure.colorbar(dots, ax=left, label="heat")
values, ends = [plain.value, given.value], np.array([plain.interval, given.interval])
right.bar(["alone", "given the heat"], values, yerr=np.abs(ends.T - values), color=["#d55e00", "#0072b2"], capsize=4)
right.axhline(0, color="black", lw=0.8)
right.set_ylabel("nats")
