"""Trains the rewrite on batches that tempeh-flow wrote (`npm run learning -- parity`), and writes its losses.

    python bench/pytorch/train_batches.py FOLDER OUTPUT.json [--permute SEED]

`--permute` gives the views of every batch in another order: the same numbers but for rounding, and so how far float32 runs
of the same training part.
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from losses import LossWeights, Targets, training_loss
from networks import Coarse, Refinement
from projection import Views
from sizes import CoarseSize, FeatureNetSize, RefinementSize, V2VSize
from surface import vertex_normals, visibility


def load(path: Path) -> dict[str, Tensor]:
    """A safetensors file of float32 and int32."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + offset for offset in about["data_offsets"])
        kind = {"F32": "<f4", "I32": "<i4"}[about["dtype"]]
        found[name] = torch.from_numpy(np.frombuffer(data[start:end], kind).reshape(about["shape"]).copy())
    return found


def feature_net(about: dict) -> FeatureNetSize:
    layers, blocks = tuple(about["layerChannels"]), tuple(about["layerBlocks"])
    return FeatureNetSize(about["stemChannels"], layers, blocks, about["featureChannels"])


def v2v(about: dict) -> V2VSize:
    return V2VSize(
        about["frontChannels"],
        about["frontKernelSide"],
        about["baseChannels"],
        tuple(about["encoderChannels"]),
        about["pooledLevels"],
        tuple(about["backChannels"]),
    )


def model_of(settings: dict) -> Coarse | Refinement:
    about = settings["model"]
    sizes = {"feature_net": feature_net(about["featureNet"]), "v2v": v2v(about["v2v"])}
    sizes |= {"grid_side": about["gridSide"], "grid_spacing": float(about["gridSpacing"])}
    if settings["stage"] == "refinement":
        return Refinement(RefinementSize(visibility_resolution=about["visibilityResolution"], **sizes))
    localiser = about["localiser"]
    assert localiser["scaleFactor"] == 0.4, "the rewrite has the published scale of the localiser"
    size = CoarseSize(
        grid_origin=tuple(about["gridOrigin"]),
        localiser_channels=localiser["channels"],
        localiser_levels=localiser["levels"],
        localiser_hidden=localiser["hiddenUnits"],
        **sizes,
    )
    return Coarse(settings["vertices"], size)


def views_of(batch: dict[str, Tensor], generator: torch.Generator | None) -> Views:
    images = batch["images"].permute(0, 1, 4, 2, 3)
    parts = (images, batch["intrinsics"], batch["extrinsics"], batch["distortions"])
    if generator is not None:
        order = torch.randperm(images.shape[1], generator=generator)
        parts = tuple(part[:, order] for part in parts)
    return Views(*(part.contiguous() for part in parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--permute", type=int)
    parser.add_argument("--threads", type=int, default=1, help="more of them wait for one another on a busy machine")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    generator = None if options.permute is None else torch.Generator().manual_seed(options.permute)
    settings = json.loads((options.folder / "settings.json").read_text())
    coarse_stage = settings["stage"] == "coarse"
    topology = load(options.folder / "topology.safetensors")
    faces, edges = topology["faces"].long(), topology["edges"].long()
    model = model_of(settings)
    model.load_state_dict(load(options.folder / "state.safetensors"))
    model.train()
    special = list(model.sparse_point_net.grid_refiner.parameters()) if coarse_stage else []
    base = [p for p in model.parameters() if all(p is not q for q in special)]
    groups = [{"params": base}, {"params": special}] if special else [{"params": base}]
    optimizer = torch.optim.AdamW(groups, weight_decay=settings["weightDecay"])
    curve = []
    for step, of_step in enumerate(settings["steps"]):
        for group, rate in zip(optimizer.param_groups, (of_step["learningRate"], of_step["localiserLearningRate"])):
            group["lr"] = rate
        batch = load(options.folder / f"batch-{step:04d}.safetensors")
        views = views_of(batch, generator)
        optimizer.zero_grad(set_to_none=True)
        if coarse_stage:
            prediction = model(views, batch["rotations"][:, 0])
        else:
            given = batch["coarse"]
            seen = visibility(given, faces, views, settings["model"]["visibilityResolution"])
            normals = vertex_normals(given, faces)
            prediction = model(views, given, normals, seen, topology["template"], batch["rotations"])
        targets = Targets(
            batch["registrations"], batch["scan"], faces, edges, topology["point_weights"], topology["edge_weights"]
        )
        loss, terms = training_loss(prediction, targets, LossWeights(**of_step["weights"]))
        loss.backward()
        optimizer.step()
        curve.append([loss.item(), *terms.tolist()])
        if (step + 1) % 25 == 0:
            print(f"step {step + 1}: {curve[-1][0]:.5g}", flush=True)
    options.output.write_text(json.dumps(curve))


if __name__ == "__main__":
    main()
