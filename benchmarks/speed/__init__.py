"""How fast the library trains: against other loops, against the machine, and against size."""
