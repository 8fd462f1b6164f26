"""How much of the information passes a bottleneck of each width."""
