"""Devices, processes and precision of a run, through Lightning Fabric."""

import os
import re
from typing import Literal, get_args

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.strategies.strategy import Strategy

from mien.errors import BadOption

Precision = Literal["32-true", "bf16-mixed"]


def make_fabric(device: str | None = None, devices: int | None = None, precision: str = "32-true") -> Fabric:
    """Return the Fabric that places networks and batches, averages gradients and applies mixed precision.

    Args:
        device: cpu, cuda, cuda:1 or mps; CUDA if available, else the CPU, when None.
        devices: Processes on this machine, one device each (on the CPU they share its cores). Those that torchrun
            started when None, else 1.
        precision: "32-true", or "bf16-mixed" (forward pass in bfloat16 where that is safe).

    Raises:
        BadOption: The machine has no such device, or torchrun started another number of processes.
    """
    kind, index = _place(device)
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "0"))
    count = devices if devices is not None else local or 1
    if count < 1 or (index is not None and count > 1):
        raise BadOption(f"{count} devices on {device or kind}: give 1 or more, and a kind of device without a number")
    if local and count != local:
        raise BadOption(f"{count} devices, but torchrun started {local} processes; leave the number out")
    if kind == "cuda" and count > torch.cuda.device_count():
        raise BadOption(f"{count} devices, but torch finds {torch.cuda.device_count()} of the kind cuda")
    if precision not in get_args(Precision):
        raise BadOption(f"precision {precision!r}: give one of {', '.join(get_args(Precision))}")
    nodes = int(os.environ["WORLD_SIZE"]) // local if local else 1
    # A static graph lets a head that no loss uses stay without gradient.
    strategy: str | Strategy = DDPStrategy(static_graph=True) if count * nodes > 1 else "auto"
    return Fabric(
        accelerator=kind,
        devices=[index] if index is not None else count,
        num_nodes=nodes,
        strategy=strategy,
        precision=precision,  # type: ignore[arg-type]
    )


def _place(device: str | None) -> tuple[str, int | None]:
    """Return the kind of device and its number, if one was given."""
    if device is None:
        return ("cuda" if torch.cuda.is_available() else "cpu"), None
    if not re.fullmatch(r"cpu|(cuda|mps)(:\d+)?", device):
        raise BadOption(f"device {device!r}: give cpu, cuda, cuda:1 or mps")
    kind, _, number = device.partition(":")
    if kind == "cuda" and not torch.cuda.is_available():
        raise BadOption(f"device {device!r}: torch finds no CUDA here; give cpu")
    return kind, int(number) if number else None
