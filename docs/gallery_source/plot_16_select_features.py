"""
Select features
===============

Ten of thirty columns for a classifier. ``"relevance"`` takes near copies of one another; ``"mrmr"`` avoids what is
known already.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mine

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
sizes = [1, 2, 3, 5, 8]
figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
for criterion in ("relevance", "mrmr"):
    accuracy = []
    for size in sizes:
        selector = mine.MutualInfoSelector(size, criterion=criterion, random_state=0)
        model = make_pipeline(selector, StandardScaler(), LogisticRegression())
        accuracy.append(cross_val_score(model, X, y, cv=3).mean())
    axis.plot(sizes, accuracy, "o-", label=criterion)
axis.set_xlabel("features kept")
axis.set_ylabel("accuracy, three folds")
axis.legend(loc="lower right")
