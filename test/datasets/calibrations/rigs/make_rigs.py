"""Writes one rig of four cameras as calibration files of several programs, and where the programs' own libraries project
points of the world: numbers.json, px. The tests read the files and hold their projections against these.

    python -m venv venv && venv/bin/pip install opencv-python-headless==5.0.0.93 pycolmap==4.2.1 pyyaml==6.0.4
    venv/bin/python make_rigs.py

The files of OpenCV and COLMAP are written and projected by OpenCV and pycolmap. CMU Panoptic, multical, Kalibr (radtan) and
transforms.json define their lens as OpenCV's; so OpenCV projects, after their own definition of the pose. Metashape's
lens is projected by the formula of its manual (appendix "Camera models"), and by OpenCV where that has the same terms.
COLMAP, Metashape and transforms.json put the middle of the first pixel at (0.5, 0.5), the others at (0, 0).
"""

import json
import math
import os

import cv2
import numpy as np
import pycolmap
import yaml

here = os.path.dirname(os.path.abspath(__file__))
numbers = {}
size = (1600, 1200)


def path(*parts):
    file = os.path.join(here, *parts)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    return file


def look_at(centre, target=(0.01, -0.04, 0.02)):
    """World to camera of a camera that looks at the head; x right, y down, z forward."""
    centre, target = np.array(centre, float), np.array(target, float)
    forward = target - centre
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.03, 1, 0.02))
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return rotation, -rotation @ centre


# metres
poses = {
    "left_A": look_at((-0.62, 0.11, 0.83)),
    "right_B": look_at((0.71, -0.08, 0.77)),
    "top_C": look_at((0.05, 0.64, 0.81)),
    "front_A": look_at((-0.11, -0.21, 1.04)),
}
matrix = np.array([[2410.5, 0, 812.25], [0, 2398.75, 587.5], [0, 0, 1]])
lenses = {
    "left_A": [-0.21, 0.13, 0.0008, -0.0006, -0.05],
    "right_B": [-0.18, 0.09, 0, 0, 0],
    "top_C": [-0.11, 0.3, -0.0011, 0.0004, 0.02, 0.05, 0.17, -0.03],
    "front_A": [0.08, -0.04, 0.0002, 0.0003, 0.01, 0, 0, 0, 0.0004, -0.0002, 0.0003, 0.0001],
}
# World points about the head, metres; far enough out to reach the pictures' borders.
rng = np.random.default_rng(7)
points = np.round(rng.uniform(-0.17, 0.17, (12, 3)), 4)


def project(name, distortion, k=matrix):
    rotation, translation = poses[name]
    found, _ = cv2.projectPoints(points, cv2.Rodrigues(rotation)[0], translation, k, np.array(distortion, float))
    return found.reshape(-1, 2)


def note(rig, cameras, pixel_centre=0.0):
    """Cameras: where their library projects the points, px."""
    numbers[rig] = {
        "pixelCentre": pixel_centre,
        "points": (points * 1000).tolist(),
        "cameras": {name: np.asarray(found).tolist() for name, found in cameras.items()},
    }


def opencv():
    for extension in ["yml", "xml", "json", "yml.gz", "xml.gz"]:
        folder = extension.replace(".", "_")
        for name, (rotation, translation) in poses.items():
            file = cv2.FileStorage(path("opencv", folder, f"{name}.{extension}"), cv2.FILE_STORAGE_WRITE)
            file.write("calibration_time", "Sun 29 Nov 2026 16:00:00")
            file.write("image_width", size[0])
            file.write("image_height", size[1])
            file.write("flags", 0)
            file.write("fisheye_model", 0)
            file.write("camera_matrix", matrix)
            file.write("distortion_coefficients", np.array(lenses[name], float).reshape(-1, 1))
            # Of three channels, as C++ writes a cv::Vec3d.
            file.write("rvec", cv2.Rodrigues(rotation)[0].reshape(1, 1, 3))
            file.write("tvec", translation.reshape(1, 1, 3))
            file.write("avg_reprojection_error", 0.13)
            file.release()
    note("opencv", {name: project(name, lens) for name, lens in lenses.items()})


def opencv_arrays():
    """NumPy's arrays of one dimension, which OpenCV 5 writes as they are (opencv-nd-matrix)."""
    for (name, (rotation, translation)), extension in zip(poses.items(), ["yml", "xml", "json", "yaml"]):
        file = cv2.FileStorage(path("opencv", "arrays", f"{name}.{extension}"), cv2.FILE_STORAGE_WRITE)
        file.write("image_size", np.array(size, dtype=np.int32))
        file.write("camera_matrix", matrix)
        file.write("dist_coeffs", np.array(lenses[name], float))
        file.write("R", rotation)
        file.write("T", translation)
        file.release()


