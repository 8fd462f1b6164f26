"""What is built on estimates: whole tables, tests, selections."""
