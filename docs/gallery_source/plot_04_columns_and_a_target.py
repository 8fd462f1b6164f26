"""
Which columns tell about a target?
==================================

Ten measurements of a cell against its diagnosis, each with its interval. No more than the entropy of the diagnosis
can be known.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import mine
from mine.datasets import example_path

table = pd.read_csv(example_path("breast-cancer"))
columns = [name for name in table if name.startswith("mean ")]
pairs = mine.pairwise(table[[*columns, "diagnosis"]], "diagnosis", random_state=0).sort_values("value")

share = table["diagnosis"].value_counts(normalize=True)
entropy = -(share * np.log(share)).sum()

figure, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
reach = [pairs["value"] - pairs["low"], pairs["high"] - pairs["value"]]
axis.barh(pairs["x"], pairs["value"], xerr=reach, color="#56b4e9", ecolor="#444444", capsize=2)
axis.axvline(entropy, color="#d55e00", lw=1.5, label="entropy of the diagnosis")
axis.set_xlabel("information about the diagnosis (nats)")
axis.legend(loc="lower right")
