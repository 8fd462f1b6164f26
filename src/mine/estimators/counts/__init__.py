"""Mutual information between two columns of labels, from the counts of their contingency table."""
