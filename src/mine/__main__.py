"""``python -m mine``."""

import os
import sys


def _without_working_directory() -> None:
    """Python puts the working directory first, in which anything may lie; it stays only if the package itself does.

    It runs before anything else is imported here, and uses no module that Python has not imported itself.
    """
    package = os.path.dirname(os.path.abspath(__file__))
    if not sys.flags.safe_path and sys.path[0] == os.getcwd() != os.path.dirname(package):
        del sys.path[0]


if __name__ == "__main__":
    _without_working_directory()
    from mine.cli.app import main

    main()
