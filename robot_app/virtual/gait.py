"""ALMotion's walking methods, the new names and the old ones. The walk itself is walking.py's."""

from . import body
from .forms import pairs_of
from .service import Refused, Task, as_list, kept, number, offered, word

LEGS = ("LLeg", "RLeg")
STEP_ASIDE_M = 0.1  # a step straight ahead sets the foot so far to its side of the other
GAIT = {
    "MaxStepX": 0.04,
    "MaxStepY": 0.14,
    "MaxStepTheta": 0.349,
    "MaxStepFrequency": 1.0,
    "StepHeight": 0.02,
    "TorsoWx": 0.0,
    "TorsoWy": 0.0,
}
NAMES = {"Frequency", *GAIT, *(side + name for side in ("Left", "Right") for name in GAIT)}


def _config_of(config):
    """[[name, number], ...] of a gait, checked; it changes nothing about the walk here."""
    for name, value in pairs_of(config):
        if name not in NAMES:
            raise Refused(f"unknown gait parameter {name!r}; there are {', '.join(sorted(NAMES))}.")
        number(value, name)
    return config


def _distance(value):
    if number(value, "the distance") < 0:
        raise Refused(f"a distance must not be negative: {value!r}.")
    return float(value)


class Gait:
    """The part of ALMotion that walks. Places in m and rad, in the robot's own frame."""

    def _rise(self):
        """The way to its feet, or None where it stands; raises Refused where it has no strength for it."""
        self.need_stiffness(body.CHAINS["Legs"])
        if self.nao["ALRobotPosture"].getPostureFamily() == "Standing" or self._is_upright():
            return None
        self.nao.lying = None
        return self.move_at_speed("moveInit", body.POSTURES["StandInit"], 0.3)

    def _is_upright(self):
        return not self.nao.lying and self.nao["ALRobotPosture"].getPosture() == "Unknown"

    @offered
    def moveInit(self):
        """Take the posture in which it can walk."""
        return self._rise()

    @offered
    def walkInit(self):
        """moveInit by its old name."""
        return self._rise()

    @offered
    def moveTo(self, x_m, y_m, theta_rad, config=()):
        """Walk to a place seen from here; True when it is reached. A gait may come with it."""
        _config_of(config)
        x_m, y_m, theta_rad = number(x_m, "x"), number(y_m, "y"), number(theta_rad, "theta")
        return self.walk.to(x_m, y_m, theta_rad, after=self._rise() if x_m or y_m or theta_rad else None)

    @offered
    def walkTo(self, x_m, y_m, theta_rad, config=()):
        """moveTo by its old name."""
        return self.moveTo(x_m, y_m, theta_rad, config)

    @offered
    def move(self, x_m_s, y_m_s, theta_rad_s, config=()):
        """Walk at a velocity until told otherwise."""
        _config_of(config)
        self._go_on(self.walk.at_velocity, x_m_s, y_m_s, theta_rad_s)

    @offered
    def moveToward(self, x, y, theta, config=()):
        """The same as shares (-1..1) of the top velocities."""
        _config_of(config)
        self._go_on(self.walk.at_share, x, y, theta)

    @offered
    def setWalkTargetVelocity(self, x, y, theta, frequency, config=()):
        """moveToward by its old name; the frequency (0..1) of the steps changes nothing here."""
        if not 0 <= number(frequency, "the frequency") <= 1:
            raise Refused(f"the frequency must lie in 0..1, not {frequency!r}.")
        self.moveToward(x, y, theta, config)

    def _go_on(self, walk, x, y, theta):
        velocity = number(x, "x"), number(y, "y"), number(theta, "theta")
        rising = self._rise() if any(velocity) else None
        if rising is None:
            walk(*velocity)
        else:
            rising.when_ended(lambda move: walk(*velocity) if move.how == "done" else None)

    @offered
    def stopMove(self):
        """Stop walking."""
        self.walk.stop()

    @offered
    def stopWalk(self):
        """stopMove by its old name."""
        self.walk.stop()

    @offered
    def moveIsActive(self):
        """Whether the robot walks."""
        return self.walk.active

    @offered
    def walkIsActive(self):
        """moveIsActive by its old name."""
        return self.walk.active

    @offered
    def waitUntilMoveIsFinished(self):
        """Wait for the end of moveTo."""
        return self._wait_for_walk("waitUntilMoveIsFinished")

    @offered
    def waitUntilWalkIsFinished(self):
        """The same by its old name."""
        return self._wait_for_walk("waitUntilWalkIsFinished")

    def _wait_for_walk(self, method):
        task = Task(method)
        if self.walk.task:
            self.walk.task.when_ended(lambda _: task.end())
        else:
            task.end()
        return task

    @offered(counted=True)
    def getRobotPosition(self, use_sensors):
        """[x m, y m, theta rad] on the floor since the robot was switched on."""
        return self.walk.position()

    @offered
    def getNextRobotPosition(self):
        """Where the present moveTo ends, or where it is."""
        return self.walk.goal()

    @offered
    def getRobotVelocity(self):
        """[m/s, m/s, rad/s] in the robot's own frame."""
        return self.walk.velocity

    # Steps: the way and the time of all of them together

    @offered
    def setFootSteps(self, legs, steps, times_s, clear):
        """Steps [x, y, theta] of legs, each set down at its time, and return at once."""
        return self._steps(legs, steps, times_s)

    @offered
    def setFootStepsWithSpeed(self, legs, steps, fractions, clear):
        """Steps at shares of the top speed, as a task."""
        self._steps(legs, steps, [])
        return self._wait_for_walk("setFootStepsWithSpeed")

    @offered
    def stepTo(self, leg, x_m, y_m, theta_rad):
        """One step, as a task."""
        self._steps([leg], [[x_m, y_m, theta_rad]], [])
        return self._wait_for_walk("stepTo")

    def _steps(self, legs, steps, times_s):
        legs, steps, times_s = as_list(legs), as_list(steps), as_list(times_s)
        if len(legs) != len(steps) or times_s and len(times_s) != len(steps):
            raise Refused(f"{len(legs)} legs came with {len(steps)} steps and {len(times_s)} times.")
        way = [0.0, 0.0, 0.0]
        for leg, step in zip(legs, steps, strict=True):
            if leg not in LEGS or len(as_list(step)) != 3:
                raise Refused(f"a step is LLeg or RLeg and [x, y, theta], not {leg!r} and {step!r}.")
            x, y, theta = (number(value, "a step") for value in step)
            aside = STEP_ASIDE_M if leg == "LLeg" else -STEP_ASIDE_M
            way = [way[0] + x, way[1] + (y - aside if y else 0.0), way[2] + theta]
        rising = self._rise() if any(way) else None
        last_s = number(times_s[-1], "a time") if times_s else 0.0
        self.walk.to(*way, after=rising, duration_s=last_s)

    @offered
    def getFootSteps(self):
        """[where the feet are, the fixed steps to come, those that may still be changed]: here none to come."""
        return [[[0.0, STEP_ASIDE_M / 2, 0.0], [0.0, -STEP_ASIDE_M / 2, 0.0]], [], []]

    @offered
    def getMoveConfig(self, name):
        """[[name, number], ...] of a gait: "Max", "Min" or "Default"."""
        if name not in ("Max", "Min", "Default"):
            raise Refused(f"unknown gait {name!r}; there are Max, Min, Default.")
        return [[key, value] for key, value in GAIT.items()]

    @offered
    def getFootGaitConfig(self, name):
        """getMoveConfig by its old name."""
        return self.getMoveConfig(name)

    # What is kept and changes no walk here

    @offered(kept=True)
    def setMoveArmsEnabled(self, left, right):
        """Whether the arms swing in walking; here they never do."""
        self.settings["arms", "LArm"], self.settings["arms", "RArm"] = bool(left), bool(right)

    @offered(kept=True)
    def setWalkArmsEnabled(self, left, right):
        """setMoveArmsEnabled by an old name."""
        self.setMoveArmsEnabled(left, right)

    @offered(kept=True)
    def setWalkArmsEnable(self, left, right):
        """setMoveArmsEnabled by a still older name."""
        self.setMoveArmsEnabled(left, right)

    @offered
    def getMoveArmsEnabled(self, chain):
        """Whether LArm, RArm or both (Arms) swing."""
        arms = ("LArm", "RArm") if chain == "Arms" else (word(chain, "the arm"),)
        return all(self.settings.get(("arms", arm), True) for arm in arms)

    @offered
    def getWalkArmsEnabled(self):
        """[left, right]."""
        return [self.getMoveArmsEnabled("LArm"), self.getMoveArmsEnabled("RArm")]

    @offered(kept=True)
    def setMotionConfig(self, config):
        """[[name, value], ...], such as ENABLE_FOOT_CONTACT_PROTECTION."""
        for name, value in pairs_of(config):
            self.settings["motion", word(name, "the name")] = value

    @offered
    def getMotionConfig(self):
        """[[name, value], ...] of what setMotionConfig was told."""
        return [[name, value] for (kind, name), value in self.settings.items() if kind == "motion"]

    setTangentialSecurityDistance, getTangentialSecurityDistance = kept(
        "TangentialSecurityDistance", 0.1, _distance
    )
    setOrthogonalSecurityDistance, getOrthogonalSecurityDistance = kept(
        "OrthogonalSecurityDistance", 0.4, _distance, obeyed=True
    )