def stereo():
    """A pair as OpenCV's sample stereo_calib writes it, in two files; the world is the first camera."""
    (r1, t1), (r2, t2) = poses["left_A"], poses["right_B"]
    rotation = np.ascontiguousarray(r2 @ r1.T)
    translation = (t2 - rotation @ t1).reshape(3, 1)
    second = matrix + np.array([[5, 0, -7.5], [0, 4, 3.25], [0, 0, 0]])
    first_lens, second_lens = (np.array([lenses["left_A"]]), np.array([lenses["right_B"]]))
    file = cv2.FileStorage(path("opencv", "stereo", "intrinsics.yml"), cv2.FILE_STORAGE_WRITE)
    for name, value in {"M1": matrix, "D1": first_lens, "M2": second, "D2": second_lens}.items():
        file.write(name, value)
    file.release()
    rectified = cv2.stereoRectify(matrix, first_lens, second, second_lens, size, rotation, translation)
    file = cv2.FileStorage(path("opencv", "stereo", "extrinsics.yml"), cv2.FILE_STORAGE_WRITE)
    for name, value in zip(["R", "T", "R1", "R2", "P1", "P2", "Q"], [rotation, translation, *rectified]):
        file.write(name, value)
    file.release()
    note("stereo", {"1": project("left_A", first_lens), "2": project("right_B", second_lens, second)})
    numbers["stereo"]["points"] = (1000 * (points @ r1.T + t1)).tolist()


def easymocap():
    """EasyMocap's intri.yml and extri.yml: fields that carry the camera's name."""
    files = [cv2.FileStorage(path("easymocap", f"{name}.yml"), cv2.FILE_STORAGE_WRITE) for name in ["intri", "extri"]]
    for file in files:
        file.startWriteStruct("names", cv2.FileNode_SEQ)
        for name in poses:
            file.write("", name)
        file.endWriteStruct()
    for name, (rotation, translation) in poses.items():
        files[0].write(f"K_{name}", matrix)
        files[0].write(f"dist_{name}", np.array([lenses[name][:5]], float))
        files[1].write(f"R_{name}", cv2.Rodrigues(rotation)[0])
        files[1].write(f"Rot_{name}", rotation)
        files[1].write(f"T_{name}", translation.reshape(3, 1))
    for file in files:
        file.release()
    note("easymocap", {name: project(name, lenses[name][:5]) for name in poses})


def multical():
    """multical's calibration.json: poses by the first camera."""
    first, translation = poses["left_A"]
    cameras, camera_poses, found = {}, {}, {}
    for name, (r, t) in poses.items():
        lens = lenses[name][:5]
        cameras[name] = {"model": "standard", "image_size": list(size), "K": matrix.tolist(), "dist": [lens]}
        turn = r @ first.T
        key = name if name == "left_A" else f"{name}_to_left_A"
        camera_poses[key] = {"R": turn.tolist(), "T": (t - turn @ translation).tolist()}
        found[name] = project(name, lens)
    with open(path("multical", "calibration.json"), "w") as file:
        json.dump({"cameras": cameras, "camera_poses": camera_poses, "image_sets": {"rgb": []}}, file, indent=1)
    note("multical", found)
    numbers["multical"]["points"] = (1000 * (points @ first.T + translation)).tolist()


def panoptic():
    cameras = []
    for node, (name, (rotation, translation)) in enumerate(poses.items()):
        cameras.append(
            {
                "name": f"00_0{node}",
                "type": "hd",
                "resolution": list(size),
                "panel": 0,
                "node": node,
                "K": matrix.tolist(),
                "distCoef": lenses["left_A"],
                "R": rotation.tolist(),
                "t": (100 * translation).reshape(3, 1).tolist(),
            }
        )
    with open(path("panoptic", "calibration.json"), "w") as file:
        json.dump({"calibDataSource": "160422_mugs", "cameras": cameras}, file, indent=1)
    found = {f"00_0{node}": project(name, lenses["left_A"]) for node, name in enumerate(poses)}
    note("panoptic", found)


