"""Conditional mutual information: the chain rule, and one critic on exchanged rows."""
