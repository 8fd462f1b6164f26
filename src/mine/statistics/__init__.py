"""What is built on estimates and critics: whole tables, tests, selections, conditional information, divergences."""
