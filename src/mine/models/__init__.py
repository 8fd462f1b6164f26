"""Models built on mutual information."""

from mine.models.mine import Mine as Mine

__all__ = ["Mine"]
