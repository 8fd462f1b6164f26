"""
Rows that belong together
=========================

Forty patients with thirty visits each. A patient has a level of its own in both columns, and these levels are
unrelated. Without ``groups=`` the visits count as 1,200 independent rows, and the test finds a dependence that is not
there. With it, the patients are what counts.
"""

import matplotlib.pyplot as plt
import numpy as np

import mine

rng = np.random.default_rng(6)
patient = np.repeat(np.arange(40), 30)
x = rng.normal(size=40)[patient] + 0.3 * rng.normal(size=1200)
y = rng.normal(size=40)[patient] + 0.3 * rng.normal(size=1200)

wrong = mine.estimate(x, y, method="gaussian")
right = mine.estimate(x, y, method="gaussian", groups=patient)
p_wrong = mine.independence_test(x, y, random_state=0).p_value
p_right = mine.independence_test(x, y, groups=patient, random_state=0).p_value

figure, (axis, intervals) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
axis.scatter(x, y, c=patient, s=4, cmap="tab20")
axis.set_title("one colour a patient", loc="left", fontsize=10)
for place, (est, p) in enumerate([(wrong, p_wrong), (right, p_right)]):
    low, high = est.interval
    intervals.errorbar(place, est.value, yerr=[[est.value - low], [high - est.value]], fmt="o", capsize=4, color="#0072b2")
    intervals.text(place + 0.06, est.value, f"p = {p:.3f}")
intervals.axhline(0, color="black", lw=0.8)
intervals.set_xticks([0, 1], ["1,200 rows", "40 patients"])
intervals.set_xlim(-0.5, 1.7)
intervals.set_ylabel("nats")
