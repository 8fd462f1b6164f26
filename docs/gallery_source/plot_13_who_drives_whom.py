"""
Who drives whom?
================

Transfer entropy of every ordered pair of four series: a drives b, b drives c, and d stands alone. Grey pairs are not
told from chance.
"""

import numpy as np
import pandas as pd

import mine

rng = np.random.default_rng(9)
a, b, c, d = rng.normal(size=(4, 1000))
b[1:] += 0.8 * a[:-1]
c[1:] += 0.8 * b[:-1]

table = mine.transfer_table(pd.DataFrame({"a": a, "b": b, "c": c, "d": d}), method="gaussian", random_state=0)
print(table)
figure = table.plot()