def kalibr():
    """Poses are a chain: T_cn_cnm1 takes points of the camera before to this one; the world is the first camera."""
    whole = []
    for rotation, translation in poses.values():
        transform = np.eye(4)
        transform[:3, :3], transform[:3, 3] = rotation, translation
        whole.append(transform)
    chain = {}
    found = {}
    for i, name in enumerate(poses):
        lens = lenses["left_A"][:4] if i < 3 else []
        camera = {
            "cam_overlaps": [j for j in range(4) if j != i],
            "camera_model": "pinhole",
            "distortion_coeffs": lens,
            "distortion_model": "radtan" if lens else "none",
            "intrinsics": [2410.5, 2398.75, 812.25, 587.5],
            "resolution": list(size),
            "rostopic": f"/cam{i}/image_raw",
        }
        if i > 0:
            step = whole[i] @ np.linalg.inv(whole[i - 1])
            camera["T_cn_cnm1"] = step.tolist()
        chain[f"cam{i}"] = camera
        found[f"cam{i}"] = project(name, lens if lens else [0, 0, 0, 0])
    with open(path("kalibr", "camchain.yaml"), "w") as file:
        yaml.safe_dump(chain, file)
    # The same places, as the first camera sees the world.
    first = whole[0]
    note("kalibr", found)
    numbers["kalibr"]["points"] = (1000 * (points @ first[:3, :3].T + first[:3, 3])).tolist()


def transforms():
    """Camera to world, with OpenGL's camera axes (y up, z backwards)."""
    frames = []
    flip = np.diag([1.0, -1, -1, 1])
    for name, (rotation, translation) in poses.items():
        world_to_camera = np.eye(4)
        world_to_camera[:3, :3], world_to_camera[:3, 3] = rotation, translation
        frames.append(
            {
                "file_path": f"./images/{name}.png",
                "sharpness": 31.2,
                "transform_matrix": (np.linalg.inv(world_to_camera) @ flip).tolist(),
            }
        )
    lens = lenses["left_A"][:4]
    shared = {
        "camera_angle_x": 2 * math.atan(size[0] / (2 * 2410.5)),
        "camera_angle_y": 2 * math.atan(size[1] / (2 * 2398.75)),
        "fl_x": 2410.5,
        "fl_y": 2398.75,
        "k1": lens[0],
        "k2": lens[1],
        "k3": 0,
        "k4": 0,
        "p1": lens[2],
        "p2": lens[3],
        "is_fisheye": False,
        "cx": 812.75,
        "cy": 588.0,
        "w": float(size[0]),
        "h": float(size[1]),
        "aabb_scale": 16,
        "frames": frames,
    }
    with open(path("transforms", "transforms.json"), "w") as file:
        json.dump(shared, file, indent=1)
    # Nerfstudio's: intrinsics of each frame.
    own = {key: shared[key] for key in ["fl_x", "fl_y", "cx", "cy", "k1", "k2", "p1", "p2"]}
    each = [{**frame, **own, "w": size[0], "h": size[1]} for frame in frames]
    nerfstudio = {"camera_model": "OPENCV", "frames": each, "ply_file_path": "sparse_pc.ply"}
    with open(path("transforms", "nerfstudio.json"), "w") as file:
        json.dump(nerfstudio, file, indent=1)
    # The middle of the first pixel is (0.5, 0.5).
    note("transforms", {name: project(name, lens) + 0.5 for name in poses}, pixel_centre=0.5)


