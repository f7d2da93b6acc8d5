"""Every behaviour in a physics simulator: does it stand, keep its hands off itself, and arrive?

The body is made of plain shapes: links and masses of nao_body.csv, capsules of body.py, and two flat soles.
Motors are held to NAO's torques. It says what such a body does; a real NAO has gear play, warm motors and an
uneven floor besides. PC only, with the extra [physics]; nothing else in this project imports pybullet.
"""

import csv
import math
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from behaviors import body, rules
from behaviors.joints import GESTURE_NAMES, JOINTS, STAND, ankle_roll_limits
from behaviors.keyframes import Behavior, BehaviorError

HERE = Path(__file__).parent
STEP_S = 1 / 240  # pybullet's own
SETTLE_S = 0.5  # on the ground before a behaviour, and after it until it is judged
ALLOWED_END_RAD = 0.05
ALLOWED_TILT_RAD = math.radians(3)
ALLOWED_DRIFT_M = 0.010
ALLOWED_SOLE_M = 0.005  # left between the centre of pressure and the edge of the feet
SOLE_M = ((-0.050, 0.095), 0.040)  # from the ankle: back and front, half the width; by the bumper and the FSRs
SOLE_Z_M = -0.04511
SOLE_THICK_M = 0.010
MECHANICAL = tuple(joint for joint in GESTURE_NAMES if not joint.endswith("Hand"))


class Run(NamedTuple):
    """What a body of plain shapes did in one behaviour."""

    name: str
    emotion: str
    times_s: np.ndarray  # (T,), every rules.STEP_S
    angles: dict[str, np.ndarray]  # {joint: (T,) rad} as measured; hands as commanded
    end_error_rad: float  # the farthest joint from Stand, SETTLE_S after the end
    lag_rad: float  # the farthest that a joint was from its path on the way
    slowest: str  # that joint
    tilt_rad: float  # of the torso from how it stood at first, at most
    drift_m: float  # of the torso over the ground, likewise
    sole_m: float  # the least distance of the centre of pressure from the edge of the feet, along x
    ankle_rad: float  # the least room of an ankle's roll within what its pitch allows
    gap_m: float  # the least between two parts, by pybullet's own reckoning
    nearest: str

    @property
    def troubles(self) -> list[str]:
        """Why it must not be played, each in a sentence."""
        found = []
        if self.tilt_rad > ALLOWED_TILT_RAD:
            text = "leans %.1f degrees from how it stood; at most %.1f is allowed."
            found.append(text % (math.degrees(self.tilt_rad), math.degrees(ALLOWED_TILT_RAD)))
        if self.drift_m > ALLOWED_DRIFT_M:
            text = "slides or steps by %.0f mm; at most %.0f is allowed."
            found.append(text % (1000 * self.drift_m, 1000 * ALLOWED_DRIFT_M))
        if self.sole_m < ALLOWED_SOLE_M:
            text = "shifts its weight to %.0f mm from the edge of the feet; at least %.0f is allowed."
            found.append(text % (1000 * self.sole_m, 1000 * ALLOWED_SOLE_M))
        if self.ankle_rad < 0:
            text = "turns an ankle %.3f rad beyond the roll that its pitch allows."
            found.append(text % -self.ankle_rad)
        if self.gap_m <= 0:
            found.append(f"touches itself: {self.nearest} overlap by {-1000 * self.gap_m:.0f} mm.")
        if self.end_error_rad > ALLOWED_END_RAD:
            text = "ends %.3f rad from Stand; at most %.2f is allowed."
            found.append(text % (self.end_error_rad, ALLOWED_END_RAD))
        return found


def engine():
    """The module pybullet; raises BehaviorError with one line where it is not installed."""
    try:
        import pybullet
    except ImportError:
        raise BehaviorError(
            ["physics: pybullet is not installed: pip install -e '.[physics]' (for Python 3.10 and 3.11)."]
        ) from None
    return pybullet


