"""Reads the golden case (test/golden/README.md) for PyTorch: weights by formula, inputs of both stages from files."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from losses import LossWeights, Targets
from projection import Views

GOLDEN = Path(__file__).resolve().parents[2] / "test" / "golden"
FRAMES = (("subject_000", "seq_a", "000001"), ("subject_001", "seq_a", "000002"))
CAMERAS = ("00_A", "00_B", "01_A", "01_B")


def hashed(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.uint32)
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def by_formula(name: str, shape: list[int], bound: float) -> np.ndarray:
    """Element i is float32((hash(i xor fnv) / 2^31 - 1) * bound)."""
    fnv = 0x811C9DC5
    for byte in name.encode():
        fnv = ((fnv ^ byte) * 0x01000193) & 0xFFFFFFFF
    indices = np.arange(int(np.prod(shape)), dtype=np.uint32) ^ np.uint32(fnv)
    return ((hashed(indices) / 2.0**31 - 1) * bound).astype(np.float32).reshape(shape)


def state_dict(stage: str, vertices: int | None = None) -> dict[str, Tensor]:
    """By the golden README's formula; with `vertices`, for another topology than the golden one."""
    shapes = json.loads((GOLDEN / stage / "state_dict.json").read_text())
    bounds = json.loads((GOLDEN / stage / "weight_bounds.json").read_text())
    small = np.load(GOLDEN / stage / "weights_small.npz")
    state = {}
    for name, shape in shapes.items():
        of_topology = stage == "coarse" and ".output_layer." in name and vertices not in (None, shape[0])
        if of_topology:
            shape = [vertices, *shape[1:]]
        known = name in small.files and not of_topology
        stored = small[name] if known else by_formula(name, shape, bounds.get(name, 0.1))
        state[name] = torch.from_numpy(np.array(stored).reshape(shape))
    return state


def array(name: str) -> np.ndarray:
    return np.load(GOLDEN / f"{name}.npy")


def entry(name: str) -> dict:
    return json.loads((GOLDEN / "index.json").read_text())[name]


