"""Whole tables: every pair of columns, and the selection of features."""
