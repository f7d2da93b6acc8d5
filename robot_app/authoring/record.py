"""Poses into which somebody moves a robot by hand, while some of its joints are limp.

Only head and arms ever go limp: the legs carry the robot. What moves by itself is held meanwhile. At the end,
however it comes, the limp joints get their stiffness back where they are, and then go slowly to where they were
before; nothing is commanded to jump. All of that is noted in `undo` before anything goes limp.
"""

from behaviors.joints import GESTURE_CHAINS, GESTURE_NAMES, JOINTS
from robot_app.life import Life
from robot_app.robots import Robot, RobotError
from robot_app.undo import Undo, call

HEAD = ("FrontTactilTouched", "MiddleTactilTouched", "RearTactilTouched")
LIMP_S = 0.5  # to lose stiffness: an arm sinks, it does not drop
HOME_S = 2.0  # the way back; the widest one is 4 rad
SLACK_S = 0.5


class Recorder:
    """Takes poses of the joints of `chains`, names out of GESTURE_CHAINS. Raises RobotError for others."""

    def __init__(self, robot: Robot, chains: list[str], undo: Undo):
        unknown = [chain for chain in chains if chain not in GESTURE_CHAINS]
        if unknown or not chains:
            raise RobotError(
                f"--chains takes {', '.join(GESTURE_CHAINS)}; {', '.join(unknown) or 'nothing'} came."
            )
        self.joints = [joint for joint in GESTURE_NAMES if JOINTS[joint].chain in chains]
        self.poses: list[dict[str, float]] = []
        self._robot, self._undo = robot, undo
        self._life = Life(robot, "pause", undo)
        self._touched = True  # a hand that lies on the head from the start is no sign

    def begin(self) -> None:
        """Have the joints limp. Raises RobotError where the robot is not fit for it."""
        self._undo.adopt()
        names, body = self.joints, self._robot
        if str(body.call("ALRobotPosture", "getPostureFamily")).startswith("Lying"):
            raise RobotError("the robot lies down; help it up or let it sit first.")
        stiffnesses = body.call("ALMotion", "getStiffnesses", names)
        angles = body.call("ALMotion", "getAngles", names, True)
        self._life.prepare(lambda: False)
        stiff = [joint for joint, stiffness in zip(names, stiffnesses, strict=True) if stiffness > 0]
        if not stiff:
            return
        home = [[angle] for joint, angle in zip(names, angles, strict=True) if joint in stiff]
        way = (stiff, home, [[HOME_S]] * len(stiff), True)
        back = [stiffness for stiffness in stiffnesses if stiffness > 0]
        self._undo.note(
            "the joints that were moved by hand",
            call("ALMotion", "stiffnessInterpolation", stiff, back, LIMP_S, wait_s=LIMP_S + SLACK_S),
            call("ALMotion", "angleInterpolation", *way, wait_s=HOME_S + SLACK_S),
        )
        body.finish(lambda: False, "ALMotion", "stiffnessInterpolation", stiff, 0.0, LIMP_S)

    def take(self) -> dict[str, float]:
        """One more pose, {joint: rad}, by the robot's sensors."""
        angles = self._robot.call("ALMotion", "getAngles", self.joints, True)
        self.poses.append(dict(zip(self.joints, map(float, angles), strict=True)))
        return self.poses[-1]

    def is_asked(self) -> bool:
        """Whether somebody has just touched the robot's head: both hands are busy at its arms."""
        before = self._touched
        self._touched = any(self._robot.call("ALMemory", "getListData", list(HEAD)))
        return self._touched and not before
