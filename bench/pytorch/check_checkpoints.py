"""Checkpoints to and fro with a real PyTorch: what torch.save writes is imported, exported, and read by torch.load.

    python bench/pytorch/check_checkpoints.py FOLDER [STAGE…]     # needs a build (npm run build); prints what differs
"""

import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from golden_case import state_dict
from networks import Coarse, Refinement

ROOT = Path(__file__).resolve().parents[2]


def cli(*arguments: str, fails: bool = False) -> str:
    done = subprocess.run(
        ["node", str(ROOT / "build/cli/main.js"), *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) == fails, f"{arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def trained(stage: str) -> tuple[nn.Module, torch.optim.AdamW]:
    """Golden weights after a step of AdamW along random gradients, in the published groups."""
    model = Coarse(642) if stage == "coarse" else Refinement()
    weights = state_dict(stage)
    model.load_state_dict(weights)
    # The published network numbers its parameters in the order of its own tensors.
    parameters = dict(model.named_parameters())
    ordered = [name for name in weights if name in parameters]
    special = [parameters[name] for name in ordered if ".grid_refiner." in name]
    base = [parameters[name] for name in ordered if ".grid_refiner." not in name]
    # The refinement's second group is there, and empty.
    optimizer = torch.optim.AdamW(
        [{"params": base, "lr": 1e-3, "group_id": "base"}, {"params": special, "lr": 1e-4, "group_id": "special"}]
    )
    torch.manual_seed(7)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    assert len(ordered) == len(parameters)
    return model, optimizer


def tensors(value: object, path: str = "") -> dict[str, object]:
    """Every tensor and number of a nested dictionary, by its path."""
    if isinstance(value, dict):
        return {k: v for key, inner in value.items() for k, v in tensors(inner, f"{path}/{key}").items()}
    if isinstance(value, (list, tuple)):
        return {k: v for i, inner in enumerate(value) for k, v in tensors(inner, f"{path}/{i}").items()}
    return {path: value}


def differences(found: object, expected: object) -> list[str]:
    a, b = tensors(found), tensors(expected)
    problems = [f"only in one: {name}" for name in sorted(a.keys() ^ b.keys())]
    for name in sorted(a.keys() & b.keys()):
        x, y = a[name], b[name]
        if isinstance(x, Tensor) and isinstance(y, Tensor):
            if x.shape != y.shape or x.dtype != y.dtype or not torch.equal(x, y):
                problems.append(f"differs: {name} {x.dtype}{list(x.shape)} {y.dtype}{list(y.shape)}")
        elif x != y:
            problems.append(f"differs: {name}: {x} {y}")
    return problems


class Checks:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = 0

    def store(self) -> list[str]:
        return ["--config", "famos", "--set", "storage.kind=directory", "--set", f"storage.path={self.folder}/store"]

    def round_trip(self, file: Path, stage: str, *more: str) -> Path:
        """Imports a file into a run of its own and exports that. Returns the exported file."""
        self.runs += 1
        run = f"run-{self.runs}-{stage}"
        cli("import-checkpoint", str(file), "--run", run, "--step", "1234", *more, *self.store())
        out = self.folder / f"{run}.pth"
        cli("export-checkpoint", f"{run}/{stage}", str(out), *self.store())
        return out

    def refused(self, name: str, content: object, stage: str, **how: bool) -> str:
        file = self.folder / f"{name}.pth"
        torch.save(content, file, **how)
        self.runs += 1
        run = f"refused-{self.runs}"
        return cli("import-checkpoint", str(file), "--run", run, "--step", "1", *self.store(), fails=True)

    def say(self, what: str, problems: list[str]) -> None:
        print(f"{'ok  ' if not problems else 'FAIL'} {what}", flush=True)
        for problem in problems[:8]:
            print(f"     {problem}")

    def stage(self, stage: str) -> None:
        model, optimizer = trained(stage)
        content = {"model": model.state_dict(), "optimizer_model": optimizer.state_dict()}
        file = self.folder / f"{stage}.pth"
        torch.save(content, file)
        out = self.round_trip(file, stage)
        back = torch.load(out, weights_only=True)
        self.say(f"{stage}: model as it was", differences(back["model"], content["model"]))
        state = differences(back["optimizer_model"]["state"], content["optimizer_model"]["state"])
        self.say(f"{stage}: optimiser's state as it was", state)
        groups = [
            {key: group[key] for key in ("params", "lr", "betas", "eps", "weight_decay", "group_id")}
            for group in back["optimizer_model"]["param_groups"]
        ]
        original = [{key: group[key] for key in groups[0]} for group in content["optimizer_model"]["param_groups"]]
        self.say(f"{stage}: optimiser's groups as they were", differences(groups, original))
        again = torch.load(self.round_trip(out, stage), weights_only=True)
        self.say(f"{stage}: imported again, the same to the bit", differences(again, back))

        other, its_optimizer = trained(stage)
        other.load_state_dict(back["model"])
        its_optimizer.load_state_dict(back["optimizer_model"])
        for one, two in zip(model.parameters(), other.parameters()):
            one.grad = two.grad = torch.randn_like(one)
        optimizer.step()
        its_optimizer.step()
        self.say(f"{stage}: PyTorch goes on alike", differences(other.state_dict(), model.state_dict()))
        self.storages(stage, state_dict(stage))
        self.refusals(stage, state_dict(stage))

    def storages(self, stage: str, weights: dict[str, Tensor]) -> None:
        half = {k: v.half() if v.is_floating_point() else v for k, v in weights.items()}
        widened = {k: v.float() if v.is_floating_point() else v for k, v in half.items()}
        brain = {k: v.bfloat16() if v.is_floating_point() else v for k, v in weights.items()}
        floats = {k: v for k, v in weights.items() if v.is_floating_point()}
        pool = torch.cat([v.flatten() for v in floats.values()])
        shared, at = dict(weights), 0
        for name, value in floats.items():
            shared[name] = pool[at : at + value.numel()].view(value.shape)
            at += value.numel()
        strided = {k: v.mT.contiguous().mT if v.dim() >= 2 else v for k, v in weights.items()}
        last = {k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v for k, v in weights.items()}
        for what, given, expected in (
            ("half precision", half, widened),
            ("bfloat16", brain, {k: v.float() if v.is_floating_point() else v for k, v in brain.items()}),
            ("one storage for all tensors", shared, weights),
            ("strided tensors", strided, weights),
            ("channels last", last, weights),
            ("double precision", {k: v.double() if v.is_floating_point() else v for k, v in weights.items()}, weights),
        ):
            file = self.folder / "variant.pth"
            torch.save({"model": given}, file)
            back = torch.load(self.round_trip(file, stage), weights_only=True)
            self.say(f"{stage}: {what}", differences(back["model"], expected))

    def refusals(self, stage: str, weights: dict[str, Tensor]) -> None:
        first, second = list(weights)[0], list(weights)[1]
        missing = {k: v for k, v in weights.items() if k != first}
        unexpected = {**weights, "extra.weight": torch.zeros(3)}
        misshapen = {**weights, first: torch.zeros(2, 3), second: torch.zeros(5)}
        legacy: dict[str, bool] = {"_use_new_zipfile_serialization": False}
        for what, content, words, how in (
            ("missing tensor", missing, ("missing", first), {}),
            ("unexpected tensor", unexpected, ("unexpected", "extra.weight"), {}),
            ("misshapen tensors", misshapen, ("misshapen", first, second), {}),
            ("old format", weights, ("PyTorch 1.6",), legacy),
        ):
            said = self.refused("refused", {"model": content}, stage, **how)
            lacking = [f"{word} is not in: {said[:400]}" for word in words if word not in said]
            self.say(f"{stage}: {what} is named", lacking)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    checks = Checks(folder)
    for stage in sys.argv[2:] or ("coarse", "refinement"):
        checks.stage(stage)


if __name__ == "__main__":
    main()
