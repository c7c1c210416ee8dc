"""Cases like the golden one, with other rigs and sizes: tempeh-flow's command line against PyTorch in float64.

    python bench/pytorch/held_out.py make two-views /tmp/two          # FaMoS folders, runs/STAGE with a whole .pth
    npx tempeh-flow predict coarse --coarse_model_run_dir /tmp/two/runs/coarse …   (`make` prints the command lines)
    python bench/pytorch/held_out.py compare two-views /tmp/two       # of both stages' predictions

Weights are those of the golden README's formula. The refinement starts from meshes of the case, not from the coarse
predictions, so that the stages are told apart.
"""

import argparse
import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from golden_case import read_obj, read_ply, read_view, state_dict, views_of
from networks import Coarse, Refinement
from surface import vertex_normals, visibility

FRAME = ("subject_h", "seq_h", "000007")
OPTIONS = Path(__file__).resolve().parents[2] / "test" / "configs" / "publishedOptions.json"
# What the golden README allows for coarse and refined vertices, mm.
TOLERANCES = {"coarse": 0.048, "refinement": 0.001}


@dataclass(frozen=True)
class Case:
    views: int
    vertices: int = 642
    sensor: tuple[int, int] = (1600, 1200)  # width, height; images are stored at a quarter
    distortion: float = 1.0  # times the golden rig's
    off_size: tuple[int, int] = (0, 0)  # by how much images are larger than calibrated, pixels
    seed: int = 1


CASES = {
    "two-views": Case(views=2, seed=2),
    "three-views-odd": Case(views=3, sensor=(1603, 1211), seed=3),
    "off-size": Case(views=4, sensor=(1444, 1092), off_size=(13, -9), seed=4),
    "strong-distortion": Case(views=4, distortion=12.0, seed=5),
    "paper": Case(views=16, vertices=5023, seed=6),
}


def write_png(path: Path, image: np.ndarray) -> None:
    """8-bit RGB `(H, W, 3)`."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = image.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows, 3)) + chunk(b"IEND", b""))


def picture(random: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Random blobs of several sizes. `(H, W, 3)`, 8 bits."""
    image = np.zeros((height, width, 3))
    for cells in (4, 12, 40, 120):
        coarse = random.normal(size=(cells, cells, 3))
        y = (np.linspace(0, cells - 1.001, height))[:, None]
        x = (np.linspace(0, cells - 1.001, width))[None]
        i, j, v, u = y.astype(int), x.astype(int), (y % 1)[..., None], (x % 1)[..., None]
        upper = coarse[i, j] * (1 - u) + coarse[i, j + 1] * u
        lower = coarse[i + 1, j] * (1 - u) + coarse[i + 1, j + 1] * u
        image += upper * (1 - v) + lower * v
    return np.clip(128 + 40 * image, 0, 255).astype(np.uint8)


def calibration(random: np.random.Generator, case: Case, index: int, portrait: bool) -> str:
    """A camera on a ring about the head that looks at it, as a `.tka`."""
    angle = 2 * np.pi * index / case.views + random.uniform(-0.1, 0.1)
    centre = np.array([1000 * np.sin(angle), random.uniform(-250, 150), 1000 * np.cos(angle)])
    forward = np.array([0, -50, 0]) + random.uniform(-20, 20, 3) - centre
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    width, height = case.sensor[::-1] if portrait else case.sensor
    if portrait:
        # Held sideways: what is right in the world is down in the image.
        rotation = np.stack([-rotation[1], rotation[0], rotation[2]])
    rows = "".join(" ".join(f"{x:.9f}" for x in row) + " \n" for row in rotation)
    k = case.distortion * random.uniform(3e-4, 7e-4) * random.choice([-1, 1])
    return (
        f"# camera\n{rows}X= {centre[0]:.6f}\nY= {centre[1]:.6f}\nZ= {centre[2]:.6f}\n"
        f"f= {random.uniform(13, 15):.6f}\nK= {k:.11f}\nK2= {case.distortion * 1.5e-6:.11f}\nS= 0\n"
        f"x= 0.005500\ny= 0.005505\na= {width / 2 + random.uniform(-9, 9):.4f}\n"
        f"b= {height / 2 + random.uniform(-9, 9):.4f}\nis= {width} {height}\nc= 1\n"
    )


def head(vertices: int) -> tuple[np.ndarray, np.ndarray]:
    """A closed egg of so many vertices, mm. `(L, 3)`, `(F, 3)`"""
    sectors = int(np.sqrt(vertices - 2))
    rings = (vertices - 2) // sectors
    polar = np.pi * (np.arange(rings) + 1)[:, None] / (rings + 1)
    around = 2 * np.pi * np.arange(sectors)[None] / sectors
    sphere = np.stack(np.broadcast_arrays(np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)), -1)
    places = [*sphere.reshape(-1, 3), np.array([0.0, 1, 0]), np.array([0.0, -1, 0])]
    top, bottom = rings * sectors, rings * sectors + 1
    faces = []
    for s in range(sectors):
        t = (s + 1) % sectors
        faces += [(top, s, t), (bottom, (rings - 1) * sectors + t, (rings - 1) * sectors + s)]
        for r in range(rings - 1):
            a, b, c, d = r * sectors + s, r * sectors + t, (r + 1) * sectors + s, (r + 1) * sectors + t
            faces += [(a, c, b), (b, c, d)]
    for i in range(vertices - len(places)):
        # What the grid lacks is put into the middle of faces.
        face = faces[7 * i]
        places.append(np.mean([places[v] for v in face], 0))
        a, b, c = face
        faces[7 * i] = (a, b, len(places) - 1)
        faces += [(b, c, len(places) - 1), (c, a, len(places) - 1)]
    unit = np.array(places)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    bumps = 1 + 0.05 * np.sin(5 * unit[:, :1]) * np.cos(4 * unit[:, 1:2]) + 0.03 * np.sin(6 * unit[:, 2:])
    return unit * bumps * [80, 115, 95] + [0, -50, 0], np.array(faces)


