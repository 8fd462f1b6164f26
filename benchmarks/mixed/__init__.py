"""Random tables of the kinds that people bring, most of them with known information."""
