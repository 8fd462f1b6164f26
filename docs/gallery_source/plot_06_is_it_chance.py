"""
Is it chance?
=============

A weak dependence among 300 rows. The test permutes y: under independence p is at most 0.05 in one of twenty tables.
The histogram shows p-values of 60 tables without dependence and of 60 with it.
"""

import matplotlib.pyplot as plt
import numpy as np

import mine

rng = np.random.default_rng(2)


def p_value(strength: float) -> float:
    x, noise = rng.normal(size=(2, 300))
    return mine.independence_test(x, strength * x**2 + noise, n_permutations=199, random_state=0).p_value


unrelated, related = ([p_value(strength) for _ in range(60)] for strength in (0.0, 0.2))

figure, axis = plt.subplots(figsize=(6, 3.2), layout="constrained")
bins = np.linspace(0, 1, 21)
axis.hist(unrelated, bins, alpha=0.6, label="no dependence")
axis.hist(related, bins, alpha=0.6, label="y = 0.2 x² + noise")
axis.axvline(0.05, color="black", lw=1, ls=":")
axis.set_xlabel("p-value")
axis.set_ylabel("tables of 60")
axis.legend()
without, found = (np.mean(np.array(p) <= 0.05) for p in (unrelated, related))
print(f"rejected at 5 %: {without:.0%} without dependence, {found:.0%} with it")
