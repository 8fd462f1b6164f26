"""Training that resumes where a killed process left it."""

from __future__ import annotations

import io
import pickle
import time
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from mine.storage.files import write_whole
from mine.storage.seals import checked_data, sealed_data

__all__ = ["Checkpoint"]


class Checkpoint:
    """One file with the state of a training loop, replaced every so often and whole at any moment.

    Arguments:
        path: The file.
        every_seconds: How much work a kill may lose.

    Example:
        >>> from pathlib import Path
        >>> checkpoint = Checkpoint(Path("checkpoint.pt"))
        >>> checkpoint.load() is None
        True
        >>> checkpoint.save({"step": 3, "weights": torch.ones(2)})
        >>> checkpoint.load()["step"]
        3
    """

    def __init__(self, path: Path, every_seconds: float = 20.0) -> None:
        self.path = path
        self.every_seconds = every_seconds
        self.saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state last saved, its tensors on the CPU; None where there is none, or it is damaged."""
        import torch

        try:
            return torch.load(io.BytesIO(checked_data(self.path.read_bytes())), map_location="cpu", weights_only=True)
        except (OSError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError, BadZipFile):
            return None

    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self.saved >= self.every_seconds

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file; tensors, numbers, strings, lists and dictionaries of them."""
        import torch

        content = io.BytesIO()
        torch.save(state, content)
        write_whole(self.path, lambda stream: stream.write(sealed_data(content.getvalue())))
        self.saved = time.monotonic()

    def remove(self) -> None:
        """Delete the file, the work being done."""
        self.path.unlink(missing_ok=True)
