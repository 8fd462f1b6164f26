"""
A label and a number
====================

How much does the variety of a wine tell about its colour? Labels and numbers go into the same function; the interval
never exceeds the entropy of the label.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

import mine

wine = load_wine(as_frame=True)
variety = np.array(["first", "second", "third"])[wine.target]
colour = wine.data["color_intensity"]

est = mine.estimate(variety, colour, random_state=0, unit="bits")
print(est)

names = np.unique(variety)
figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
axis.violinplot([colour[variety == name] for name in names], showmedians=True)
axis.set_xticks(range(1, 4), names)
axis.set_xlabel("variety")
axis.set_ylabel("intensity of the colour")
axis.set_title(f"{est.value:.2f} of {np.log2(3):.2f} bits", loc="left")
