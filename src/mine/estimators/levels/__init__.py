"""Labels of many levels on one side, numbers on the other: random effects."""
