"""The random numbers of torch, kept and put back."""

from __future__ import annotations

import torch

__all__ = ["random_states", "set_random_states"]


def random_states(device: torch.device) -> list[torch.Tensor]:
    """States of torch's global generators: of the CPU, and of the device unless it is capturing a graph."""
    states = [torch.get_rng_state()]
    if device.type == "cuda" and not torch.cuda.is_current_stream_capturing():
        states.append(torch.cuda.get_rng_state(device))
    return states


def set_random_states(states: list[torch.Tensor], device: torch.device) -> None:
    """Put back what :func:`random_states` gave."""
    torch.set_rng_state(states[0])
    for state in states[1:]:
        torch.cuda.set_rng_state(state, device)
