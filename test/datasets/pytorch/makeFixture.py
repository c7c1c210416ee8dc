"""Writes fixture.pth in PyTorch's ZIP format with Python's own pickle module; PyTorch itself is not needed.

    python3 makeFixture.py fixture.pth
"""
import collections, io, pickle, struct, sys, types, zipfile

torch = types.ModuleType("torch")
utils = types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": utils})


def named(module, name):
    kind = type(name, (), {})
    kind.__module__ = module.__name__
    kind.__qualname__ = name
    setattr(module, name, kind)
    return kind


for name in ("FloatStorage", "HalfStorage", "LongStorage", "BFloat16Storage"):
    named(torch, name)


def _rebuild_tensor_v2(*arguments):
    raise NotImplementedError


_rebuild_tensor_v2.__module__ = "torch._utils"
utils._rebuild_tensor_v2 = _rebuild_tensor_v2


class Storage:
    def __init__(self, kind, key, count):
        self.kind, self.key, self.count = kind, key, count


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def __reduce__(self):
        return (utils._rebuild_tensor_v2, (self.storage, self.offset, self.shape, self.strides, False, collections.OrderedDict()))


class Pickler(pickle.Pickler):
    def persistent_id(self, item):
        if isinstance(item, Storage):
            return ("storage", getattr(torch, item.kind), item.key, "cuda:0", item.count)
        return None


floats = Storage("FloatStorage", "0", 6)
halves = Storage("HalfStorage", "1", 3)
counts = Storage("LongStorage", "2", 1)
brains = Storage("BFloat16Storage", "3", 2)
state = collections.OrderedDict(
    [
        ("plain", Tensor(floats, 0, (2, 3), (3, 1))),
        ("transposed", Tensor(floats, 0, (3, 2), (1, 3))),
        ("shared_tail", Tensor(floats, 4, (2,), (1,))),
        ("half", Tensor(halves, 0, (3,), (1,))),
        ("bn.num_batches_tracked", Tensor(counts, 0, (), ())),
        ("brain", Tensor(brains, 0, (2,), (1,))),
    ]
)
content = {
    "model": state,
    "optimizer_model": {"state": {0: {"step": 7}}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0, 1]}]},
    "big": 2**40,
    "negative": -3,
    "text": "ü",
    "nothing": None,
    "yes": True,
}
buffer = io.BytesIO()
Pickler(buffer, 2).dump(content)
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("model/data.pkl", buffer.getvalue())
    archive.writestr("model/byteorder", "little")
    archive.writestr("model/data/0", struct.pack("<6f", 0, 1, 2, 3, 4, 5))
    archive.writestr("model/data/1", struct.pack("<3e", 1, -0.5, 6.103515625e-05))
    archive.writestr("model/data/2", struct.pack("<q", 12345))
    archive.writestr("model/data/3", struct.pack("<2H", 0x3F80, 0xC040))
    archive.writestr("model/version", "3\n")
