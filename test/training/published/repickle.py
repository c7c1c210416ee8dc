"""Reads a .pth with Python's own pickle, as torch.load does, and writes it again, as torch.save does; without PyTorch.

    python3 repickle.py IN.pth OUT.pth

Prints what a PyTorch user would find, as JSON.
"""
import collections, io, json, pickle, sys, types, zipfile

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": utils})
for name in ("FloatStorage", "LongStorage"):
    kind = type(name, (), {"__module__": "torch", "__qualname__": name})
    setattr(torch, name, kind)


class Storage:
    def __init__(self, kind, key, device, count):
        self.kind, self.key, self.device, self.count = kind, key, device, count


class Tensor:
    def __init__(self, *arguments):
        self.storage, self.offset, self.shape, self.strides, self.requires_grad, self.hooks = arguments

    def __reduce__(self):
        arguments = (self.storage, self.offset, self.shape, self.strides, self.requires_grad, self.hooks)
        return (utils._rebuild_tensor_v2, arguments)


def _rebuild_tensor_v2(*arguments):
    return Tensor(*arguments)


_rebuild_tensor_v2.__module__ = "torch._utils"
utils._rebuild_tensor_v2 = _rebuild_tensor_v2


class Unpickler(pickle.Unpickler):
    def persistent_load(self, id):
        assert id[0] == "storage"
        return Storage(*id[1:])


class Pickler(pickle.Pickler):
    def persistent_id(self, item):
        if isinstance(item, Storage):
            return ("storage", item.kind, item.key, item.device, item.count)
        return None


archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
folder = archive.namelist()[0].split("/")[0]
content = Unpickler(io.BytesIO(archive.read(folder + "/data.pkl"))).load()
model, optimizer = content["model"], content["optimizer_model"]
assert type(model) is collections.OrderedDict


def check(tensor):
    size = 1
    for side in tensor.shape:
        size *= side
    width = 4 if tensor.storage.kind is torch.FloatStorage else 8
    entry = archive.getinfo(f"{folder}/data/{tensor.storage.key}")
    assert entry.file_size == size * width == tensor.storage.count * width
    with open(sys.argv[1], "rb") as file:
        file.seek(entry.header_offset + 26)
        lengths = file.read(4)
    at = entry.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    assert at % 64 == 0, "torch.load(mmap=True) wants aligned storages"
    return list(tensor.shape)


json.dump(
    {
        "shapes": {name: check(tensor) for name, tensor in model.items()},
        "long": [name for name, tensor in model.items() if tensor.storage.kind is torch.LongStorage],
        "states": {i: {k: check(v) for k, v in state.items()} for i, state in optimizer["state"].items()},
        "groups": [
            {k: repr(v) for k, v in group.items() if k != "params"} | {"params": group["params"]}
            for group in optimizer["param_groups"]
        ],
    },
    sys.stdout,
)
# What PyTorch's state dicts carry besides: a BUILD of attributes.
model._metadata = collections.OrderedDict([("", {"version": 1})])
buffer = io.BytesIO()
Pickler(buffer, 2).dump(content)
with zipfile.ZipFile(sys.argv[2], "w") as copy:
    copy.writestr("model/data.pkl", buffer.getvalue())
    for name in archive.namelist():
        if "/data/" in name:
            copy.writestr("model/" + name.split("/", 1)[1], archive.read(name))
    copy.writestr("model/version", "3\n")
