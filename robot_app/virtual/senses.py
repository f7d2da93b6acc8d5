"""What the robot feels: touch, feet, balance, distances, heat, battery, and the keys that memory has for them.

One state, from which ALMemory, ALTouch, ALSonar and ALBattery all read. Nothing here moves the robot, and
nothing changes by itself but what follows from the body; the service VirtualNAO (faults.py) changes it.
"""

import math
from typing import NamedTuple

from . import body

GRAVITY_M_S2 = 9.81
WEIGHT_KG = 5.4
COOL_C, HOT_C = 38.0, 85.0
FAR_M = 5.0  # what a sonar says where nothing is near
LEAN_RAD = {"LyingBelly": math.pi / 2, "LyingBack": -math.pi / 2}
DEVICE = "Device/SubDeviceList/"


class Sensor(NamedTuple):
    """A place that feels a touch.

    event   the key of ALMemory that is raised, None for those without one
    device  the sensor's own key, after DEVICE
    part    what ALTouch calls it, and the part of the body that it belongs to
    """

    event: str | None
    device: str
    part: tuple[str, str]


# In the order of ALTouch.getStatus, where the parts of BODY come before them.
BODY = ("Head", "LArm", "LLeg", "RLeg", "RArm", "LHand", "RHand")
SENSORS = {
    "head": Sensor("FrontTactilTouched", "Head/Touch/Front", ("Head/Touch/Front", "Head")),
    "head middle": Sensor("MiddleTactilTouched", "Head/Touch/Middle", ("Head/Touch/Middle", "Head")),
    "head rear": Sensor("RearTactilTouched", "Head/Touch/Rear", ("Head/Touch/Rear", "Head")),
    "left bumper": Sensor("LeftBumperPressed", "LFoot/Bumper/Left", ("LFoot/Bumper/Left", "LLeg")),
    "left bumper inside": Sensor("LeftBumperPressed", "LFoot/Bumper/Right", ("LFoot/Bumper/Right", "LLeg")),
    "right bumper inside": Sensor("RightBumperPressed", "RFoot/Bumper/Left", ("RFoot/Bumper/Left", "RLeg")),
    "right bumper": Sensor("RightBumperPressed", "RFoot/Bumper/Right", ("RFoot/Bumper/Right", "RLeg")),
    "left hand": Sensor("HandLeftBackTouched", "LHand/Touch/Back", ("LHand/Touch/Back", "LHand")),
    "left hand left": Sensor("HandLeftLeftTouched", "LHand/Touch/Left", ("LHand/Touch/Left", "LHand")),
    "left hand right": Sensor("HandLeftRightTouched", "LHand/Touch/Right", ("LHand/Touch/Right", "LHand")),
    "right hand": Sensor("HandRightBackTouched", "RHand/Touch/Back", ("RHand/Touch/Back", "RHand")),
    "right hand left": Sensor("HandRightLeftTouched", "RHand/Touch/Left", ("RHand/Touch/Left", "RHand")),
    "right hand right": Sensor("HandRightRightTouched", "RHand/Touch/Right", ("RHand/Touch/Right", "RHand")),
    "chest": Sensor("ChestButtonPressed", "ChestBoard/Button", ("ChestBoard/Button", "")),
}
FSR = tuple(f"{foot}/FSR/{place}" for foot in ("LFoot", "RFoot")
            for place in ("FrontLeft", "FrontRight", "RearLeft", "RearRight"))  # fmt: skip


