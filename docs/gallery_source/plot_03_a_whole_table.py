"""
A whole table
=============

Every pair of columns of a table, numbers and labels alike. Pairs that a permutation test does not tell from chance
are grey.
"""

import pandas as pd

import mine
from mine.datasets import example_path
from mine.reporting.matrix import plot_pairwise

table = pd.read_csv(example_path("diabetes"))
pairs = mine.pairwise(table, test=True, random_state=0)
strongest = pairs.sort_values("value", ascending=False).head(5)
print(strongest[["x", "y", "value", "low", "high", "q"]].round(2).to_string(index=False))
figure = plot_pairwise(pairs.to_dict("list"))
