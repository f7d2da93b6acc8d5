"""The body that the pages draw: its kinematics in JavaScript are those of body.py, its table hangs together."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from behaviors import body, shapes
from behaviors.joints import BODY_NAMES, JOINTS

NODE = shutil.which("node")
PLACES = """
const [path, table, lists] = JSON.parse(require("fs").readFileSync(0, "utf8"));
import(path).then(({ poses }) => {
  const placed = (angles) => [...poses(table, angles)].map(([joint, { turn, at }]) => [joint, turn, at]);
  console.log(JSON.stringify(lists.map(placed)));
});
"""
DRAWN_OUTSIDE_M = 0.030  # how far a drawn part may stand out of the shell that clearances are proved with


def random_angles(count):
    rng = np.random.default_rng(5)
    return [{j: rng.uniform(JOINTS[j].min_rad, JOINTS[j].max_rad) for j in BODY_NAMES} for _ in range(count)]


@pytest.mark.skipif(not NODE, reason="the body's JavaScript is tried with node, which is not installed")
def test_the_browser_puts_every_joint_where_body_py_puts_it():
    postures = [*body.POSTURES.values(), *random_angles(20)]
    lists = [[float(angles[joint]) for joint in BODY_NAMES] for angles in postures]
    given = json.dumps([(shapes.WEB / "body.js").as_uri(), shapes.table(), lists])
    done = subprocess.run([NODE, "-e", PLACES], input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for angles, places in zip(postures, json.loads(done.stdout), strict=True):
        expected = body.frames({joint: np.array([angle]) for joint, angle in angles.items()})
        assert {joint for joint, _, _ in places} == set(expected)
        for joint, turn, at in places:
            assert at == pytest.approx(expected[joint][0, :3, 3], abs=1e-3), joint
            assert np.reshape(turn, (3, 3)) == pytest.approx(expected[joint][0, :3, :3], abs=1e-3), joint


def test_every_drawn_part_hangs_on_a_joint_and_every_lamp_on_a_part():
    table = shapes.table()
    joints = {None, *(joint for joint, _, _, _ in table["links"])}
    assert all(part["joint"] in joints for part in table["parts"])
    assert {lamp["part"] for lamp in table["lamps"]} <= {part["name"] for part in table["parts"]}
    assert table["joints"] == list(BODY_NAMES) and len(table["stand"]) == len(BODY_NAMES)


def test_the_right_side_is_drawn_as_the_mirror_image_of_the_left():
    parts = {part["name"]: part for part in shapes.table()["parts"]}
    for name, left in parts.items():
        if name.startswith("left"):
            signs = [1, -1, 1, 1, 1, -1, 1]
            mirrored = [[s * v for s, v in zip(signs, ball, strict=False)] for ball in left["balls"]]
            assert parts[name.replace("left", "right")]["balls"] == mirrored


@pytest.mark.parametrize("name", [name for name in body.CAPSULES if name not in ("chest", "belly", "pelvis")])
def test_a_limb_is_drawn_where_its_capsule_is(name):
    capsule = body.CAPSULES[name]
    drawn = {part["name"]: part for part in shapes.table()["parts"]}[name.replace("hand", "palm")]
    assert drawn["joint"] == capsule.joint
    line = np.linspace(capsule.start, capsule.end, 50)
    for x, y, z, radius, *_ in drawn["balls"]:
        gap_m = np.linalg.norm(line - (x, y, z), axis=1).min()
        assert gap_m + radius - capsule.radius_m < DRAWN_OUTSIDE_M
