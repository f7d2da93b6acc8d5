"""Small changes of a batch of faces that do not change what is felt: the crop, the light, the camera.

Works on whole batches of tensors; draws only from the generator it is given, so a run can be repeated.
The crop's scale spans what a detector does to a face: its box is sometimes tighter, sometimes wider.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Augmentation:
    """How far a face may be changed. Each value is the largest change; 0 switches it off."""

    rotate_deg: float = 12
    scale: tuple[float, float] = (0.85, 1.15)  # part of the tile that fills the crop; above 1 repeats the rim
    shift: float = 0.07  # of the side
    light: float = 0.3  # brightness and contrast
    blur: float = 0.2  # part of the batch seen from far away: shrunk by up to a half and enlarged again
    erase: float = 0.4  # part of the batch with a rectangle covered
    noise: float = 0.06  # highest standard deviation, where white minus black is 2

    def __call__(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        """(N, 1, 48, 48) in -1..1 -> the same shape, changed."""
        faces = self._move(faces, generator)
        faces = self._dim(faces, generator)
        faces = self._recede(faces, generator)
        faces = self._grain(faces, generator)
        return self._cover(faces.clamp(-1, 1), generator)

    def _move(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        n = len(faces)
        spread = lambda limit: (uniform(generator, n) * 2 - 1) * limit  # noqa: E731
        angle = spread(self.rotate_deg * math.pi / 180)
        low, high = self.scale
        scale = low + (high - low) * uniform(generator, n)
        flip = 1.0 - 2.0 * (uniform(generator, n) < 0.5)
        cos, sin = scale * angle.cos(), scale * angle.sin()
        rows = [cos * flip, -sin, spread(2 * self.shift), sin * flip, cos, spread(2 * self.shift)]
        affine = torch.stack(rows, 1).view(n, 2, 3)
        grid = F.affine_grid(affine, list(faces.shape), align_corners=False)
        return F.grid_sample(faces, grid, padding_mode="border", align_corners=False)

    def _dim(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        draw = (uniform(generator, 2, len(faces), 1, 1, 1) * 2 - 1) * self.light
        return faces * (1 + draw[0]) + draw[1]

    def _recede(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        far = uniform(generator, len(faces)) < self.blur
        if not far.any():
            return faces
        side = faces.shape[-1]
        small = int(side * (0.5 + 0.4 * uniform(generator, 1).item()))
        shrunk = F.interpolate(faces[far], size=(small, small), mode="area")
        faces = faces.clone()
        faces[far] = F.interpolate(shrunk, size=(side, side), mode="bilinear", align_corners=False)
        return faces

    def _grain(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        deviation = self.noise * uniform(generator, len(faces), 1, 1, 1)
        return faces + deviation * torch.randn(faces.shape, generator=generator, device=faces.device)

    def _cover(self, faces: Tensor, generator: torch.Generator) -> Tensor:
        n, side = len(faces), faces.shape[-1]
        size = side * (0.15 + 0.3 * uniform(generator, 2, n, 1))  # height, width
        centre = side * uniform(generator, 2, n, 1)
        place = torch.arange(side, device=faces.device).view(1, 1, side)
        inside = (place - centre).abs() < size / 2  # (2, N, side)
        chosen = uniform(generator, n, 1, 1) < self.erase
        mask = inside[0][:, :, None] & inside[1][:, None, :] & chosen  # (N, side, side)
        tone = uniform(generator, n, 1, 1, 1) * 2 - 1
        return torch.where(mask[:, None], tone, faces)


def uniform(generator: torch.Generator, *shape: int) -> Tensor:
    """Numbers in 0..1 of this shape, on the generator's device."""
    return torch.rand(shape, generator=generator, device=generator.device)
