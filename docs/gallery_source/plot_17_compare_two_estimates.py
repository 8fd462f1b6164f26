"""
Is one column better than another?
==================================

Two columns about the same diagnosis, measured on the same rows. The difference of two estimates is an estimate too,
with an interval and a p-value; what both share of the sampling error cancels.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import mine
from mine.datasets import example_path

table = pd.read_csv(example_path("breast-cancer"))
first = mine.estimate(table["mean concave points"], table["diagnosis"], random_state=0)
second = mine.estimate(table["mean compactness"], table["diagnosis"], random_state=0)
difference = first.difference(second)
print(difference)

names = ["concave points", "compactness", "difference"]
found = [first, second, difference]
values, ends = np.array([est.value for est in found]), np.array([est.interval for est in found])
figure, axis = plt.subplots(figsize=(6, 3.2), layout="constrained")
axis.errorbar(values, names, xerr=np.abs(ends.T - values), fmt="o", capsize=4, color="#0072b2")
axis.axvline(0, color="black", lw=0.8)
axis.invert_yaxis()
axis.set_xlabel("information about the diagnosis (nats)")
