"""Families of distributions with known information; those with a dial take any value of it in nats."""
