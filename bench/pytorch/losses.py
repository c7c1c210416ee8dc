"""Losses (method 4)."""

from dataclasses import dataclass

import torch
from torch import Tensor

RELATIVE_TIE = 1e-10


@dataclass(frozen=True)
class LossWeights:
    points: float = 1.0
    surface: float = 10.0
    edges: float = 1.0


def point_loss(prediction: Tensor, registration: Tensor, weights: Tensor) -> Tensor:
    return (weights[:, None] * prediction - weights[:, None] * registration).square().mean()


def edge_loss(prediction: Tensor, registration: Tensor, edges: Tensor, weights: Tensor) -> Tensor:
    def vectors(vertices: Tensor) -> Tensor:
        return vertices[:, edges[:, 1]] - vertices[:, edges[:, 0]]

    return (weights[:, None] * (vectors(prediction) - vectors(registration))).square().mean()


def point_to_surface_loss(vertices: Tensor, faces: Tensor, scan: Tensor, nearest: Tensor, sigma: float = 10.0) -> Tensor:
    """Geman-McClure of the distances to the planes of the nearest triangles. vertices `(L, 3)`, scan `(n, 3)`."""
    a, b, c = vertices[faces[nearest]].unbind(1)
    u, v, w = b - a, c - a, scan - a
    normal = torch.linalg.cross(u, v)
    squared = normal.square().sum(-1)
    squared = torch.where(squared < 1e-16, torch.ones_like(squared), squared)
    gamma = (torch.linalg.cross(u, w) * normal).sum(-1) / squared
    beta = (torch.linalg.cross(w, v) * normal).sum(-1) / squared
    alpha = 1 - gamma - beta
    foot = alpha[:, None] * a + beta[:, None] * b + gamma[:, None] * c
    distance = (scan - foot).square().sum(-1)
    return (sigma**2 * distance / (sigma**2 + distance) + 1e-16).sqrt().mean()


def _squared_distance(p: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Exact squared distance of points to triangles, row by row."""

    def to_segment(q: Tensor, r: Tensor) -> Tensor:
        along = r - q
        t = ((p - q) * along).sum(-1) / along.square().sum(-1).clamp(min=1e-300)
        return (q + t.clamp(0, 1)[:, None] * along - p).square().sum(-1)

    distance = torch.minimum(torch.minimum(to_segment(a, b), to_segment(b, c)), to_segment(c, a))
    u, v, w = b - a, c - a, p - a
    normal = torch.linalg.cross(u, v)
    squared = normal.square().sum(-1)
    gamma = (torch.linalg.cross(u, w) * normal).sum(-1) / squared
    beta = (torch.linalg.cross(w, v) * normal).sum(-1) / squared
    inside = (gamma >= 0) & (beta >= 0) & (gamma + beta <= 1) & (squared > 0)
    to_plane = (w * normal).sum(-1).square() / squared
    return torch.where(inside, to_plane, distance)


@torch.no_grad()
def nearest_triangles(vertices: Tensor, faces: Tensor, points: Tensor, chunk: int = 1024) -> Tensor:
    """Index of the triangle nearest to each point; of ties the lowest. vertices `(L, 3)`, points `(n, 3)`.

    Triangles whose bounding sphere lies farther than the nearest centroid are left out; the rest is exact, in float64.
    """
    corners = vertices.double()[faces]
    centre = corners.mean((0, 1))
    corners = corners - centre
    centroids = corners.mean(1)
    radii = (corners - centroids[:, None]).norm(dim=-1).amax(1).float()
    points = points.double() - centre
    a, b, c = corners.unbind(1)
    slack = 0.25  # mm; what the distances by a matrix product in float32 may be wrong
    found = []
    for part in points.split(chunk):
        distances = torch.cdist(part.float(), centroids.float())
        bound = distances.amin(1, keepdim=True) + slack
        point, face = (distances - radii <= bound).nonzero(as_tuple=True)
        exact = _squared_distance(part[point], a[face], b[face], c[face])
        least = torch.full((len(part),), torch.inf, dtype=exact.dtype).scatter_reduce_(0, point, exact, "amin")
        tied = exact <= least[point] * (1 + RELATIVE_TIE) + 1e-20
        lowest = torch.full((len(part),), len(faces), dtype=face.dtype)
        found.append(lowest.scatter_reduce_(0, point[tied], face[tied], "amin"))
    return torch.cat(found)


@dataclass(frozen=True)
class Targets:
    registration: Tensor  # (B, L, 3)
    scan: Tensor  # (B, n, 3)
    faces: Tensor  # (F, 3)
    edges: Tensor  # (E, 2)
    point_weights: Tensor  # (L,)
    edge_weights: Tensor  # (E,)
    nearest: Tensor | None = None  # (B, n); searched where it is left out


def training_loss(prediction: Tensor, targets: Targets, weights: LossWeights) -> tuple[Tensor, Tensor]:
    """Total, and the three weighted terms `(3,)`."""
    nearest = targets.nearest
    if nearest is None:
        nearest = torch.stack([nearest_triangles(v, targets.faces, s) for v, s in zip(prediction, targets.scan)])
    surface = torch.stack(
        [point_to_surface_loss(v, targets.faces, s, n) for v, s, n in zip(prediction, targets.scan, nearest)]
    ).mean()
    terms = torch.stack(
        [
            weights.points * point_loss(prediction, targets.registration, targets.point_weights),
            weights.surface * surface,
            weights.edges * edge_loss(prediction, targets.registration, targets.edges, targets.edge_weights),
        ]
    )
    return terms.sum(), terms.detach()
