"""Both stages, written from the facts in docs/method.md: plain PyTorch that wastes neither time nor memory.

It serves twice: `bench.py` measures it as the bar that tempeh-flow is held against, and in float64 it is an
oracle for tempeh-flow's numbers (`check_golden.py`).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from layers import V2V, FeatureNet
from projection import Views, grid_offsets, sample_and_fuse, sample_local_grids
from sizes import CoarseSize, RefinementSize

LOGIT_BYTES = 16 * 2**20


def rotation_from_six(six: Tensor) -> Tensor:
    """Gram-Schmidt; the two vectors and their cross product are the rows. `(B, 6)` -> `(B, 3, 3)`"""
    first = F.normalize(six[:, :3], dim=-1)
    second = F.normalize(six[:, 3:] - (first * six[:, 3:]).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], 1)


class Localiser(nn.Module):
    """method 2.4."""

    def __init__(self, size: CoarseSize, inputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(size.localiser_levels):
            layers += [
                nn.Conv3d(inputs, size.localiser_channels, 3, 1, 1),
                nn.BatchNorm3d(size.localiser_channels),
                nn.MaxPool3d(2),
                nn.ReLU(inplace=True),
            ]
            inputs = size.localiser_channels
        self.localization = nn.Sequential(*layers)
        voxels = (size.grid_side // 2**size.localiser_levels) ** 3
        last = nn.Linear(size.localiser_hidden, 12)
        self.mapping = nn.Sequential(
            nn.Linear(inputs * voxels, size.localiser_hidden), nn.ReLU(inplace=True), last
        )
        for module in self.localization:
            if isinstance(module, nn.Conv3d):
                nn.init.normal_(module.weight, 0, 0.001)
                nn.init.zeros_(module.bias)
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            last.bias.copy_(torch.tensor([3.0, 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 0]))

    def forward(self, volume: Tensor) -> Tensor:
        """`(B, 2F, D, D, D)` -> the twelve numbers `(B, 12)`"""
        return self.mapping(self.localization(volume).contiguous().flatten(1))


class SparsePointNet(nn.Module):
    def __init__(self, size: CoarseSize, vertices: int) -> None:
        super().__init__()
        inputs = 2 * size.feature_net.features
        self.global_net = V2V(size.v2v, inputs, vertices)
        self.grid_refiner = Localiser(size, inputs)


class Coarse(nn.Module):
    """method 2."""

    def __init__(self, vertices: int, size: CoarseSize = CoarseSize()) -> None:
        super().__init__()
        self.size = size
        self.feature_net = FeatureNet(size.feature_net)
        self.sparse_point_net = SparsePointNet(size, vertices)

    def forward(
        self, views: Views, rotations: Tensor | None = None, checkpointed: bool = False, trace: dict | None = None
    ) -> Tensor:
        """Vertices `(B, L, 3)`, mm. `rotations` `(B, 3, 3)`; `trace` takes what lies on the way."""
        size = self.size
        batch = len(views.images)
        side = size.grid_side
        features = self.feature_net(views.images)
        offsets = grid_offsets(side, size.grid_spacing, views.images)
        origin = torch.tensor(size.grid_origin, dtype=features.dtype)
        if rotations is None:
            rotations = torch.eye(3, dtype=features.dtype).expand(batch, 3, 3)

        def volume(fused: Tensor) -> Tensor:
            return fused.unflatten(2, (side, side, side))

        first_grid = offsets @ rotations.mT + origin
        first = sample_and_fuse(features, views, first_grid)
        raw = self.sparse_point_net.grid_refiner(volume(first))
        scales = 0.4 * (torch.tanh(raw[:, :3]) + 1) / 2
        linear = scales[:, :, None] * rotation_from_six(raw[:, 3:9])
        shift = torch.tanh(raw[:, 9:]) * (0.5 * (side - 1) * size.grid_spacing)
        placed = rotations @ linear
        centre = (rotations @ shift[..., None]).mT + origin
        grid = offsets @ placed.mT + centre
        second = sample_and_fuse(features, views, grid)
        back = self.sparse_point_net.global_net(volume(second), checkpointed)
        vertices = self._expectation(back, grid)
        if trace is not None:
            trace.update(features=features, grid0=first_grid, sampled0=volume(first), localiser_raw=raw)
            trace.update(localiser_scales=scales, grid_origin=centre[:, 0], grid1=grid, sampled1=volume(second))
            transform = torch.cat([linear, torch.tanh(raw[:, 9:])[..., None]], -1)
            trace.update(localiser_transform=transform, v2v_back=back)
        return vertices

    def _expectation(self, back: Tensor, grid: Tensor) -> Tensor:
        """Softmax over voxels of each output channel, expectation of the positions: in chunks of channels."""
        layer = self.sparse_point_net.global_net.output_layer
        keys = back.flatten(2)  # (B, C, N)
        weight, bias = layer.weight.flatten(1), layer.bias
        chunk = max(1, LOGIT_BYTES // (keys.element_size() * len(keys) * keys.shape[2]))

        def part(keys: Tensor, grid: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
            # In one product: `weight @ keys` would fold the batch into the voxels, and copy every logit to undo it.
            logits = torch.baddbmm(bias[:, None], weight.expand(len(keys), -1, -1), keys)
            return torch.softmax(logits, -1) @ grid

        parts = []
        for w, b in zip(weight.split(chunk), bias.split(chunk)):
            if torch.is_grad_enabled():
                parts.append(checkpoint(part, keys, grid, w, b, use_reentrant=False))
            else:
                parts.append(part(keys, grid, w, b))
        return torch.cat(parts, 1)


class LocalDensifyNet(nn.Module):
    def __init__(self, size: RefinementSize) -> None:
        super().__init__()
        self.local_net = V2V(size.v2v, 2 * size.feature_net.features + 3, 1)


class Refinement(nn.Module):
    """method 3."""

    def __init__(self, size: RefinementSize = RefinementSize(), vertex_chunk: int = 512) -> None:
        super().__init__()
        self.size = size
        self.vertex_chunk = vertex_chunk
        self.feature_net = FeatureNet(size.feature_net)
        self.local_densify_net = LocalDensifyNet(size)

    def forward(
        self,
        views: Views,
        coarse: Tensor,
        normals: Tensor,
        visibility: Tensor,
        template: Tensor,
        rotations: Tensor | None = None,
        checkpointed: bool = False,
        trace: dict | None = None,
    ) -> Tensor:
        """Vertices `(B, L, 3)`, mm, from the coarse ones `(B, L, 3)`.

        normals `(B, L, 3)`; visibility `(B, V, L)`; template `(L, 3)`, mm; rotations `(B, L, 3, 3)`.
        """
        net = self.local_densify_net.local_net
        batch, count = coarse.shape[:2]
        features = self.feature_net(views.images)
        offsets = grid_offsets(self.size.grid_side, self.size.grid_spacing, coarse)
        if rotations is None:
            rotations = torch.eye(3, dtype=coarse.dtype).expand(batch, count, 3, 3)

        def volumes(sample: int, chunk: slice) -> Tensor:
            return self._volumes(
                features[sample : sample + 1],
                views.sample(sample),
                coarse[sample, chunk],
                rotations[sample, chunk],
                normals[sample : sample + 1, chunk],
                visibility[sample : sample + 1, :, chunk],
                template[chunk],
                offsets,
            )

        def logits(x: Tensor) -> Tensor:
            return net.output_layer(net(x, checkpointed)).flatten(1)

        chunks = [slice(i, min(count, i + self.vertex_chunk)) for i in range(0, count, self.vertex_chunk)]
        inputs = [(sample, chunk) for sample in range(batch) for chunk in chunks]
        if torch.is_grad_enabled():
            # All volumes together: batch normalisation is joint over them.
            parts = [checkpoint(volumes, s, c, use_reentrant=False) for s, c in inputs]
            volume = torch.cat(parts)
            del parts
            of_voxels = logits(volume)
        else:
            of_voxels = torch.cat([logits(volumes(s, c)) for s, c in inputs])
            volume = None
        expected = (torch.softmax(of_voxels, -1) @ offsets).view(batch, count, 3)
        moved = (rotations @ expected[..., None]).squeeze(-1)
        if trace is not None:
            trace.update(features=features, v2v_input=volume, logits=of_voxels, offsets=moved)
        return coarse + moved

    def _volumes(
        self,
        features: Tensor,
        views: Views,
        vertices: Tensor,
        rotations: Tensor,
        normals: Tensor,
        visibility: Tensor,
        template: Tensor,
        offsets: Tensor,
    ) -> Tensor:
        """The network's input around a chunk of l vertices of one sample. `(l, 2F + 3, d, d, d)`"""
        side = self.size.grid_side
        points = offsets @ rotations.mT + vertices[:, None]  # (l, n, 3)
        fused = sample_local_grids(features, views, points.flatten(0, 1)[None], normals, visibility, side**3)
        fused = fused[0].unflatten(1, (-1, side**3)).transpose(0, 1)  # (l, 2F, n)
        position = (0.01 * template)[..., None].expand(-1, -1, side**3)
        return torch.cat([fused, position], 1).unflatten(2, (side, side, side))
