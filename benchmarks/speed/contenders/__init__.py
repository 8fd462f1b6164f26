"""One training loop each, run in a process of its own: reads a race as JSON, prints its seconds a step as JSON."""
