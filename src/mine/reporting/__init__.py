"""Figures, and the HTML report on a whole table."""
