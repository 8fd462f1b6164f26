"""``python -m mine``."""

from mine.cli import main

if __name__ == "__main__":
    main()
