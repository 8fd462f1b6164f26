"""A Lightning callback that logs the information of layers about the input and the target while a network trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from mine.api import estimate
from mine.errors import InputError, MineError, UnknownNameError

__all__ = ["LayerInformation", "MutualInformationCallback"]


@dataclass(frozen=True)
class LayerInformation:
    """One logged number.

    Attributes:
        epoch: Epoch in which it was read, from 0.
        layer: Name of the layer.
        target: ``"x"`` or ``"y"``.
        value: Estimate (nats); 0 where ``flag`` is ``"constant"``, NaN where there was an error.
        stderr: Its standard error.
        n: Rows used.
        flag: Empty, ``"constant"`` (the layer, or its partner, did not vary over the rows) or the message of an error.
    """

    epoch: int
    layer: str
    target: str
    value: float
    stderr: float
    n: int
    flag: str = ""


@dataclass
class _Rows:
    """Rows collected in one validation epoch."""

    layers: dict[str, list[np.ndarray]] = field(default_factory=dict)
    targets: dict[str, list[np.ndarray]] = field(default_factory=dict)
    n: int = 0


class MutualInformationCallback(Callback):
    """Logs I(layer; x) and I(layer; y), in nats, of named layers at the end of a validation epoch.

    The layers' outputs are caught by forward hooks during the validation that takes place anyway: rows the network did not
    train on, no pass more. Logged as ``mi/LAYER/x`` and ``mi/LAYER/y``, with ``mi/LAYER/constant`` 1 where a layer's output
    does not vary (its information is then 0). ``history`` keeps everything, standard errors included.

    A layer without noise is a function of x, and its information on a continuous x infinite. So Gaussian noise of ``noise``
    times the layer's standard deviation is added: the numbers describe the noisy layer, and compare across epochs, not
    with other noise.

    ``history`` is part of Lightning's checkpoints, so a resumed run keeps the values of the epochs before.

    With several processes the first one reads its own rows and logs. An estimate that fails warns, is logged as NaN and does
    not stop the training.

    References:
        Shwartz-Ziv & Tishby, 2017 (arXiv 1703.00810); Saxe et al., 2018, on the noise.

    Arguments:
        layers: Names as in ``dict(model.named_modules())``.
        every_n_epochs: Epochs from one reading to the next at least. The first validation is read, and then the first one that
            is so many epochs later, whatever ``check_val_every_n_epoch`` is.
        max_rows: Validation rows to read at most; the first ones.
        noise: Standard deviation of the noise, as a share of the layer's; 0 for layers that are noisy by themselves.
        unpack: Function from a validation batch to (x, y), or to (x, None); None takes the first two of a tuple or list.
        method: Method of :func:`mine.estimate`; ``"ksg"`` is fast for layers of few units.
        random_state: Seed of the noise and of the estimates.
        **options: Further arguments of :func:`mine.estimate`.

    Example:
        >>> callback = MutualInformationCallback(["encoder.0", "encoder.2"], method="ksg", every_n_epochs=5)
        >>> callback.history
        []
    """

    def __init__(
        self,
        layers: Iterable[str],
        *,
        every_n_epochs: int = 1,
        max_rows: int = 2000,
        noise: float = 0.1,
        unpack: Callable[[Any], tuple[Tensor, Tensor | None]] | None = None,
        method: str = "auto",
        random_state: int = 0,
        **options: Any,
    ) -> None:
        super().__init__()
        self.layers = [layers] if isinstance(layers, str) else list(layers)
        if not self.layers:
            raise InputError("layers is empty: name the layers to watch, as in dict(model.named_modules()).")
        if every_n_epochs < 1 or max_rows < 20 or noise < 0:
            raise InputError(
                "every_n_epochs must be at least 1, max_rows at least 20 and noise at least 0, got "
                f"{every_n_epochs}, {max_rows} and {noise}."
            )
        self.every_n_epochs, self.max_rows, self.noise = every_n_epochs, max_rows, noise
        self.unpack, self.method, self.random_state, self.options = unpack, method, random_state, options
        self.history: list[LayerInformation] = []
        self._hooks: list[Any] = []
        self._outputs: dict[str, Tensor] = {}
        self._rows = _Rows()
        self._last_epoch: int | None = None

    # === Lightning's events ===

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._modules(pl_module)

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._release()
        self._rows = _Rows()
        modules = self._modules(pl_module)
        if trainer.sanity_checking or not self._is_due(trainer.current_epoch) or not trainer.is_global_zero:
            return
        for name in self.layers:
            self._hooks.append(modules[name].register_forward_hook(self._catcher(name)))

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        if not self._hooks or dataloader_idx or self._rows.n >= self.max_rows:
            self._outputs.clear()
            return
        x, y = self._pair(batch)
        missing = [name for name in self.layers if name not in self._outputs]
        if missing:
            raise MineError(f"Layer {missing[0]!r} was not called in the validation step: watch layers that validation uses.")
        for name in self.layers:
            rows = self._outputs[name]
            if len(rows) != len(x):
                raise MineError(
                    f"Layer {name!r} gave {len(rows)} rows for {len(x)} rows of x: watch layers that give one row an example, "
                    "or pass unpack=."
                )
            self._rows.layers.setdefault(name, []).append(_array(rows))
        for target, rows in (("x", x), ("y", y)):
            if rows is not None:
                self._rows.targets.setdefault(target, []).append(_array(rows))
        self._rows.n += len(x)
        self._outputs.clear()

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        watching = bool(self._hooks)
        self._release()
        if not watching or not self._rows.n:
            return
        with torch.inference_mode(False), torch.enable_grad():  # critics are trained here
            entries = list(self._read(trainer.current_epoch))
        self._rows = _Rows()
        self._last_epoch = trainer.current_epoch
        self.history += entries
        for entry in entries:
            pl_module.log(f"mi/{entry.layer}/{entry.target}", entry.value, rank_zero_only=True)
        for name in self.layers:
            constant = any(entry.flag == "constant" for entry in entries if entry.layer == name)
            pl_module.log(f"mi/{name}/constant", float(constant), rank_zero_only=True)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._release()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._release()
        if not self.history and trainer.is_global_zero:
            rank_zero_warn(
                "MutualInformationCallback read nothing: it reads validation batches. Give the trainer a validation loader, "
                "or lower every_n_epochs."
            )

    # === checkpoints ===

    def state_dict(self) -> dict[str, Any]:
        """The readings so far, for Lightning's checkpoints."""
        return {"history": [asdict(entry) for entry in self.history], "last_epoch": self._last_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after the readings of a checkpoint."""
        self.history = [LayerInformation(**entry) for entry in state_dict["history"]]
        self._last_epoch = state_dict["last_epoch"]

    # === what it does ===

    def _modules(self, pl_module: LightningModule) -> dict[str, nn.Module]:
        """The network's modules by name, among them all that are watched."""
        modules: dict[str, nn.Module] = dict(pl_module.named_modules())
        for name in self.layers:
            if name not in modules or not name:
                raise UnknownNameError("layer", name, [known for known in modules if known])
        return modules

    def _is_due(self, epoch: int) -> bool:
        """Whether a validation in this epoch is read; several validations of one epoch all are."""
        last = self._last_epoch
        return last is None or not last < epoch < last + self.every_n_epochs

    def _catcher(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def catch(module: nn.Module, inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                raise MineError(f"Layer {name!r} gives a {type(output).__name__}, not a tensor: watch one that does.")
            self._outputs[name] = output.detach()

        return catch

    def _release(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._outputs.clear()

    def _pair(self, batch: Any) -> tuple[Tensor, Tensor | None]:
        if self.unpack is not None:
            return self.unpack(batch)
        if isinstance(batch, Tensor):
            return batch, None
        if isinstance(batch, (tuple, list)) and batch and all(isinstance(part, Tensor) for part in batch[:2]):
            return batch[0], batch[1] if len(batch) > 1 else None
        raise InputError(f"A validation batch is a {type(batch).__name__}: pass unpack=, a function from it to (x, y).")

    def _read(self, epoch: int) -> Iterable[LayerInformation]:
        targets = {name: np.concatenate(parts)[: self.max_rows] for name, parts in self._rows.targets.items()}
        for name, parts in self._rows.layers.items():
            layer = np.concatenate(parts)[: self.max_rows]
            for target, rows in targets.items():
                yield self._estimate(epoch, name, layer, target, rows)

    def _estimate(self, epoch: int, name: str, layer: np.ndarray, target: str, rows: np.ndarray) -> LayerInformation:
        n = len(layer)
        if _is_constant(layer) or _is_constant(rows):
            return LayerInformation(epoch, name, target, 0.0, 0.0, n, "constant")
        generator = np.random.default_rng([self.random_state, epoch])
        varies = (layer != layer[:1]).any(0)
        scale = self.noise * np.sqrt(layer[:, varies].var(0).mean())
        noisy = layer[:, varies] + scale * generator.normal(size=(n, int(varies.sum()))).astype(layer.dtype)
        labels = rows.dtype.kind in "iub" and rows.shape[1] == 1
        try:
            information = estimate(
                noisy,
                rows[:, 0].astype(str) if labels else rows,
                method=self.method,
                random_state=self.random_state,
                progress=False,
                **self.options,
            )
        except MineError as error:
            rank_zero_warn(f"I({name}; {target}) in epoch {epoch} could not be estimated: {error}")
            return LayerInformation(epoch, name, target, float("nan"), float("nan"), n, str(error))
        information = information.to("nats")
        return LayerInformation(epoch, name, target, information.value, information.stderr, n)


def _array(rows: Tensor) -> np.ndarray:
    rows = rows.detach().cpu()
    rows = rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows
    return rows.reshape(len(rows), -1).numpy().copy()


def _is_constant(rows: np.ndarray) -> bool:
    return bool((rows == rows[:1]).all())
