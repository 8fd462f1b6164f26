"""Permutation tests of independence."""
