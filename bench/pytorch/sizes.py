"""Sizes of both networks: the paper's, and those of the miniature that `npm start` trains (configs/miniature.yaml)."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FeatureNetSize:
    stem: int = 64
    layers: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    features: int = 8


@dataclass(frozen=True)
class V2VSize:
    front: int = 16
    front_kernel: int = 7
    base: int = 32
    encoders: tuple[int, ...] = (64, 128, 128, 128, 128)
    pooled_levels: int = 5
    back: tuple[int, int] = (64, 128)


@dataclass(frozen=True)
class CoarseSize:
    feature_net: FeatureNetSize = FeatureNetSize()
    grid_side: int = 32
    grid_spacing: float = 25.0
    grid_origin: tuple[float, float, float] = (0.0, -50.0, 0.0)
    localiser_channels: int = 32
    localiser_levels: int = 2
    localiser_hidden: int = 96
    v2v: V2VSize = V2VSize()


@dataclass(frozen=True)
class RefinementSize:
    feature_net: FeatureNetSize = FeatureNetSize()
    grid_side: int = 8
    grid_spacing: float = 2.0
    visibility_resolution: int = 200
    v2v: V2VSize = V2VSize(encoders=(64, 128, 128), pooled_levels=2, back=(32, 32))


@dataclass(frozen=True)
class Scale:
    """Both networks, and what they are given: image sizes (height, width) of the two stages, scan points of a step."""

    coarse: CoarseSize = field(default_factory=CoarseSize)
    refinement: RefinementSize = field(default_factory=RefinementSize)
    coarse_image: tuple[int, int] = (150, 200)
    refinement_image: tuple[int, int] = (300, 400)
    coarse_scan_points: int = 20_000
    refinement_scan_points: int = 15_000


_small_net = FeatureNetSize(stem=8, layers=(8, 16, 32, 64), blocks=(1, 1, 1, 1))

SCALES = {
    "paper": Scale(),
    "miniature": Scale(
        coarse=CoarseSize(
            feature_net=_small_net,
            grid_side=16,
            grid_spacing=58.0,
            localiser_channels=8,
            localiser_hidden=32,
            v2v=V2VSize(front=8, front_kernel=5, base=16, encoders=(16, 32, 32), pooled_levels=3, back=(32, 32)),
        ),
        refinement=RefinementSize(
            feature_net=_small_net,
            grid_side=4,
            grid_spacing=7.0,
            visibility_resolution=100,
            v2v=V2VSize(front=8, front_kernel=3, base=8, encoders=(16, 16), pooled_levels=1, back=(16, 16)),
        ),
        coarse_image=(80, 96),
        refinement_image=(160, 192),
        coarse_scan_points=2_000,
        refinement_scan_points=2_000,
    ),
}