def colmap():
    models = {
        "SIMPLE_PINHOLE": [2410.5, 812.75, 588.0],
        "PINHOLE": [2410.5, 2398.75, 812.75, 588.0],
        "SIMPLE_RADIAL": [2410.5, 812.75, 588.0, -0.21],
        "RADIAL": [2410.5, 812.75, 588.0, -0.21, 0.13],
        "OPENCV": [2410.5, 2398.75, 812.75, 588.0, *lenses["left_A"][:4]],
        "FULL_OPENCV": [2410.5, 2398.75, 812.75, 588.0, *lenses["top_C"]],
    }
    whole = pycolmap.Reconstruction()
    found = {}
    for i, (model, parameters) in enumerate(models.items(), 1):
        camera = pycolmap.Camera(model=model, width=size[0], height=size[1], params=parameters, camera_id=i)
        whole.add_camera_with_trivial_rig(camera)
        rotation, translation = list(poses.values())[i % 4]
        pose = pycolmap.Rigid3d(pycolmap.Rotation3d(rotation), translation)
        name = f"{model}.png"
        image = pycolmap.Image(name=name, camera_id=i, image_id=i)
        if i % 2 == 0:
            # An image that has features, and one that has none.
            image.points2D = pycolmap.Point2DList([pycolmap.Point2D([10.5, 20.25]), pycolmap.Point2D([1.5, 2.0])])
        whole.add_image_with_trivial_frame(image, pose)
        found[model] = np.array([camera.img_from_cam(pose * point) for point in points])
    os.makedirs(path("colmap", "text", ""), exist_ok=True)
    os.makedirs(path("colmap", "binary", ""), exist_ok=True)
    whole.write_text(path("colmap", "text"))
    whole.write_binary(path("colmap", "binary"))
    note("colmap", found, pixel_centre=0.5)
    # A rig of two cameras: poses of a frame and of the cameras in it.
    rigged = pycolmap.Reconstruction()
    rig = pycolmap.Rig(rig_id=1)
    found = {}
    names = list(poses)[:2]
    whole_poses = [pycolmap.Rigid3d(pycolmap.Rotation3d(r), t) for r, t in (poses[name] for name in names)]
    for i, name in enumerate(names, 1):
        camera = pycolmap.Camera(model="OPENCV", width=size[0], height=size[1], params=models["OPENCV"], camera_id=i)
        rigged.add_camera(camera)
        sensor = camera.sensor_id
        if i == 1:
            rig.add_ref_sensor(sensor)
        else:
            rig.add_sensor(sensor, whole_poses[1] * whole_poses[0].inverse())
        found[name] = np.array([camera.img_from_cam(whole_poses[i - 1] * point) for point in points])
    rigged.add_rig(rig)
    frame = pycolmap.Frame(frame_id=1, rig_id=1, rig_from_world=whole_poses[0])
    for i in (1, 2):
        frame.add_data_id(pycolmap.data_t(rigged.camera(i).sensor_id, i))
    rigged.add_frame(frame)
    for i, name in enumerate(names, 1):
        rigged.add_image(pycolmap.Image(name=f"smile.000012.{name}.png", camera_id=i, image_id=i, frame_id=1))
    rigged.register_frame(1)
    for kind in ["rig_text", "rig_binary"]:
        os.makedirs(path("colmap", kind, ""), exist_ok=True)
    rigged.write_text(path("colmap", "rig_text"))
    rigged.write_binary(path("colmap", "rig_binary"))
    note("colmapRig", found, pixel_centre=0.5)
    models = {int(value): name for name, value in pycolmap.CameraModelId.__members__.items() if int(value) >= 0}
    with open(path("colmap", "models.json"), "w") as file:
        counts = {}
        for number, name in sorted(models.items()):
            camera = pycolmap.Camera.create_from_model_id(1, pycolmap.CameraModelId(number), 1000.0, 1600, 1200)
            counts[name] = {"number": number, "parameters": len(camera.params)}
        json.dump(counts, file, indent=1)


def metashape_lens(x, y, t):
    """Metashape's manual: radial, decentring and affine terms; offset of the principal point from the picture's middle."""
    r2 = x * x + y * y
    radial = 1 + t["k1"] * r2 + t["k2"] * r2**2 + t["k3"] * r2**3 + t["k4"] * r2**4
    tangential = 1 + t["p3"] * r2 + t["p4"] * r2**2
    u = x * radial + (t["p1"] * (r2 + 2 * x * x) + 2 * t["p2"] * x * y) * tangential
    v = y * radial + (t["p2"] * (r2 + 2 * y * y) + 2 * t["p1"] * x * y) * tangential
    return (
        size[0] * 0.5 + t["cx"] + u * t["f"] + u * t["b1"] + v * t["b2"],
        size[1] * 0.5 + t["cy"] + v * t["f"],
    )


def photoscan(text, *lenses_of_text):
    """The same cameras as PhotoScan 1.2 wrote them: fx, fy, the principal point from the corner, P1 and P2 as OpenCV has them."""
    as_written = lambda terms: "".join(f"<{key}>{value!r}</{key}>\n" for key, value in terms.items() if value != 0)
    for terms in lenses_of_text:
        older = {"fx": terms["f"] + terms["b1"], "fy": terms["f"], "cx": size[0] / 2 + terms["cx"]}
        older.update({"cy": size[1] / 2 + terms["cy"], "skew": terms["b2"], "p1": terms["p2"], "p2": terms["p1"]})
        older.update({key: terms[key] for key in ["k1", "k2", "k3", "k4", "p3", "p4"]})
        assert as_written(terms) in text
        text = text.replace(as_written(terms), as_written(older))
    component = '<components next_id="1" active_id="0">\n<component id="0" label="Component 1">\n'
    for words in [component, "</component>\n</components>\n", ' component_id="0"']:
        text = text.replace(words, "")
    with open(path("metashape", "photoscan.xml"), "w") as file:
        file.write(text.replace('version="2.0.0"', 'version="1.2.0"'))


