"""Sides of about 64 columns and more: a few numbers are made of each, and several ways to make them compete."""
