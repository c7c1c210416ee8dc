"""The coarse mesh as the refinement sees it (method 3.2): normals, and which view sees which vertex."""

import torch
import torch.nn.functional as F
from torch import Tensor

from projection import Views, to_camera, to_pixels

TOLERANCE = 3e-3


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Sum of the un-normalised normals of the adjacent faces, normalised. `(B, L, 3)`"""
    a, b, c = (vertices[:, faces[:, corner]] for corner in range(3))
    of_faces = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(vertices)
    for corner in range(3):
        normals.index_add_(1, faces[:, corner], of_faces)
    return F.normalize(normals, dim=-1)


def depth_picture(positions: Tensor, faces: Tensor, resolution: int) -> Tensor:
    """1 - depth of the nearest face in each pixel, 0 where there is none.

    positions `(L, 3)`: column, row (pixel centres at whole numbers), depth. Returns `(resolution, resolution)`.
    """
    corners = positions[faces]  # (F, 3, 3)
    low = corners[..., :2].amin(1).ceil().clamp(min=0).long()
    high = corners[..., :2].amax(1).floor().clamp(max=resolution - 1).long()
    extent = (high - low + 1).clamp(min=0)
    counts = extent[:, 0] * extent[:, 1]
    face = torch.repeat_interleave(counts)
    within = torch.arange(face.numel()) - torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    column = low[face, 0] + within % extent[face, 0]
    row = low[face, 1] + within // extent[face, 0]
    a, b, c = corners[face].unbind(1)
    point = torch.stack([column, row], -1).to(positions.dtype)

    def area(p: Tensor, q: Tensor, r: Tensor) -> Tensor:
        return (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])

    whole = area(a, b, c)
    weights = torch.stack([area(point, b, c), area(a, point, c), area(a, b, point)], -1) / whole.unsqueeze(-1)
    hit = (weights >= 0).all(-1) & (whole != 0)
    depth = (weights * torch.stack([a[:, 2], b[:, 2], c[:, 2]], -1)).sum(-1)[hit]
    picture = torch.full((resolution * resolution,), float("inf"), dtype=positions.dtype)
    picture.scatter_reduce_(0, (row * resolution + column)[hit], depth, "amin")
    picture = torch.where(picture.isinf(), torch.zeros_like(picture), 1 - picture)
    return picture.view(resolution, resolution)


@torch.no_grad()
def visibility(vertices: Tensor, faces: Tensor, views: Views, resolution: int) -> Tensor:
    """1 where a view sees a vertex, else 0.5: sigmoid(100 * visible). `(B, V, L)`"""
    camera_points = to_camera(vertices, views.extrinsics)
    pixels = to_pixels(camera_points, views.intrinsics, None)
    positions = torch.cat([pixels, camera_points[..., 2:]], -1)  # (B, V, L, 3)
    low = positions.amin(2, keepdim=True).floor()
    high = positions.amax(2, keepdim=True).ceil()
    extent = (high - low)[..., :2].amax(-1, keepdim=True)
    plane = (positions[..., :2] - (low + high)[..., :2] / 2) * (2 / extent)  # in [-1, 1]
    depth = (positions[..., 2] - low[..., 2]) / (high - low)[..., 2]
    in_picture = torch.cat([((plane + 1) * resolution - 1) / 2, depth.unsqueeze(-1)], -1)
    pictures = torch.stack([depth_picture(p, faces, resolution) for p in in_picture.flatten(0, 1)])
    sampled = F.grid_sample(pictures.unsqueeze(1), plane.flatten(0, 1).unsqueeze(1), align_corners=False)
    visible = depth - TOLERANCE <= 1 - sampled.view_as(depth)
    return torch.sigmoid(100 * visible.to(vertices.dtype))
