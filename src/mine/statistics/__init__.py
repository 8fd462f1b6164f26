"""What is built on estimates and critics: tests, conditional information, divergences."""
