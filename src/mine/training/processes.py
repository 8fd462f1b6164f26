"""One critic trained by several processes, connected by Lightning Fabric.

Every rank draws the same joined batch, encodes its own share of the rows and scores its own rows of x against the y of all
ranks. The scores are gathered and the bound is computed on all of them, for the logarithm of a mean is not the mean of
logarithms. A step is then, up to rounding, the step that one process takes on the joined batch.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mine.bounds import Bound
from mine.critics.critic import Critic, Encoding, map_encoding
from mine.critics.metric import off_diagonal
from mine.critics.pairs import score_matrix_of
from mine.data.variable import Variable
from mine.errors import InputError
from mine.sampling import shifted_partners
from mine.training.gather import Rows, copy_from_first_rank, gather_rows

__all__ = ["ProcessGroup", "SharedStep"]

T = TypeVar("T")

#: What is used of a ``lightning.fabric.Fabric``.
_NEEDED = ("launch", "barrier", "broadcast", "all_reduce", "device", "world_size", "global_rank")
#: Rows by which the ranks' data are compared.
_COMPARED_ROWS = 1000


class ProcessGroup:
    """The processes of a launched Fabric: this one's place among them, and what they tell each other.

    Arguments:
        fabric: A ``lightning.fabric.Fabric``, launched.

    Raises:
        InputError: It is no Fabric, or not launched.
    """

    def __init__(self, fabric: Any) -> None:
        missing = [name for name in _NEEDED if not hasattr(type(fabric), name)]
        if missing:
            raise InputError(
                f"fabric must be a launched lightning.fabric.Fabric (extra 'lightning'), got {type(fabric).__name__}: "
                "pass for example fabric = Fabric(devices=2, strategy='ddp'), after fabric.launch()."
            )
        connected = torch.distributed.is_available() and torch.distributed.is_initialized()
        if not connected:
            try:
                fabric.barrier()  # one that is not launched still counts one process
            except RuntimeError as error:
                raise InputError("fabric is not launched: call fabric.launch() before mine.estimate.") from error
        self.fabric = fabric
        self.size, self.rank, self.device = int(fabric.world_size), int(fabric.global_rank), str(fabric.device)
        if self.size > 1 and not connected:
            raise InputError(f"The {self.size} processes of fabric share no torch.distributed: make it with strategy='ddp'.")

    @property
    def first(self) -> bool:
        return self.rank == 0

    def even(self, rows: int) -> int:
        """The largest multiple of the number of ranks up to ``rows``.

        Raises:
            InputError: It is 0, or leaves nothing to shuffle.
        """
        even = rows - rows % self.size
        if even < 2:
            raise InputError(f"A batch of {rows} rows cannot be shared by {self.size} processes: take fewer, or more rows.")
        return even

    def share(self, rows: int) -> slice:
        """This rank's part of a joined batch of ``rows`` rows, a multiple of the number of ranks."""
        own = rows // self.size
        return slice(self.rank * own, (self.rank + 1) * own)

    def gather(self, own: Tensor, dim: int) -> Tensor:
        """The equally long ``own`` of all ranks along ``dim``; backward adds up what all ranks ask of a row."""
        if self.size == 1:
            return own
        n = own.shape[dim]
        joined = gather_rows(own.movedim(dim, 0).contiguous(), Rows([n] * self.size, self.rank * n))
        return joined.movedim(0, dim)

    def gather_encoding(self, own: Encoding, dim: int) -> Encoding:
        """:meth:`gather` of all tensors of an encoding, (*stack, b, ...), in one message."""
        parts: list[Tensor] = []

        def note(part: Tensor) -> Tensor:
            parts.append(part)
            return part

        map_encoding(note, own)
        by_row = [part.movedim(dim, 0) for part in parts]
        flat = [part.reshape(len(part), -1) for part in by_row]
        joined = self.gather(torch.cat(flat, 1), 0).split([part.shape[1] for part in flat], 1)
        gathered = (
            rows.to(part.dtype).reshape(len(rows), *part.shape[1:]).movedim(0, dim)
            for rows, part in zip(joined, by_row, strict=True)
        )
        return map_encoding(lambda _: next(gathered), own)

    def add_up(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their sum over the ranks, in one message."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        if self.size == 1 or not gradients:
            return
        total = self.fabric.all_reduce(torch.cat([g.reshape(-1) for g in gradients]), reduce_op="sum")
        for gradient, part in zip(gradients, total.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def same(self, value: T) -> T:
        """The first rank's ``value``, on every rank."""
        return self.fabric.broadcast(value) if self.size > 1 else value

    def same_tensor(self, value: Tensor) -> Tensor:
        """The first rank's ``value``, on this rank's device."""
        return self.same(value.cpu()).to(value.device) if self.size > 1 else value

    def same_weights(self, critic: nn.Module) -> None:
        """Give ``critic`` the first rank's weights."""
        copy_from_first_rank(critic)

    def check_same(self, sides: Sequence[Variable], groups: np.ndarray | None) -> None:
        """That all ranks were given the same rows, by a checksum of a thousand.

        Raises:
            InputError: They were not.
        """
        own = _checksum(sides, groups)
        seen = torch.zeros(self.size, dtype=torch.int64, device=self.device)
        seen[self.rank] = own
        if self.size > 1 and len(set(self.fabric.all_reduce(seen, reduce_op="sum").tolist())) > 1:
            raise InputError(
                "The processes of fabric were given different data: each needs all rows, in the same order. Seed what is drawn."
            )


def _checksum(sides: Sequence[Variable], groups: np.ndarray | None) -> int:
    checksum = 0
    for side in sides:
        rows = np.linspace(0, len(side) - 1, min(len(side), _COMPARED_ROWS)).astype(np.int64)
        some = side.take(rows)
        checksum = zlib.crc32(repr((len(side), side.columns, side.levels, some.discrete.tolist())).encode(), checksum)
        checksum = zlib.crc32(np.ascontiguousarray(some.flat).tobytes(), checksum)
    return checksum if groups is None else zlib.crc32(np.ascontiguousarray(groups).tobytes(), checksum)


class SharedStep:
    """The gradient of one step, shared by the ranks.

    Arguments:
        critic: The critic; every rank has the same weights.
        processes: The processes.
        all_pairs: Take every pair of the batch, for a critic that has ``all_pairs``.
        bf16: Score under bfloat16 autocast; the bound stays in float32.
    """

    def __init__(self, critic: Critic, processes: ProcessGroup, *, all_pairs: bool = False, bf16: bool = False) -> None:
        self.critic, self.processes, self.bf16 = critic, processes, bf16
        self.score_matrix = score_matrix_of(critic) if all_pairs else None
        self.trainable = [p for p in critic.parameters() if p.requires_grad]

    def step(
        self, bound: Bound, x: Tensor, y: Tensor, shifts: Sequence[int], state: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Put the gradient of ``bound``'s loss on the joined batch into every parameter's ``grad``.

        Arguments:
            bound: The bound whose loss is minimised.
            x: This rank's rows of x, shape ``(*stack, b, ...)``, as many on every rank.
            y: Its rows of y.
            shifts: K shifts; shift s pairs row i of the joined batch with y of row i + s.
            state: What the bound handed on at the last step.

        Returns:
            The bound on the joined batch (nats), shape ``(*stack,)``, and its state: the same on every rank.
        """
        for p in self.trainable:
            p.grad = None
        dim = len(self.critic.stack)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            scores = self._own_scores(x, y, shifts, dim)
        joined = self.processes.gather(scores.detach(), dim)
        joined = joined.to(torch.promote_types(joined.dtype, torch.float32)).requires_grad_()
        loss, value, state = bound(*self._joint_and_marginal(joined), state)
        (slopes,) = torch.autograd.grad(loss.sum(), joined)
        own = self.processes.share(joined.shape[dim])
        scores.backward(slopes.narrow(dim, own.start, own.stop - own.start).to(scores.dtype))
        self.processes.add_up(self.trainable)
        return value.detach(), None if state is None else state.detach()

    def _own_scores(self, x: Tensor, y: Tensor, shifts: Sequence[int], dim: int) -> Tensor:
        """Scores of own rows of x: with every y (*stack, b, B), or with their own and that of each shift (*stack, b, 1 + K)."""
        hx = self.critic.encode_x(x)
        all_y = self.processes.gather_encoding(self.critic.encode_y(y), dim)
        if self.score_matrix is not None:
            return self.score_matrix(hx, all_y)
        own, total = x.shape[dim], x.shape[dim] * self.processes.size
        rows = torch.arange(own, device=x.device) + self.processes.rank * own
        partners = shifted_partners(rows, [0, *shifts], total).flatten()
        scores = self.critic.combine(
            map_encoding(lambda h: torch.cat([h] * (len(shifts) + 1), dim), hx),
            map_encoding(lambda h: h.index_select(dim, partners), all_y),
        )
        return scores.unflatten(dim, (len(shifts) + 1, own)).movedim(dim, -1)

    def _joint_and_marginal(self, joined: Tensor) -> tuple[Tensor, Tensor]:
        if self.score_matrix is None:
            return joined[..., 0], joined[..., 1:]
        return joined.diagonal(dim1=-2, dim2=-1), off_diagonal(joined)
