"""The tasks, one family a file: each module here has ``TASKS``, a tuple of :class:`mine.tasks.Task`."""
