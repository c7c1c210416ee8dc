"""Writes extras.pth in PyTorch's ZIP format: what people keep beside their weights, written by Python and NumPy
themselves. PyTorch is not needed; NumPy is (written with 2.4).

    python3 makeExtras.py extras.pth    (extras.2.pth and extras.4.pth, by the pickle protocol)
"""
import argparse, collections, io, pathlib, pickle, struct, sys, types, zipfile

import numpy

torch = types.ModuleType("torch")
utils = types.ModuleType("torch._utils")
tensor_module = types.ModuleType("torch._tensor")
sys.modules.update({"torch": torch, "torch._utils": utils, "torch._tensor": tensor_module})


def named(module, name):
    kind = type(name, (), {"__module__": module.__name__, "__qualname__": name})
    setattr(module, name, kind)
    return kind


def function(module, name):
    def made(*arguments):
        raise NotImplementedError

    made.__module__, made.__name__, made.__qualname__ = module.__name__, name, name
    setattr(module, name, made)
    return made


for name in ("FloatStorage", "LongStorage", "BoolStorage"):
    named(torch, name)
rebuild, from_type = function(utils, "_rebuild_tensor_v2"), function(tensor_module, "_rebuild_from_type_v2")
Tensor, device = named(torch, "Tensor"), named(torch, "device")
device.__reduce__ = lambda self: (device, ("cuda", 0))


class Storage:
    def __init__(self, kind, key, count):
        self.kind, self.key, self.count = kind, key, count


class Written:
    """A tensor as torch.Tensor.__reduce_ex__ writes it; `more` is the metadata of a set negative bit."""

    def __init__(self, storage, shape, strides, *more, typed=False):
        self.call = (storage, 0, shape, strides, False, collections.OrderedDict(), *more)
        self.typed = typed

    def __reduce__(self):
        if self.typed:
            return (from_type, (rebuild, Tensor, self.call, {"note": "mine"}))
        return (rebuild, self.call)


class Pickler(pickle.Pickler):
    def persistent_id(self, item):
        if isinstance(item, Storage):
            return ("storage", getattr(torch, item.kind), item.key, "cpu", item.count)
        return None


floats = Storage("FloatStorage", "0", 3)
shared = Written(floats, (3,), (1,))
content = {
    "model": collections.OrderedDict(
        [
            ("plain", shared),
            ("negative", Written(floats, (3,), (1,), {"neg": True})),
            ("typed", Written(floats, (3,), (1,), typed=True)),
            ("tied", shared),
            ("large", Written(Storage("LongStorage", "1", 1), (), ())),
            ("flags", Written(Storage("BoolStorage", "2", 2), (2,), (1,))),
        ]
    ),
    "device": device(),
    "float": numpy.float64(0.25),
    "int": numpy.int64(2**40 + 1),
    "bool": numpy.bool_(True),
    "array": numpy.arange(6, dtype=">f4").reshape(2, 3),
    "columns": numpy.asfortranarray(numpy.arange(6, dtype="i2").reshape(2, 3)),
    "set": {3},
    "frozen": frozenset(["a"]),
    "bytes": b"\x00\xff",
    "none": b"",
    "bytearray": bytearray(b"ab"),
    "namespace": argparse.Namespace(lr=1e-3, tags=["x"], path=pathlib.PosixPath("runs/a")),
    "default": collections.defaultdict(list, {"k": [1]}),
    "pair": {(1, 2): "v"},
}
for protocol in (2, 4):
    buffer = io.BytesIO()
    Pickler(buffer, protocol).dump(content)
    with zipfile.ZipFile(sys.argv[1].replace(".pth", f".{protocol}.pth"), "w") as archive:
        archive.writestr("model/data.pkl", buffer.getvalue())
        archive.writestr("model/byteorder", "little")
        archive.writestr("model/data/0", struct.pack("<3f", 1, -2, 0.5))
        archive.writestr("model/data/1", struct.pack("<q", 2**53 - 1))
        archive.writestr("model/data/2", b"\x01\x00")
        archive.writestr("model/version", "3\n")
