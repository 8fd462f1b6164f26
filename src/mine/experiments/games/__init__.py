"""Generative adversarial networks with an information term."""
