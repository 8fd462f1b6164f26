"""The old place of :mod:`mine.reporting`; its documented names warn and work until 0.4."""