def read_png(path: Path) -> np.ndarray:
    """8-bit RGB without interlacing. `(H, W, 3)`"""
    data = path.read_bytes()
    at, packed, width, height = 8, b"", 0, 0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", body)
            assert (depth, colour) == (8, 2), path
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 3 * width)
    image = np.zeros((height, 3 * width), np.uint8)
    above = np.zeros(3 * width, np.int64)
    for y, row in enumerate(rows):
        line = row[1:].astype(np.int64)
        if row[0] == 1:
            for channel in range(3):
                line[channel::3] = np.cumsum(line[channel::3])
        elif row[0] == 2:
            line += above
        elif row[0] in (3, 4):
            for i in range(3 * width):
                left = line[i - 3] if i >= 3 else 0
                corner = above[i - 3] if i >= 3 else 0
                if row[0] == 3:
                    predicted = (left + above[i]) // 2
                else:
                    p = left + above[i] - corner
                    far = (abs(p - left), abs(p - above[i]), abs(p - corner))
                    predicted = (left, above[i], corner)[far.index(min(far))]
                line[i] = (line[i] + predicted) & 255
        line &= 255
        image[y] = line
        above = line
    return image.reshape(height, width, 3)


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Gaussian blur and bilinear interpolation, per axis, both mirrored at the edge pixels (method 6)."""
    for axis, target in ((0, height), (1, width)):
        size = image.shape[axis]
        if size == target:
            continue
        factor = size / target
        sigma = max(0.0, (factor - 1) / 2)
        moved = np.moveaxis(image, axis, 0)
        if sigma > 0:
            radius = int(4 * sigma + 0.5)
            kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
            kernel /= kernel.sum()
            padded = np.pad(moved, [(radius, radius)] + [(0, 0)] * (moved.ndim - 1), mode="reflect")
            moved = sum(k * padded[i : i + size] for i, k in enumerate(kernel))
        position = np.abs((np.arange(target) + 0.5) * factor - 0.5)
        position = np.minimum(position, 2 * (size - 1) - position)
        low = np.minimum(position.astype(int), size - 2)
        part = (position - low).reshape(-1, *[1] * (moved.ndim - 1))
        image = np.moveaxis(moved[low] * (1 - part) + moved[low + 1] * part, 0, axis)
    return image


def read_tka(path: Path, factor: int) -> dict:
    lines = path.read_text().splitlines()
    rotation = np.array([[float(x) for x in line.split()] for line in lines[1:4]])
    values = dict(line.split("=") for line in lines[4:] if "=" in line)
    values = {key.strip(): [float(x) for x in value.split()] for key, value in values.items()}
    width, height = (int(side) // factor for side in values["is"])
    focal = values["f"][0] / factor
    fx, fy = focal / values["x"][0], focal / values["y"][0]
    k, k2 = values["K"][0] * focal**2, values["K2"][0] * focal**4
    r = np.arange(1, 101) / 100 * np.hypot(width / fx, height / fy)
    u = r * (1 + k * r**2 + k2 * r**4)
    distortion = np.linalg.lstsq(np.stack([u**2, u**4], 1), r / u - 1, rcond=None)[0]
    centre = np.array([values["X"][0], values["Y"][0], values["Z"][0]])
    return {
        "size": (height, width),
        "intrinsics": np.array([[fx, 0, values["a"][0] / factor], [0, fy, values["b"][0] / factor], [0, 0, 1]]),
        "extrinsics": np.concatenate([rotation, -(rotation @ centre)[:, None]], 1),
        "distortion": distortion,
    }


def read_view(
    frame: tuple[str, str, str], camera: str, factor: int, root: Path = GOLDEN / "data"
) -> tuple[np.ndarray, ...]:
    subject, sequence, number = frame
    tka = read_tka(root / "calibrations" / subject / sequence / f"{camera}.tka", factor)
    file = root / "images" / subject / sequence / number / f"{sequence}.{number}.{camera}.png"
    height, width = tka["size"]
    image = resize(read_png(file) / 255.0, height, width)
    intrinsics = tka["intrinsics"]
    if height > width:
        image = np.rot90(image)
        intrinsics = np.array([[0, 1, 0], [-1, 0, width], [0, 0, 1]]) @ intrinsics
    image = (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return np.ascontiguousarray(np.moveaxis(image, -1, 0)), intrinsics, tka["extrinsics"], tka["distortion"]


def golden_views(stage: str, samples: int) -> Views:
    factor = 8 if stage == "coarse" else 4
    return views_of([[read_view(frame, camera, factor) for camera in CAMERAS] for frame in FRAMES[:samples]])


def views_of(of_samples: list[list[tuple[np.ndarray, ...]]]) -> Views:
    parts = [np.stack([np.stack([view[i] for view in sample]) for sample in of_samples]) for i in range(4)]
    # Float32 is what the network is given, whatever it computes in.
    return Views(*(torch.from_numpy(part.astype(np.float32)) for part in parts))


def read_ply(path: Path) -> np.ndarray:
    """Vertices of a PLY of float x, y, z; mm. `(L, 3)`"""
    header, body = path.read_bytes().split(b"end_header\n", 1)
    count = int(next(line for line in header.splitlines() if line.startswith(b"element vertex")).split()[2])
    if b"format ascii" in header:
        rows = [[float(x) for x in line.split()[:3]] for line in body.decode().splitlines()[:count]]
        return (np.array(rows) * 1000).astype(np.float32)
    fields = header.split(b"element face")[0].count(b"property")
    kind = "<f8" if b"property double" in header else "<f4"
    values = np.frombuffer(body, kind, count * fields).reshape(count, fields)[:, :3]
    return (values.astype(np.float64) * 1000).astype(np.float32)


def golden_meshes(folder: str, samples: int) -> Tensor:
    files = [GOLDEN / "data" / folder / s / q / f"{q}.{n}.ply" for s, q, n in FRAMES[:samples]]
    return torch.from_numpy(np.stack([read_ply(file) for file in files]))


def golden_template() -> tuple[Tensor, Tensor]:
    """Vertices in mm `(L, 3)`, faces `(F, 3)`."""
    return read_obj(GOLDEN / "data/template.obj")


def read_obj(path: Path) -> tuple[Tensor, Tensor]:
    lines = path.read_text().splitlines()
    vertices = [[float(x) for x in line.split()[1:4]] for line in lines if line.startswith("v ")]
    faces = [[int(x.split("/")[0]) - 1 for x in line.split()[1:4]] for line in lines if line.startswith("f ")]
    return torch.tensor(np.array(vertices) * 1000, dtype=torch.float32), torch.tensor(faces)


def golden_targets(stage: str, folder: str) -> tuple[Targets, LossWeights]:
    """What the recorded step of `train` or `train_running_statistics` was held against."""
    of_losses = f"{stage}/losses"
    targets = Targets(
        registration=golden_meshes("registrations", 2),
        scan=torch.from_numpy(array(f"{stage}/{folder}/scan")),
        faces=golden_template()[1],
        edges=torch.from_numpy(array(f"{of_losses}/edges")).long(),
        point_weights=torch.from_numpy(array(f"{of_losses}/point_weights")),
        edge_weights=torch.from_numpy(array(f"{of_losses}/edge_weights")),
        nearest=torch.from_numpy(array(f"{stage}/{folder}/face_index")).long(),
    )
    return targets, LossWeights(edges=1.0 if stage == "coarse" else 0.3)
