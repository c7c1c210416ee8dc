"""Holds the PyTorch rewrite against the golden numbers, in float32 or float64.

    python bench/pytorch/check_golden.py forward coarse --dtype float64
    python bench/pytorch/check_golden.py step refinement --folder train_running_statistics --save /tmp/gradients.npz

`step` prints how far each parameter's gradient norm is off; `--save` keeps all gradients, for a comparison with
another implementation's.
"""

import argparse
import json
from dataclasses import replace

import numpy as np
import torch

from golden_case import (
    GOLDEN, array, entry, golden_meshes, golden_targets, golden_template, golden_views, hashed, state_dict,
)  # fmt: skip
from losses import nearest_triangles, training_loss
from networks import Coarse, Refinement
from surface import vertex_normals, visibility


def difference(name: str, found: torch.Tensor) -> None:
    """Prints the largest difference, and the tolerance that the golden README states."""
    about = entry(name)
    flat = found.detach().double().numpy().ravel()
    if "sampled" in about:
        golden = array(f"{name}.sample").ravel()
        flat = flat[hashed(np.arange(len(golden))) % np.uint32(len(flat))]
    else:
        golden = array(name).ravel()
    rms = about.get("rms", np.sqrt(np.mean(golden.astype(np.float64) ** 2)))
    tolerance = max(3 * about.get("float32_error", 0.0), 1e-5 * rms)
    worst = np.abs(flat - golden).max()
    print(f"{name:40s} off by {worst:.3g}, tolerance {tolerance:.3g}{'' if worst <= tolerance else '  <<<'}")


def make(stage: str, dtype: torch.dtype) -> torch.nn.Module:
    model = Coarse(642) if stage == "coarse" else Refinement()
    model.load_state_dict(state_dict(stage))
    return model.to(dtype)


def surface_inputs(views, dtype: torch.dtype, samples: int) -> tuple[torch.Tensor, ...]:
    vertices = golden_meshes("predictions", samples).to(dtype)
    template, faces = golden_template()
    return vertices, vertex_normals(vertices, faces), visibility(vertices, faces, views, 200), template.to(dtype)


def forward(stage: str, dtype: torch.dtype) -> None:
    model = make(stage, dtype).eval()
    views = golden_views(stage, 1).to(dtype)
    trace: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        if stage == "coarse":
            vertices = model(views, trace=trace)
            side = 32
            for name in ("grid0", "grid1"):
                trace[name] = trace[name].mT.unflatten(2, (side, side, side))
            head = model.sparse_point_net.global_net.output_layer
            logits = head(trace["v2v_back"]).flatten(2)
            trace["logits_first4"] = logits[:, :4].unflatten(2, (side, side, side))
            trace["logits_lse"] = torch.logsumexp(logits, -1)
            trace["softmax_max"] = torch.softmax(logits, -1).amax(-1)
            trace["v2v_back"] = trace["v2v_back"][:, :, 1::4, 2::4, 3::4]
            trace["features"] = trace["features"][0]
        else:
            inputs = surface_inputs(views, dtype, 1)
            trace["normals"], trace["visibility"] = inputs[1], inputs[2]
            chunked = model.vertex_chunk
            vertices = model(views, *inputs, trace=trace)
            model.vertex_chunk = 10**6
            picked = torch.from_numpy(array("refinement/picked")).long()
            trace["logits"] = trace["logits"][picked].unflatten(1, (8, 8, 8))
            trace["features"] = trace["features"][0, :, :, ::2, ::2]
            trace.pop("v2v_input")
            model.vertex_chunk = chunked
    trace["vertices"] = vertices
    for name, value in trace.items():
        about = entry(f"{stage}/{name}")
        difference(f"{stage}/{name}", value.reshape(about["shape"]))
    losses(stage, dtype)


def losses(stage: str, dtype: torch.dtype) -> None:
    targets, _ = golden_targets(stage, "train")
    prediction = torch.from_numpy(array(f"{stage}/losses/pred")).to(dtype)
    scan = torch.from_numpy(array(f"{stage}/losses/scan")).to(dtype)
    recorded = array(f"{stage}/losses/face_index")
    found = np.stack([nearest_triangles(v, targets.faces, s).numpy() for v, s in zip(prediction, scan)])
    print(f"nearest triangles: {(found != recorded).sum()} of {recorded.size} are others")


def step(stage: str, folder: str, dtype: torch.dtype, save: str | None, threads: int) -> None:
    if threads:
        torch.set_num_threads(threads)
    model = make(stage, dtype)
    model.train(folder == "train")
    views = golden_views(stage, 2).to(dtype)
    targets, weights = golden_targets(stage, folder)
    of_targets = {k: getattr(targets, k).to(dtype) for k in ("registration", "scan", "point_weights", "edge_weights")}
    rotations = torch.from_numpy(array(f"{stage}/{folder}/rotations")).to(dtype)
    if stage == "coarse":
        prediction = model(views, rotations.view(2, 3, 3))
    else:
        prediction = model(views, *surface_inputs(views, dtype, 2), rotations=rotations.view(2, -1, 3, 3))
    prediction.retain_grad()
    loss, terms = training_loss(prediction, replace(targets, **of_targets), weights)
    loss.backward()
    found = np.array([loss.item(), *terms.tolist()])
    golden = array(f"{stage}/{folder}/loss")
    print("losses off by", np.abs(found / golden - 1))
    print("prediction off by", np.abs(prediction.detach().numpy() - array(f"{stage}/{folder}/pred")).max(), "mm")
    recorded = json.loads((GOLDEN / stage / folder / "parameters.json").read_text())["parameters"]
    largest = max(values["grad_norm"] for values in recorded.values())
    rows = []
    for name, parameter in model.named_parameters():
        norm = recorded[name]["grad_norm"]
        if norm >= 1e-6 * largest:
            rows.append((abs(parameter.grad.norm().item() / norm - 1), name))
    rows.sort(reverse=True)
    print(f"gradient norms: median off {np.median([r[0] for r in rows]):.2e}, of {len(rows)}; worst:")
    for off, name in rows[:12]:
        print(f"  {off:.3e} {name}")
    if save:
        gradients = {name: p.grad.double().numpy() for name, p in model.named_parameters()}
        np.savez(save, prediction=prediction.detach().numpy(), prediction_gradient=prediction.grad.numpy(), **gradients)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("forward", "step"))
    parser.add_argument("stage", choices=("coarse", "refinement"))
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--folder", choices=("train", "train_running_statistics"), default="train_running_statistics")
    parser.add_argument("--save")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    dtype = getattr(torch, options.dtype)
    if options.what == "forward":
        forward(options.stage, dtype)
    else:
        step(options.stage, options.folder, dtype, options.save, options.threads)


if __name__ == "__main__":
    main()
