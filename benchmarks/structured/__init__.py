"""The suite ``structured``: entrants of the benchmark, and the command that writes its table and figure."""
