"""
Information against lag
=======================

The price follows the load after four rows, and not in a straight line. Filled points stand out for all lags together;
the grey band is what unrelated series of such memory show.
"""

import numpy as np

import mine

rng = np.random.default_rng(8)
load, price = np.zeros((2, 1000))
noise = rng.normal(size=(2, 1000))
for t in range(4, 1000):
    load[t] = 0.6 * load[t - 1] + noise[0, t]
    price[t] = 0.5 * price[t - 1] + 0.4 * load[t - 4] ** 2 + noise[1, t]

scan = mine.lag_scan(load, price, 8, method="ksg", random_state=0)
print(scan)
figure = scan.plot()
