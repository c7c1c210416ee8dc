"""Synthetic inputs of any size for the bench: an ellipsoid for a head, cameras around it, noise for images."""

import math

import torch
from torch import Tensor

from projection import Views


def ellipsoid(vertices: int) -> tuple[Tensor, Tensor]:
    """A closed mesh of exactly so many vertices (at least 20), a head's size. `(L, 3)` mm, `(2L - 4, 3)`"""
    rings = max(3, round(math.sqrt(vertices / 2)))
    columns = (vertices - 2) // rings
    polar = torch.arange(1, rings + 1) * math.pi / (rings + 1)
    azimuth = torch.arange(columns) * 2 * math.pi / columns
    p, a = torch.meshgrid(polar, azimuth, indexing="ij")
    points = torch.stack([p.sin() * a.cos(), p.cos(), p.sin() * a.sin()], -1).view(-1, 3)
    poles = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
    points = torch.cat([points, poles])
    top, bottom = rings * columns, rings * columns + 1
    faces = []
    for c in range(columns):
        d = (c + 1) % columns
        faces.append((top, d, c))
        faces.append((bottom, (rings - 1) * columns + c, (rings - 1) * columns + d))
        for r in range(rings - 1):
            w, x = r * columns + c, r * columns + d
            y, z = w + columns, x + columns
            faces += [(w, x, y), (x, z, y)]
    # What is left over splits triangles at their centroids.
    for extra in range(vertices - len(points)):
        index = (extra * 37) % len(faces)
        i, j, k = faces[index]
        centre = points[[i, j, k]].mean(0)
        new = len(points)
        points = torch.cat([points, (centre / centre.norm())[None]])
        faces[index] = (i, j, new)
        faces += [(j, k, new), (k, i, new)]
    return points * torch.tensor([85.0, 120.0, 100.0]) + torch.tensor([0.0, -50.0, 0.0]), torch.tensor(faces)


def edges_of(faces: Tensor) -> Tensor:
    pairs = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(-1).values
    return pairs.unique(dim=0)


def views_of(batch: int, views: int, height: int, width: int, generator: torch.Generator) -> Views:
    """Cameras on a frontal arc, 1 m away, in which the head fills most of the picture."""
    angles = torch.linspace(-1.9, 1.9, views)
    heights = torch.where(torch.arange(views) % 2 == 0, -150.0, 120.0)
    centres = torch.stack([1000 * angles.sin(), heights, 1000 * angles.cos()], -1)
    forward = torch.nn.functional.normalize(torch.tensor([0.0, -50.0, 0.0]) - centres, dim=-1)
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, torch.tensor([[0.0, 1.0, 0.0]]).expand(views, 3)))
    rotation = torch.stack([right, torch.linalg.cross(forward, right), forward], 1)
    translation = -(rotation @ centres[..., None])
    focal = 3.0 * height
    intrinsics = torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]).expand(views, 3, 3)

    def of_batch(x: Tensor) -> Tensor:
        return x.expand(batch, *x.shape).contiguous()

    return Views(
        images=torch.randn(batch, views, 3, height, width, generator=generator),
        intrinsics=of_batch(intrinsics),
        extrinsics=of_batch(torch.cat([rotation, translation], -1)),
        distortions=of_batch(torch.tensor([[-0.1, 0.02]]).expand(views, 2)),
    )


def random_rotations(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Of normalised Gaussian quaternions (w, x, y, z). `(*shape, 3, 3)`"""
    q = torch.nn.functional.normalize(torch.randn(*shape, 4, generator=generator), dim=-1)
    w, x, y, z = q.unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def scan_points(vertices: Tensor, faces: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Points on the surface, a millimetre of noise off. vertices `(B, L, 3)` -> `(B, n, 3)`"""
    face = torch.randint(len(faces), (count,), generator=generator)
    weights = torch.rand(count, 3, generator=generator)
    weights = weights / weights.sum(-1, keepdim=True)
    points = (vertices[:, faces[face]] * weights[None, ..., None]).sum(2)
    return points + torch.randn(points.shape, generator=generator)
