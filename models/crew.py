"""Several processes that train one network: each learns from its share of every batch, and all stay alike.

    torchrun --nproc-per-node 2 -m models train models/recipes/xrs-fer2013.yaml --data ../fer2013

All draw the same batch and change it alike; then each takes its share, and gradients and running statistics are
averaged at every step. What differs from one process is that a batch normalisation sees its own share alone.
Without torchrun there is one process, and nothing in here does anything. It knows no network and no loss.
"""

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor


class Crew:
    """This process and the others, as torchrun names them; gloo between CPUs, nccl between GPUs."""

    def __init__(self):
        self.count = int(os.environ.get("WORLD_SIZE", 1))
        self.rank = int(os.environ.get("RANK", 0))
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        if self.count > 1 and not dist.is_initialized():
            if self.device == "cuda":
                torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
            dist.init_process_group("nccl" if self.device == "cuda" else "gloo")

    @property
    def is_first(self) -> bool:
        """Whether it is this one that writes files and tells people."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's part of a batch (N, ...): every count-th row."""
        return batch[self.rank :: self.count]

    @torch.no_grad()
    def average(self, tensors: Iterable[Tensor | None]) -> None:
        """Have every process hold the mean over all of them; whole numbers and None stay."""
        if self.count == 1:
            return
        ours = [tensor for tensor in tensors if tensor is not None and tensor.is_floating_point()]
        flat = torch.cat([tensor.reshape(-1) for tensor in ours])
        dist.all_reduce(flat)
        parts = (flat / self.count).split([tensor.numel() for tensor in ours])
        for tensor, part in zip(ours, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def close(self) -> None:
        """All have done; without it torch complains at the end."""
        if self.count > 1:
            dist.destroy_process_group()
