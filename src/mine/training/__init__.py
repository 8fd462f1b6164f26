"""The one training loop, on one process or several."""
