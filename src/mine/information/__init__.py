"""Quantities that are built from estimates: total correlation, transfer entropy, divergences."""
