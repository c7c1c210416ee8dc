"""Writes a mesh_sampler.npz as a published run has it: pickled meshes and sparse matrices in arrays of objects. NumPy and
SciPy are the real ones; the class of the meshes has the module path of the one that published runs were written with.

    python3 makeMeshSampler.py ../../golden/data/template.obj mesh_sampler.npz
    python3 makeMeshSampler.py tetrahedron mesh_sampler_numpy2.npz

mesh_sampler.npz was written with NumPy 1.26.4 and SciPy 1.11.4, whose names are those of the time of the published runs;
mesh_sampler_numpy2.npz with NumPy 2.4.6 and SciPy 1.17.1.
"""
import sys, types

import numpy as np
import scipy.sparse as sparse

for name in ("psbody", "psbody.mesh", "psbody.mesh.mesh"):
    sys.modules[name] = types.ModuleType(name)


class Mesh(object):
    def __init__(self, v, f):
        self.v, self.f = v, f


Mesh.__module__ = "psbody.mesh.mesh"
sys.modules["psbody.mesh.mesh"].Mesh = Mesh

vertices, faces = [], []
tetrahedron = "v 0 0 0\nv 0.1 0 0\nv 0 0.1 0\nv 0 0 0.1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4"
for line in tetrahedron.split("\n") if sys.argv[1] == "tetrahedron" else open(sys.argv[1]):
    words = line.split()
    if words[:1] == ["v"]:
        vertices.append([float(word) for word in words[1:4]])
    elif words[:1] == ["f"]:
        faces.append([int(word.split("/")[0]) - 1 for word in words[1:4]])
v = np.array(vertices, dtype=np.float64) * 1000
f = np.array(faces, dtype=np.uint32)
count = len(v)

template = Mesh(v, f)
template.vt = np.zeros((4, 2))
template.ft = np.zeros((1, 3), dtype=np.uint32)
template.segm = {"head": [0, 1, 2], "neck": [3]}
template.landm = {"nose": 5}
template.landm_raw_xyz = {"nose": np.array([0.0, 1.0, 2.0])}
same = Mesh(v, f)

edges = np.unique(np.sort(np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]]), axis=1), axis=0)
rows = np.concatenate([edges[:, 0], edges[:, 1]])
columns = np.concatenate([edges[:, 1], edges[:, 0]])
adjacency = sparse.csc_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(count, count))
identity = sparse.eye(count, format="coo", dtype=np.float32)


def objects(*items):
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


np.savez(
    sys.argv[2],
    number_levels=2,
    sampled_meshes=objects(template, same),
    adj_matrices=objects(adjacency, adjacency.tocsr()),
    trafos_down=objects(identity),
    trafos_up=objects(identity.tocsr()),
    vertices_per_level=np.array([count, count]),
    upsampled_vertex_ids=objects(np.arange(3), np.zeros(0, dtype=np.int64)),
)
