"""Forward and backward passes of small networks without autograd, in buffers that the next step uses again.

Autograd records every operation, and each step allocates what the last one freed. For the small networks that critics are,
this costs more than the matrix products do.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mine.critics.networks import MLP

__all__ = ["FusedLayers", "Gradients", "add_product", "product"]

_relu_backward: Any = torch.ops.aten.threshold_backward.grad_input  # one pass; multiplying by a mask takes ten times as long


class Gradients:
    """The gradients of a model's trainable parameters: tensors that every step writes over, so none needs ``zero_grad``."""

    def __init__(self, model: nn.Module) -> None:
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.tensors = [torch.zeros_like(p) for p in self.parameters]
        self._by_parameter = dict(zip(map(id, self.parameters), self.tensors, strict=True))

    def of(self, parameter: Tensor) -> Tensor:
        """The gradient of ``parameter``."""
        return self._by_parameter[id(parameter)]

    def attach(self) -> None:
        """Make each tensor its parameter's ``grad``, if something has dropped it since."""
        for p, gradient in zip(self.parameters, self.tensors, strict=True):
            p.grad = gradient


class FusedLayers:
    """The layers of an :class:`~mine.critics.networks.MLP` with ReLU, stacked once or not at all.

    Arguments:
        network: The network; its weights are read anew in each pass.
        gradients: Where :meth:`backward` writes, those of a model that contains the network.
    """

    def __init__(self, network: MLP, gradients: Gradients) -> None:
        layers: Any = network.layers
        self.layers: list[tuple[Tensor, Tensor]] = [(layer.weight, layer.bias) for layer in layers]
        self.slopes = [(gradients.of(weight), gradients.of(bias)) for weight, bias in self.layers]
        self.activate_first = network.activate_first
        self.rows = 0
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.input_slopes: list[Tensor | None] = []

    def prepare(self, rows: int) -> None:
        """Buffers for this number of rows, kept until it changes."""
        if self.rows == rows:
            return
        self.rows = rows

        def empty(width: int) -> Tensor:
            like = self.layers[0][0]
            return like.new_empty(*like.shape[:-2], rows, width)

        self.outputs = [empty(weight.shape[-1]) for weight, _ in self.layers]
        activated = [i > 0 or self.activate_first for i in range(len(self.layers))]
        widths = [weight.shape[-2] for weight, _ in self.layers]
        self.input_slopes = [empty(width) if needed else None for width, needed in zip(widths, activated, strict=True)]

    def forward(self, h: Tensor) -> Tensor:
        """The output for ``h`` (*stack, rows, width), a buffer; ``h`` is overwritten by its activations if these come first."""
        self.inputs = []
        for i, ((weight, bias), out) in enumerate(zip(self.layers, self.outputs, strict=True)):
            if i or self.activate_first:
                h.relu_()
            self.inputs.append(h)
            add_product(bias, h, weight, out)
            h = out
        return h

    def backward(self, above: Tensor) -> Tensor:
        """Write the gradients of all layers, given the slopes ``above`` of the last output.

        Returns the slopes of the input of :meth:`forward` before its activation; of the second layer's, if none comes first.
        """
        for (weight, _), (by_weight, by_bias), h, below in zip(
            reversed(self.layers), reversed(self.slopes), reversed(self.inputs), reversed(self.input_slopes), strict=True
        ):
            torch.sum(above, -2, keepdim=True, out=by_bias)
            if above.shape[-1] == 1:
                product(above.mT, h, by_weight.mT)  # a row times a matrix: ten times as fast as a matrix times a column
            else:
                product(h.mT, above, by_weight)
            if below is None:
                break
            if above.shape[-1] == 1:
                torch.mul(above, weight.mT, out=below)
            else:
                product(above, weight.mT, below)
            _relu_backward(below, h, 0, grad_input=below)
            above = below
        return above


def add_product(bias: Tensor, x: Tensor, weight: Tensor, out: Tensor) -> None:
    """``bias + x @ weight`` into ``out``, for matrices or stacks of them."""
    multiply = torch.baddbmm if weight.ndim == 3 else torch.addmm
    if weight.shape[-1] == 1:
        multiply(bias, weight.mT, x.mT, out=out.mT)  # as a row: five times as fast as a column
    else:
        multiply(bias, x, weight, out=out)


def product(a: Tensor, b: Tensor, out: Tensor) -> None:
    """``a @ b`` into ``out``, for matrices or stacks of them."""
    (torch.bmm if b.ndim == 3 else torch.mm)(a, b, out=out)
