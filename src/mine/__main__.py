"""``python -m mine``."""

from mine.cli.app import main

if __name__ == "__main__":
    main()
