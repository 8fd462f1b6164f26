"""Series in the order of time: windows, information against lag, and who drives whom in a table."""
