"""Cameras, grids, and sampling (method 2.2, 2.3, 3.4)."""

from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Views:
    """The views of a batch as the network gets them."""

    images: Tensor  # (B, V, 3, H, W), normalised
    intrinsics: Tensor  # (B, V, 3, 3)
    extrinsics: Tensor  # (B, V, 3, 4), world -> camera
    distortions: Tensor  # (B, V, 2)

    def to(self, dtype: torch.dtype) -> "Views":
        return replace(self, **{f.name: getattr(self, f.name).to(dtype) for f in fields(self)})

    def sample(self, index: int) -> "Views":
        return replace(self, **{f.name: getattr(self, f.name)[index : index + 1] for f in fields(self)})


def grid_offsets(side: int, spacing: float, like: Tensor) -> Tensor:
    """(i - side // 2) * spacing on each axis, x slowest. `(N, 3)`"""
    axis = (torch.arange(side, dtype=like.dtype) - side // 2) * spacing
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)


def to_camera(points: Tensor, extrinsics: Tensor) -> Tensor:
    """World points `(B, P, 3)` in all views. `(B, V, P, 3)`"""
    rotated = torch.einsum("bvij,bpj->bvpi", extrinsics[..., :3], points)
    return rotated + extrinsics[..., None, :, 3]


def to_pixels(camera_points: Tensor, intrinsics: Tensor, distortions: Tensor | None) -> Tensor:
    """Camera points `(B, V, P, 3)` -> pixels `(B, V, P, 2)`, with radial distortion if it is given."""
    z = camera_points[..., 2:]
    plane = camera_points[..., :2] / torch.where(z.abs() < 1e-7, torch.ones_like(z), z)
    if distortions is not None:
        squared = plane.square().sum(-1, keepdim=True)
        k1, k2 = distortions[..., None, :1], distortions[..., None, 1:]
        plane = plane * (1 + k1 * squared + k2 * squared.square())
    return torch.einsum("bvij,bvpj->bvpi", intrinsics[..., :2, :2], plane) + intrinsics[..., None, :2, 2]


def normalised(pixels: Tensor, height: int, width: int) -> Tensor:
    """2 x / (W - 1) - 1 and 2 y / (H - 1) - 1."""
    size = torch.tensor([width - 1, height - 1], dtype=pixels.dtype)
    return 2 * pixels / size - 1


def sample_views(features: Tensor, places: Tensor) -> Tensor:
    """Bilinear, zeros outside. Features `(B, V, F, H, W)` at `(B, V, P, 2)` -> `(B, V, F, P)`"""
    batch, views = features.shape[:2]
    grid = places.flatten(0, 1).unsqueeze(1)
    sampled = F.grid_sample(features.flatten(0, 1), grid, "bilinear", "zeros", align_corners=False)
    return sampled.squeeze(2).unflatten(0, (batch, views))


def sample_and_fuse(features: Tensor, views: Views, points: Tensor) -> Tensor:
    """Mean, then unbiased variance over views, of the features at world points `(B, P, 3)`. `(B, 2F, P)`"""
    height, width = features.shape[-2:]
    pixels = to_pixels(to_camera(points, views.extrinsics), views.intrinsics, views.distortions)
    sampled = sample_views(features, normalised(pixels, height, width))
    variance, mean = torch.var_mean(sampled, dim=1, correction=1)
    return torch.cat([mean, variance], 1)


def sample_local_grids(
    features: Tensor, views: Views, points: Tensor, normals: Tensor, visibility: Tensor, per_vertex: int
) -> Tensor:
    """Surface-aware fusion (method 3.4).

    points `(1, l*n, 3)`, n = per_vertex of each of l vertices; normals `(1, l, 3)`; visibility `(1, V, l)`.
    Returns weighted means, then weighted variances. `(1, 2F, l*n)`
    """
    height, width = features.shape[-2:]
    with torch.no_grad():
        camera_points = to_camera(points, views.extrinsics)
        places = normalised(to_pixels(camera_points, views.intrinsics, views.distortions), height, width)
        # In camera coordinates the view direction is the voxel's own.
        turned = torch.einsum("bvij,bpj->bvpi", views.extrinsics[..., :3], normals)
        directions = F.normalize(camera_points, dim=-1).unflatten(2, (-1, per_vertex))
        facing = -(directions * turned.unsqueeze(3)).sum(-1)
        inside = (places.abs() <= 1).all(-1).unflatten(2, (-1, per_vertex))
        weights = visibility.unsqueeze(-1) * facing.clamp(min=0) * inside
        weights = F.softplus(weights, beta=50, threshold=5)
        weights = (weights / weights.sum(1, keepdim=True)).flatten(2).unsqueeze(2)
    sampled = sample_views(features, places)
    weighted = weights * sampled
    mean = weighted.sum(1)
    variance = (weighted * sampled).sum(1) - mean.square()
    return torch.cat([mean, variance], 1)