class Senses:
    """What a VirtualNAO feels now.

    pressed     the names out of SENSORS that are touched
    hot         joints whose motors are hot
    lifted      somebody holds it
    plugged     its charger is in
    """

    def __init__(self, nao):
        self.nao = nao
        self.pressed = set()
        self.hot = set()
        self.lifted = False
        self.plugged = False
        self._obstacles = (FAR_M, FAR_M)  # left, right
        self._seen_from = (0.0, 0.0, 0.0)

    # Distances

    def put_obstacles(self, left_m: float, right_m: float):
        """Something stands so far before the left and the right sonar, where the robot is now."""
        self._obstacles = (left_m, right_m)
        self._seen_from = tuple(self.nao["ALMotion"].walk.position())

    def distances_m(self) -> tuple[float, float]:
        """How far the left and the right sonar see, at most FAR_M; the nearer, the further the robot walked."""
        x, y, theta = self._seen_from
        now = self.nao["ALMotion"].walk.position()
        gone = (now[0] - x) * math.cos(theta) + (now[1] - y) * math.sin(theta)
        return tuple(FAR_M if far >= FAR_M else min(max(far - gone, 0.0), FAR_M) for far in self._obstacles)

    def clear_m(self) -> float:
        """How much is clear ahead."""
        return min(self.distances_m()) if min(self._obstacles) < FAR_M else FAR_M

    # Balance and feet

    def lean_rad(self) -> float:
        """AngleY: how far it leans forward."""
        return LEAN_RAD.get(self.nao.lying, 0.0)

    def on_feet(self) -> bool:
        """Whether its feet carry it."""
        sitting = self.nao["ALRobotPosture"].getPostureFamily() == "Sitting"
        return not (self.lifted or self.nao.lying or sitting)

    def weight_kg(self, foot: str | None = None) -> float:
        """What one foot carries, or both."""
        return (WEIGHT_KG if foot is None else WEIGHT_KG / 2) if self.on_feet() else 0.0

    def heat_c(self, joint: str) -> float:
        """The temperature of a motor."""
        return HOT_C if joint in self.hot else COOL_C

    # Touch

    def press(self, where: str, pressed: bool):
        """One of SENSORS is touched, or let go; the events of ALMemory tell it."""
        sensor, memory = SENSORS[where], self.nao["ALMemory"]
        (self.pressed.add if pressed else self.pressed.discard)(where)
        if sensor.event:
            memory.tell(sensor.event, 1.0 if pressed else 0.0)
        name, part = sensor.part
        if part:
            memory.tell("TouchChanged", [[part, pressed], [name, pressed]])

    def touched(self) -> list[list]:
        """ALTouch.getStatus: [name, whether, []] of the parts of the body, then of the sensors."""
        now = {SENSORS[where].part for where in self.pressed}
        parts = {part for _, part in now}
        names = {name for name, _ in now}
        rows = [[part, part in parts, []] for part in BODY]
        sensors = [sensor.part[0] for sensor in SENSORS.values() if sensor.part[1]]
        return rows + [[name, name in names, []] for name in sensors]

    # Keys

    def names(self) -> list[str]:
        """The sensors, as ALMotion.getSensorNames has them."""
        return [
            *(sensor.device for sensor in SENSORS.values()),
            *("Accelerometer", "Gyrometer", "Sonar/Left", "Sonar/Right", "CameraTop", "CameraBottom"),
            *FSR,
        ]

    def keys(self) -> dict:
        """{key of ALMemory: function that gives its value now}."""
        read = {}
        for where, sensor in SENSORS.items():
            read[f"{DEVICE}{sensor.device}/Sensor/Value"] = lambda where=where: float(where in self.pressed)
        for place in FSR:
            read[f"{DEVICE}{place}/Sensor/Value"] = lambda: self.weight_kg("one") / 4
        for foot in ("LFoot", "RFoot"):
            read[f"{DEVICE}{foot}/FSR/TotalWeight/Sensor/Value"] = lambda: self.weight_kg("one")
        for joint in body.JOINTS:
            read[f"{DEVICE}{joint}/Temperature/Sensor/Value"] = lambda joint=joint: self.heat_c(joint)
            read[f"{DEVICE}{joint}/Hardness/Actuator/Value"] = lambda joint=joint: self.nao.stiffnesses[joint]
        for side, name in enumerate(("Left", "Right")):
            read[f"{DEVICE}US/{name}/Sensor/Value"] = lambda side=side: self.nao["ALSonar"].distances_m()[side]
        read.update(self._balance())
        read[f"{DEVICE}Head/Temperature/Sensor/Value"] = lambda: COOL_C
        read[f"{DEVICE}Battery/Current/Sensor/Value"] = lambda: 1.5 if self.plugged else -1.2
        read[f"{DEVICE}Battery/Charge/Sensor/Status"] = lambda: "Charging" if self.plugged else "Discharging"
        return read

    def _balance(self):
        inertial = f"{DEVICE}InertialSensor/"

        def walk():
            return self.nao["ALMotion"].walk

        values = {
            ("AngleX",): lambda: 0.0,
            ("AngleY",): self.lean_rad,
            ("AngleZ",): lambda: walk().position()[2],
            ("GyroscopeX", "GyrX"): lambda: 0.0,
            ("GyroscopeY", "GyrY"): lambda: 0.0,
            ("GyroscopeZ", "GyrZ"): lambda: walk().velocity[2],
            ("AccelerometerX", "AccX"): lambda: GRAVITY_M_S2 * math.sin(self.lean_rad()),
            ("AccelerometerY", "AccY"): lambda: 0.0,
            ("AccelerometerZ", "AccZ"): lambda: -GRAVITY_M_S2 * math.cos(self.lean_rad()),
        }
        return {f"{inertial}{name}/Sensor/Value": read for names, read in values.items() for name in names}
