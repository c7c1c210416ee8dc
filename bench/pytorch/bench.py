"""Measures the careful PyTorch rewrite: seconds and peak memory of a prediction or a training step.

    python bench/pytorch/bench.py --case coarse-step --views 8 --batch 2 --vertices 5023

Prints one JSON object: `seconds` (median of the repeats after a warm-up), `runs` (each), `peakBytes` (peak resident
memory above that of the loaded runtime), and what was asked for. A case has a process to itself, for its peak's sake.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

from layers import FeatureNet, V2V
from losses import LossWeights, Targets, training_loss
from networks import Coarse, Refinement
from sizes import SCALES, Scale
from surface import vertex_normals, visibility
from synthetic import edges_of, ellipsoid, random_rotations, scan_points, views_of

CASES = ("coarse-predict", "refinement-predict", "coarse-step", "refinement-step")


def resident(field: str) -> int:
    """VmRSS or VmHWM of this process, bytes."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def reset_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def physical_memory() -> int:
    with open("/proc/meminfo") as file:
        return int(next(file).split()[1]) * 1024


def as_channels_last(model: torch.nn.Module) -> torch.nn.Module:
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.to(memory_format=torch.channels_last)
        elif isinstance(module, V2V):
            module.to(memory_format=torch.channels_last_3d)
    return model


def prepare(options: argparse.Namespace, scale: Scale) -> Callable[[], object]:
    """What is to be measured. The model's making is not."""
    stage, kind = options.case.split("-")
    generator = torch.Generator().manual_seed(0)
    mesh, faces = ellipsoid(options.vertices)
    registration = mesh + torch.randn(options.batch, *mesh.shape, generator=generator)
    height, width = scale.coarse_image if stage == "coarse" else scale.refinement_image
    views = views_of(options.batch, options.views, height, width, generator)
    model: Coarse | Refinement
    if stage == "coarse":
        model = Coarse(options.vertices, scale.coarse)
        checkpointed = False
    else:
        model = Refinement(scale.refinement)
        # Seven residual blocks of four arrays at the finest level, and what lies below; without them 60 % must suffice.
        voxels = options.batch * options.vertices * scale.refinement.grid_side**3
        kept = 4 * voxels * scale.refinement.v2v.base * 40
        checkpointed = kept > 0.6 * physical_memory()
    if options.checkpoint != "auto":
        checkpointed = options.checkpoint == "always"
    if options.memory_format == "channels-last":
        as_channels_last(model)
    call: Callable[..., torch.Tensor] = model
    if options.compile:
        # The convolutional networks, where the time goes: what lies between them makes new objects at each chunk of vertices,
        # for which PyTorch compiles anew until it gives up.
        for module in model.modules():
            if isinstance(module, (FeatureNet, V2V)):
                module.compile(dynamic=False)

    def forward(rotations: torch.Tensor | None) -> torch.Tensor:
        if isinstance(model, Coarse):
            return call(views, rotations, checkpointed)
        coarse = registration + 1.0
        return call(
            views,
            coarse,
            vertex_normals(coarse, faces),
            visibility(coarse, faces, views, scale.refinement.visibility_resolution),
            mesh,
            rotations,
            checkpointed,
        )

    if kind == "predict":
        model.eval()

        def predict() -> torch.Tensor:
            with torch.inference_mode():
                return forward(None)

        return predict

    model.train()
    edges = edges_of(faces)
    count = scale.coarse_scan_points if stage == "coarse" else scale.refinement_scan_points
    scan = scan_points(registration, faces, count, generator)
    targets = Targets(registration, scan, faces, edges, torch.ones(options.vertices), torch.ones(len(edges)))
    weights = LossWeights() if stage == "coarse" else LossWeights(edges=0.3)
    special = list(model.sparse_point_net.grid_refiner.parameters()) if isinstance(model, Coarse) else []
    base = [p for p in model.parameters() if all(p is not q for q in special)]
    groups = [{"params": base, "lr": 1e-3}, {"params": special, "lr": 1e-4}]
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]])
    shape = (options.batch,) if stage == "coarse" else (options.batch, options.vertices)

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        prediction = forward(random_rotations(shape, generator))
        # An untrained coarse network's mesh is a tangle in which every triangle may be the nearest: the loss sees a mesh
        # near the registration, as from the first hundred steps on. (tempeh-flow's own bench leaves the tangle.)
        prediction = prediction + (registration + 1.0 - prediction).detach()
        loss, _ = training_loss(prediction, targets, weights)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, required=True)
    parser.add_argument("--views", type=int, default=16)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--vertices", type=int, default=5023)
    parser.add_argument("--scale", choices=list(SCALES), default="paper")
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's choice")
    parser.add_argument("--repeats", type=int, default=0, help="0: as many as fit 20 s, 1 to 10")
    parser.add_argument("--checkpoint", choices=("auto", "always", "never"), default="auto")
    parser.add_argument("--memory-format", choices=("contiguous", "channels-last"), default="channels-last")
    parser.add_argument("--compile", action="store_true", help="by torch.compile; what that takes is in the warm-up")
    options = parser.parse_args()
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    runtime = resident("VmRSS")
    run = prepare(options, SCALES[options.scale])
    runs: list[float] = []

    def timed() -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    reset_peak()
    warm_up = timed()
    # What is compiled at the first run, and again at the second for what has changed, is not a run's time.
    typical = min(timed(), timed()) if options.compile else warm_up
    repeats = options.repeats or max(1, min(10, int(20 / typical)))
    for _ in range(repeats):
        runs.append(timed())
    report = {
        "case": options.case,
        "scale": options.scale,
        "views": options.views,
        "batch": options.batch,
        "vertices": options.vertices,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "memoryFormat": options.memory_format,
        "compiled": options.compile,
        "seconds": statistics.median(runs),
        "warmUpSeconds": warm_up,
        "runs": runs,
        "peakBytes": resident("VmHWM") - runtime,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
