"""``python -m mine``."""

import os
import sys
from pathlib import Path

import mine


def _without_working_directory() -> None:
    """Python puts the working directory first, in which anything may lie; it stays only if the package itself does."""
    if not sys.flags.safe_path and sys.path[0] == os.getcwd() and Path(mine.__file__).parents[1] != Path.cwd():
        del sys.path[0]


if __name__ == "__main__":
    _without_working_directory()
    from mine.cli.app import main

    main()