def metashape():
    usual = {"f": 2398.75, "cx": 12.75, "cy": -12, "b1": 11.75, "b2": 0, "k1": -0.21, "k2": 0.13, "k3": -0.05, "k4": 0}
    usual.update({"p1": -0.0006, "p2": 0.0008, "p3": 0, "p4": 0})
    further = {**usual, "b2": 1.5, "k4": 0.4, "p3": 0.2, "p4": -0.3}
    # The chunk's own world, and the way to the world in metres.
    scale, turn, shift = 0.37, cv2.Rodrigues(np.array([0.3, -0.5, 0.2]))[0], np.array([0.12, -0.34, 0.56])
    calibrations, cameras, found = [], [], {}
    for i, (name, (rotation, translation)) in enumerate(poses.items()):
        terms = further if name == "front_A" else usual
        values = "".join(f"<{key}>{value!r}</{key}>\n" for key, value in terms.items() if value != 0)
        calibrations.append(
            f'<sensor id="{i}" label="camera {i}" type="frame">\n<resolution width="1600" height="1200"/>\n'
            f'<property name="layer_index" value="0"/>\n<bands>\n<band label="Gray"/>\n</bands>\n'
            f'<data_type>uint8</data_type>\n'
            f'<calibration type="frame" class="initial">\n<resolution width="1600" height="1200"/>\n<f>2500</f>\n'
            f'</calibration>\n'
            f'<calibration type="frame" class="adjusted">\n<resolution width="1600" height="1200"/>\n{values}'
            f"</calibration>\n<covariance>\n<params>f cx cy</params>\n<coeffs>1 0 0 0 1 0 0 0 1</coeffs>\n</covariance>\n"
            f"</sensor>\n"
        )
        # Camera to world, then to the chunk.
        axes = turn.T @ rotation.T
        centre = turn.T @ (-rotation.T @ translation - shift) / scale
        transform = np.eye(4)
        transform[:3, :3], transform[:3, 3] = axes, centre
        row = " ".join(repr(float(value)) for value in transform.flatten())
        cameras.append(
            f'<camera id="{i}" sensor_id="{i}" component_id="0" label="{name}">\n<transform>{row}</transform>\n'
            f"<rotation_covariance>1 0 0 0 1 0 0 0 1</rotation_covariance>\n<orientation>1</orientation>\n</camera>\n"
        )
        inside = points @ rotation.T + translation
        found[name] = [metashape_lens(x / z, y / z, terms) for x, y, z in inside]
        if terms is usual:
            # OpenCV has the same terms, the tangential ones exchanged, and the middle of a pixel at whole numbers.
            k = np.array([[2410.5, 0, 812.25], [0, 2398.75, 587.5], [0, 0, 1]])
            assert np.allclose(project(name, lenses["left_A"], k) + 0.5, found[name], atol=1e-8)
    cameras.append('<camera id="9" sensor_id="0" label="not_aligned"/>\n')
    words = lambda values: " ".join(repr(float(value)) for value in np.ravel(values))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<document version="2.0.0">\n<chunk label="Chunk 1" enabled="true">\n'
        f'<sensors next_id="4">\n{"".join(calibrations)}</sensors>\n'
        '<components next_id="1" active_id="0">\n<component id="0" label="Component 1">\n<transform>\n'
        f'<rotation locked="false">{words(turn)}</rotation>\n<translation locked="false">{words(shift)}</translation>\n'
        f'<scale locked="false">{scale!r}</scale>\n</transform>\n</component>\n</components>\n'
        f'<cameras next_id="5" next_group_id="0">\n{"".join(cameras)}</cameras>\n'
        '<reference>LOCAL_CS["Local Coordinates (m)",LOCAL_DATUM["Local Datum",0],'
        'UNIT["metre",1,AUTHORITY["EPSG","9001"]]]</reference>\n'
        "<region>\n<center>0 0 0</center>\n</region>\n</chunk>\n</document>\n"
    )
    with open(path("metashape", "cameras.xml"), "w") as file:
        file.write(text)
    note("metashape", found, pixel_centre=0.5)
    photoscan(text, usual, further)


for make in [opencv, opencv_arrays, stereo, easymocap, multical, panoptic, kalibr, transforms, colmap, metashape]:
    make()
with open(path("numbers.json"), "w") as file:
    json.dump({"libraries": {"opencv": cv2.__version__, "pycolmap": pycolmap.__version__}, "rigs": numbers}, file)