class World:
    """A floor and a NAO of plain shapes that stands on it: `play` one behaviour, then `close`."""

    def __init__(self):
        self._bullet = engine()
        self._client = self._bullet.connect(self._bullet.DIRECT)
        with tempfile.TemporaryDirectory() as folder:
            self._load(Path(folder))
        names = [self._call("getJointInfo", self._nao, i) for i in range(self._call("getNumJoints", self._nao))]
        self._index = {info[1].decode(): info[0] for info in names}
        self._link = {row["joint"]: self._index[row["joint"]] for row in links() if row["joint"]} | {None: -1}
        self._torque = {row["joint"]: float(row["torque"]) for row in links() if row["joint"]}
        self._call("setGravity", 0, 0, -9.81)
        self._stand()

    def _call(self, function: str, *arguments, **named):
        return getattr(self._bullet, function)(*arguments, physicsClientId=self._client, **named)

    def _load(self, folder: Path) -> None:
        for name, text in (("floor", FLOOR), ("nao", urdf())):
            (folder / f"{name}.urdf").write_text(text, "ascii")
        self._floor = self._call("loadURDF", str(folder / "floor.urdf"), useFixedBase=True)
        as_written = self._bullet.URDF_USE_INERTIA_FROM_FILE
        self._nao = self._call("loadURDF", str(folder / "nao.urdf"), flags=as_written)
        for one in (self._floor, self._nao):
            for link in range(-1, self._call("getNumJoints", one)):
                self._call("changeDynamics", one, link, lateralFriction=0.8)

    def close(self) -> None:
        self._bullet.disconnect(self._client)

    def play(self, behavior: Behavior) -> Run:
        """Stand, play it, stand; what was measured on the way."""
        self._live({}, SETTLE_S)
        place, leaning = self._torso()
        count = math.ceil((behavior.duration_s + SETTLE_S) / rules.STEP_S) + 1
        wanted, measured = {joint: [] for joint in MECHANICAL}, {joint: [] for joint in MECHANICAL}
        drifts, tilts, margins, ankles, nearest = [], [], [], [], (math.inf, "-")
        for i in range(count):
            pose = behavior.evaluate(i * rules.STEP_S)
            for joint in MECHANICAL:
                wanted[joint].append(pose.get(joint, STAND[joint]))
                measured[joint].append(self._angle(joint))
            now, lean = self._torso()
            drifts.append(float(np.linalg.norm(now - place)))
            tilts.append(float(np.linalg.norm(lean - leaning)))
            margins.append(self._margin_m())
            ankles.append(min(self._ankle_room(side) for side in "LR"))
            nearest = min(nearest, self._nearest())
            self._live(behavior.evaluate((i + 1) * rules.STEP_S), rules.STEP_S)
        lags = {joint: float(np.abs(np.array(wanted[joint]) - measured[joint]).max()) for joint in MECHANICAL}
        slowest = max(lags, key=lags.get)
        times_s = np.arange(count) * rules.STEP_S
        hands = {
            joint: np.array([behavior.evaluate(t)[joint] for t in times_s])
            for joint in behavior.joints
            if joint.endswith("Hand")
        }
        return Run(
            behavior.name, behavior.emotion, times_s,
            {joint: np.array(path) for joint, path in measured.items()} | hands,
            max(abs(path[-1] - STAND[joint]) for joint, path in measured.items()),
            lags[slowest], slowest, max(tilts), max(drifts), min(margins), min(ankles),
            *nearest,
        )  # fmt: skip

    def _stand(self) -> None:
        """In Stand, just above the floor."""
        pose = {**body.LEGS_IN_STAND, **STAND}
        sole = body.in_torso(body.frames({})["LAnkleRoll"], (0, 0, SOLE_Z_M - SOLE_THICK_M))[0]
        self._call("resetBasePositionAndOrientation", self._nao, (0, 0, -sole[2] + 0.002), (0, 0, 0, 1))
        for joint in self._torque:
            self._call("resetJointState", self._nao, self._index[joint], pose[joint])

    def _live(self, angles: dict[str, float], seconds: float) -> None:
        """Drive all joints towards these angles, those that are missing towards Stand, for some seconds."""
        pose = {**body.LEGS_IN_STAND, **STAND, **angles}
        joints = list(self._torque)
        self._call(
            "setJointMotorControlArray", self._nao, [self._index[joint] for joint in joints],
            self._bullet.POSITION_CONTROL, targetPositions=[pose[joint] for joint in joints],
            forces=[self._torque[joint] for joint in joints], positionGains=[0.3] * len(joints),
            velocityGains=[1.0] * len(joints),
        )  # fmt: skip
        for _ in range(round(seconds / STEP_S)):
            self._call("stepSimulation")

    def _torso(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the torso is over the ground (2,) in m, and how far it is rolled and pitched (2,) in rad."""
        place, turned = self._call("getBasePositionAndOrientation", self._nao)
        return np.array(place[:2]), np.array(self._bullet.getEulerFromQuaternion(turned)[:2])

    def _angle(self, joint: str) -> float:
        return self._call("getJointState", self._nao, self._index[joint])[0]

    def _ankle_room(self, side: str) -> float:
        """How far the ankle's roll is inside its coupled limits, rad; negative beyond them."""
        low, high = ankle_roll_limits(side + "AnkleRoll", self._angle(side + "AnklePitch"))
        roll = self._angle(side + "AnkleRoll")
        return min(roll - low, high - roll)

    def _margin_m(self) -> float:
        """From the centre of pressure to the nearer of heel and toe, along x; -inf in the air."""
        touching = self._call("getContactPoints", self._nao, self._floor)
        weight = sum(contact[9] for contact in touching)
        if weight <= 0:
            return -math.inf
        at = sum(contact[9] * contact[5][0] for contact in touching) / weight
        ankles = [self._call("getLinkState", self._nao, self._link[side + "AnkleRoll"])[4][0] for side in "LR"]
        ankle = sum(ankles) / 2
        return min(at - ankle - SOLE_M[0][0], ankle + SOLE_M[0][1] - at)

    def _nearest(self) -> tuple[float, str]:
        """The least gap of all PAIRS in m (looked for up to 5 cm), and between which."""
        found = (0.05, "-")
        for a, b in body.PAIRS:
            first, second = self._link[body.CAPSULES[a].joint], self._link[body.CAPSULES[b].joint]
            for point in self._call("getClosestPoints", self._nao, self._nao, found[0], first, second):
                found = min(found, (point[8], f"{a} - {b}"))
        return found


FLOOR = """<robot name="floor"><link name="floor"><inertial><mass value="0"/>
<inertia ixx="0" ixy="0" ixz="0" iyy="0" iyz="0" izz="0"/></inertial>
<collision><origin xyz="0 0 -0.1"/><geometry><box size="4 4 0.2"/></geometry></collision></link></robot>"""


def links() -> list[dict[str, str]]:
    """The rows of nao_body.csv, parents before children."""
    with (HERE / "nao_body.csv").open(encoding="ascii") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def urdf() -> str:
    """The body as URDF text."""
    parts = ["<robot name='nao'>"]
    for row in links():
        shapes = [c for c in body.CAPSULES.values() if c.joint == (row["joint"] or None)]
        solid = [_capsule(c) for c in shapes if not row["joint"].endswith("AnkleRoll")]
        if row["joint"].endswith("AnkleRoll"):
            solid = [_sole()]
        parts.append(_LINK.format(**row) + "".join(solid) + "</link>")
        if row["joint"]:
            low, high, speed = JOINTS[row["joint"]][:3]
            parts.append(_JOINT.format(**row, low=low, high=high, speed=speed))
    return "\n".join([*parts, "</robot>"])


_LINK = """<link name='{link}'><inertial><origin xyz='{com_x} {com_y} {com_z}'/><mass value='{mass}'/>
<inertia ixx='{ixx}' ixy='{ixy}' ixz='{ixz}' iyy='{iyy}' iyz='{iyz}' izz='{izz}'/></inertial>"""
_JOINT = """<joint name='{joint}' type='revolute'><parent link='{parent}'/><child link='{link}'/>
<origin xyz='{x} {y} {z}'/><axis xyz='{axis_x} {axis_y} {axis_z}'/>
<limit lower='{low}' upper='{high}' effort='{torque}' velocity='{speed}'/></joint>"""
_SHAPE = "<collision><origin xyz='{0} {1} {2}' rpy='{3} {4} {5}'/><geometry>{6}</geometry></collision>"


def _capsule(c: body.Capsule) -> str:
    """A capsule along z, turned to lie from its start to its end."""
    start, end = np.array(c.start), np.array(c.end)
    length = float(np.linalg.norm(end - start))
    x, y, z = (end - start) / length
    pitch, yaw = math.acos(z), math.atan2(y, x)
    shape = f"<capsule radius='{c.radius_m}' length='{length}'/>"
    return _SHAPE.format(*(start + end) / 2, 0, pitch, yaw, shape)


def _sole() -> str:
    (back, front), half = SOLE_M
    shape = f"<box size='{front - back} {2 * half} {2 * SOLE_THICK_M}'/>"
    return _SHAPE.format((front + back) / 2, 0, SOLE_Z_M, 0, 0, 0, shape)


def play_all(behaviors: Iterable[Behavior]) -> list[Run]:
    """Each of them in a World of its own, so that what came before cannot matter."""
    runs = []
    for behavior in behaviors:
        world = World()
        try:
            runs.append(world.play(behavior))
        finally:
            world.close()
    return runs


def table(runs: list[Run]) -> str:
    """The runs as lines to print, what is allowed in the last one."""
    rows = [("behaviour", "emotion", "end error", "lag", "tilt", "drift", "sole left", "gap", "between")]
    for r in runs:
        rows.append((
            r.name, r.emotion, f"{r.end_error_rad:.4f} rad", f"{r.lag_rad:.2f} rad {r.slowest}",
            f"{math.degrees(r.tilt_rad):.2f}°", f"{1000 * r.drift_m:.1f} mm", f"{1000 * r.sole_m:.0f} mm",
            f"{1000 * r.gap_m:.0f} mm", r.nearest,
        ))  # fmt: skip
    rows.append((
        "allowed", "", f"<= {ALLOWED_END_RAD:g} rad", "", f"<= {math.degrees(ALLOWED_TILT_RAD):g}°",
        f"<= {1000 * ALLOWED_DRIFT_M:g} mm", f">= {1000 * ALLOWED_SOLE_M:g} mm", "> 0 mm", "",
    ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