def write_ply(path: Path, vertices: np.ndarray, faces: np.ndarray) -> None:
    """Of mm, in metres."""
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(vertices)}\n"
    header += "property float x\nproperty float y\nproperty float z\n"
    header += f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    rows = np.zeros(len(faces), dtype=[("n", "u1"), ("v", "<i4", 3)])
    rows["n"], rows["v"] = 3, faces
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode() + (vertices / 1000).astype("<f4").tobytes() + rows.tobytes())


def make(case: Case, folder: Path) -> None:
    random = np.random.default_rng(case.seed)
    subject, sequence, number = FRAME
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "list.json").write_text(json.dumps([FRAME]))
    for index in range(case.views):
        camera, portrait = f"{index // 2:02d}_{'AB'[index % 2]}", index % 2 == 1
        tka = folder / "calibrations" / subject / sequence / f"{camera}.tka"
        tka.parent.mkdir(parents=True, exist_ok=True)
        tka.write_text(calibration(random, case, index, portrait))
        size = [side // 4 + off for side, off in zip(case.sensor, case.off_size)]
        width, height = size[::-1] if portrait else size
        file = folder / "images" / subject / sequence / number / f"{sequence}.{number}.{camera}.png"
        write_png(file, picture(random, width, height))
    vertices, faces = head(case.vertices)
    lines = [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in vertices / 1000]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    (folder / "template.obj").write_text("\n".join(lines) + "\n")
    coarse = vertices + random.normal(size=3) * 3 + 1.5 * np.sin(vertices / 17)
    write_ply(folder / "meshes" / subject / sequence / f"{sequence}.{number}.ply", coarse, faces)
    options = json.loads(OPTIONS.read_text())
    for stage in ("coarse", "refinement"):
        run = folder / "runs" / stage
        (run / "checkpoints").mkdir(parents=True, exist_ok=True)
        torch.save({"model": state_dict(stage, case.vertices)}, run / "checkpoints" / "model_00150000.pth")
        (run / "config.json").write_text(json.dumps({"train": options[stage]}))
        more = " --coarse_prediction_root_dir meshes" if stage == "refinement" else ""
        print(
            f"tempeh-flow predict {stage} --{stage}_model_run_dir runs/{stage}{more} --data_list_fname list.json"
            f" --image_directory images --calibration_directory calibrations --template template.obj --out_dir {stage}"
        )


def predict(stage: str, folder: Path, dtype: torch.dtype) -> torch.Tensor:
    """Vertices, mm. `(L, 3)`"""
    subject, sequence, number = FRAME
    template, faces = read_obj(folder / "template.obj")
    names = sorted(path.stem for path in (folder / "calibrations" / subject / sequence).iterdir())
    factor = 8 if stage == "coarse" else 4
    views = views_of([[read_view(FRAME, name, factor, folder) for name in names]]).to(dtype)
    model = Coarse(len(template)) if stage == "coarse" else Refinement(vertex_chunk=128)
    model.load_state_dict(state_dict(stage, len(template)))
    model = model.to(dtype).eval()
    with torch.no_grad():
        if stage == "coarse":
            return model(views)[0]
        file = folder / "meshes" / subject / sequence / f"{sequence}.{number}.ply"
        coarse = torch.from_numpy(read_ply(file))[None].to(dtype)
        seen = visibility(coarse, faces, views, model.size.visibility_resolution)
        return model(views, coarse, vertex_normals(coarse, faces), seen, template.to(dtype))[0]


def compare(folder: Path, stages: list[str]) -> None:
    subject, sequence, number = FRAME
    for stage in stages:
        exact = predict(stage, folder, torch.float64).numpy()
        ours = read_ply(folder / stage / subject / sequence / f"{sequence}.{number}.ply")
        off = np.abs(ours - exact).max(1)
        single = np.abs(predict(stage, folder, torch.float32).numpy() - exact).max(1)
        beyond = (off > TOLERANCES[stage]).sum()
        print(
            f"{folder.name} {stage}: off by {off.max():.3g} mm (median {np.median(off):.3g}), "
            f"{beyond} of {len(off)} vertices beyond {TOLERANCES[stage]}; PyTorch in float32 by {single.max():.3g} "
            f"(median {np.median(single):.3g}), {(single > TOLERANCES[stage]).sum()} beyond",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", "compare"))
    parser.add_argument("case", choices=tuple(CASES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stage", choices=("coarse", "refinement"), action="append")
    options = parser.parse_args()
    if options.what == "make":
        make(CASES[options.case], options.folder)
    else:
        compare(options.folder, options.stage or ["coarse", "refinement"])


if __name__ == "__main__":
    main()
