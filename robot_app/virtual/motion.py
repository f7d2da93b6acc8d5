"""ALMotion: the body moves, joint by joint, 50 times a second, within what a NAO can do.

Modelled: ranges with the coupled limit of the head, top speeds, stiffness, tasks that hold joints and can be
killed, breath, walking as a point on the floor (gait.py), places of hands, feet and head (cartesian.py). Not
modelled: weight, balance, collisions; the switches for these are kept and obeyed by nobody. Between the keys of
`angleInterpolation` joints go straight. Two things are our choice, since no source says what NAO does: an
interpolation waits until its joints are free of earlier ones, and `setAngles` on a joint that an interpolation
holds has no effect.
"""

from . import body, paths
from .breath import Breath
from .cartesian import Cartesian
from .forms import (
    arms_of,
    chain_of,
    check_times,
    fraction_of,
    joints_of,
    key_of,
    pairs_of,
    per_joint,
    stiffnesses_of,
    targets_of,
)
from .gait import Gait
from .service import Refused, Service, Task, as_list, kept, number, offered, one_of
from .walking import Walk

NEAR_RAD = 2e-3  # a joint this near to its goal has arrived
WAKE_SPEED = 0.15  # share of the top speed at which wakeUp and rest move
PROTECTED = ("All", "Move", "Arms", "LArm", "RArm")
BREATH = {"Bpm": (5, 30), "Amplitude": (0, 1)}
ROBOT = (
    ("Model Type", "naoH25"),
    ("Head Version", "VERSION_60"),
    ("Body Version", "VERSION_60"),
    ("Laser", False),
    ("Extended Arms", True),
    ("Number of Legs", 2),
    ("Number of Arms", 2),
    ("Number of Hands", 2),
)


class Move(Task):
    """A motion that holds joints: paths per joint, made when the joints are free.

    plan       {joint: function of the joint's angle at the beginning, giving (path, duration_s)}
    """

    def __init__(self, name, plan, **results):
        super().__init__(name, **results)
        self.plan = plan
        self.began_s = None
        self.paths = {}
        self.duration_s = 0.0
        self.noticed = set()

    @property
    def resources(self):
        return list(self.plan)

    def begin(self, angles, now_s):
        """The joints are free: the paths start from where they are."""
        made = {joint: plan(angles[joint]) for joint, plan in self.plan.items()}
        self.paths = {joint: path for joint, (path, _) in made.items()}
        self.duration_s = max((duration_s for _, duration_s in made.values()), default=0.0)
        self.began_s = now_s


class Motion(Gait, Cartesian, Service):
    """ALMotion. Angles in rad (hands 0 closed..1 open), times in s, names as in body.JOINTS and body.CHAINS."""

    name = "ALMotion"

    def __init__(self, nao):
        super().__init__(nao)
        self.moves = []
        self.goals = {}  # joint: (angle, speed), from setAngles
        self.walk = Walk(nao)
        self.breath = Breath(nao)

    # The 50 Hz cycle

    def cycle(self, cycle_s: float):
        """Live one cycle: decide where each joint should be at its end, and go there as far as it can."""
        now_s = self.nao.lived_s
        self._begin_what_is_free(now_s - cycle_s)
        wanted = {}
        for joint, (angle, speed) in list(self.goals.items()):
            wanted[joint] = _towards(self.nao.angles[joint], angle, speed * cycle_s)
            if wanted[joint] == angle:
                del self.goals[joint]
        holders = {}
        for move in self._running():
            for joint, path in move.paths.items():
                wanted[joint] = path(now_s - move.began_s)
                holders[joint] = move
        for joint in body.JOINTS:  # HeadYaw before HeadPitch: the limit of the one hangs on the other
            if joint in wanted and self.nao.stiffnesses[joint] > 0:
                self._go(joint, wanted[joint], cycle_s, holders.get(joint))
        self.breath.breathe(now_s, self._breathing(wanted))
        self._keep_head_within_its_limit()
        self.walk.look_ahead(self.nao.senses.clear_m(), self._distance_to_keep())
        for move in self._running():
            if now_s - move.began_s >= move.duration_s - 1e-9 and self._arrived(move):
                move.end()

    def _breathing(self, busy):
        """The joints that may breathe now: of chains that are told to, with stiffness, and not busy."""
        chains = [of for (noun, of), on in self.settings.items() if noun == "BreathEnabled" and on]
        joints = {joint for chain in chains for joint in body.CHAINS[chain]}
        return {joint for joint in joints - set(busy) if self.nao.stiffnesses[joint] > 0}

    def _distance_to_keep(self):
        protected = all(self.getExternalCollisionProtectionEnabled(name) for name in ("All", "Move"))
        return self.getOrthogonalSecurityDistance() if protected else 0.0

    def _begin_what_is_free(self, now_s):
        held = set()
        for move in self.moves:
            if move.began_s is None and held.isdisjoint(move.plan):
                move.begin(self.nao.angles, now_s)
                for joint in move.plan:
                    self.goals.pop(joint, None)
            held.update(move.plan)

    def _running(self):
        return [move for move in self.moves if move.began_s is not None]

    def _go(self, joint, wanted_rad, cycle_s, move):
        """Move one joint towards where it is wanted, within its range and its speed."""
        within = self._clamped(joint, wanted_rad)
        reach = body.JOINTS[joint].max_speed_rad_s * cycle_s
        gone = _towards(self.nao.angles[joint], within, reach)
        if move:
            if abs(within - wanted_rad) > NEAR_RAD:
                self._notice(move, joint, "beyond the range", wanted_rad, within)
            if abs(gone - within) > NEAR_RAD:
                self._notice(move, joint, "too fast", within, gone)
        self.nao.angles[joint] = gone

    def _notice(self, move, joint, what, wanted_rad, got_rad):
        """Tell the diary once per task, joint and kind."""
        if (joint, what) not in move.noticed:
            move.noticed.add((joint, what))
            self.nao.notice(
                self.name, what, task=move.id, joint=joint, wanted=round(wanted_rad, 4), got=round(got_rad, 4)
            )

    def _clamped(self, joint, angle_rad):
        low, high = body.JOINTS[joint][:2]
        if joint == "HeadPitch":
            low, high = body.head_pitch_limits(self.nao.angles["HeadYaw"])
        return min(max(angle_rad, low), high)

    def _keep_head_within_its_limit(self):
        if self.nao.stiffnesses["HeadPitch"] > 0:
            self.nao.angles["HeadPitch"] = self._clamped("HeadPitch", self.nao.angles["HeadPitch"])

    def _arrived(self, move):
        """Every joint that has stiffness is where its path ends, or as near as its range lets it."""
        return all(
            self.nao.stiffnesses[joint] == 0
            or abs(self._clamped(joint, path(move.duration_s)) - self.nao.angles[joint]) < NEAR_RAD
            for joint, path in move.paths.items()
        )

    # Going somewhere

    def add_move(self, name, plan, **results):
        """Add a Move over `plan`; it begins when its joints are free. Raises Refused without stiffness."""
        self.need_stiffness(plan)
        move = Move(name, plan, **results)
        self.nao.number(move)
        self.breath.hold(plan)
        self.moves.append(move)
        move.when_ended(self.moves.remove)
        return move

    def move_at_speed(self, name, angles, fraction, **results):
        """A Move to `angles` {joint: rad}, in the time of the slowest at `fraction` of its top speed."""
        duration_s = max(
            abs(angle - self.nao.angles[joint]) / (fraction * body.JOINTS[joint].max_speed_rad_s)
            for joint, angle in angles.items()
        )
        keys = {joint: [paths.Key(max(duration_s, 1e-3), angle)] for joint, angle in angles.items()}
        return self.add_move(name, paths.plan(paths.straight, keys), **results)

    @offered
    def angleInterpolation(self, names, angles, times_s, is_absolute):
        """Take joints through angles at times: lists per joint, or flat for one joint or one time for all."""
        joints = joints_of(names)
        angles = per_joint(angles, len(joints), "angles")
        times_s = per_joint(times_s, len(joints), "times")
        keys = {}
        for joint, joint_angles, joint_times in zip(joints, angles, times_s, strict=True):
            offset = 0.0 if is_absolute else self.nao.angles[joint]
            check_times(joint, joint_angles, joint_times)
            if joint_times:
                keys[joint] = [
                    paths.Key(number(t, "a time"), offset + number(angle, "an angle"))
                    for t, angle in zip(joint_times, joint_angles, strict=True)
                ]
        return self.add_move("angleInterpolation", paths.plan(paths.straight, keys))

    @offered
    def angleInterpolationBezier(self, names, times_s, controls):
        """The same along Bezier curves; a control is an angle, or [angle, handle, handle]: forms.key_of."""
        joints = joints_of(names)
        flat = not any(isinstance(times, (list, tuple)) for times in as_list(times_s))
        times_s = per_joint(times_s, len(joints), "times")
        controls = [controls] if flat and len(joints) == 1 else as_list(controls)
        if len(controls) != len(joints):
            raise Refused(f"{len(joints)} joints need {len(joints)} lists of controls; {len(controls)} came.")
        keys = {}
        for joint, joint_times, joint_controls in zip(joints, times_s, controls, strict=True):
            check_times(joint, as_list(joint_controls), joint_times)
            if joint_times:
                keys[joint] = [key_of(t, c) for t, c in zip(joint_times, as_list(joint_controls), strict=True)]
        return self.add_move("angleInterpolationBezier", paths.plan(paths.bezier, keys))

    @offered
    def angleInterpolationWithSpeed(self, names, angles, fraction):
        """Take joints to angles, all in the time of the slowest, at `fraction` (0..1] of the top speeds."""
        return self.move_at_speed(
            "angleInterpolationWithSpeed", targets_of(names, angles), fraction_of(fraction)
        )

    @offered
    def setAngles(self, names, angles, fraction):
        """Send joints towards angles at `fraction` (0..1] of their top speeds, and return at once."""
        targets, fraction = targets_of(names, angles), fraction_of(fraction)
        self.need_stiffness(targets)
        held = {joint for move in self.moves for joint in move.plan}
        for joint, angle in targets.items():
            if joint in held:
                self.nao.notice(self.name, "setAngles on a joint that a task holds", joint=joint)
            else:
                self.goals[joint] = (
                    self._clamped_once(joint, angle),
                    fraction * body.JOINTS[joint].max_speed_rad_s,
                )

    def _clamped_once(self, joint, angle_rad):
        """Into the joint's own range, so that a goal beyond it is not chased forever."""
        low, high = body.JOINTS[joint][:2]
        return min(max(angle_rad, low), high)

    @offered
    def changeAngles(self, names, changes, fraction):
        """setAngles, relative to where the joints are."""
        moved = {joint: self.nao.angles[joint] + change for joint, change in targets_of(names, changes).items()}
        return self.setAngles(list(moved), list(moved.values()), fraction)

    @offered
    def openHand(self, name):
        """Open a hand, "LHand" or "RHand"."""
        return self._hand("openHand", name, 1.0)

    @offered
    def closeHand(self, name):
        """Close a hand."""
        return self._hand("closeHand", name, 0.0)

    def _hand(self, method, name, opening):
        if name not in body.CHAINS["Hands"]:
            raise Refused(f"{name!r} is no hand: LHand and RHand are.")
        return self.move_at_speed(method, {name: opening}, 0.2)

    @offered(counted=True)
    def getAngles(self, names, use_sensors):
        """The angles of joints or chains, always as a list."""
        return [self.nao.angles[joint] for joint in joints_of(names)]

    @offered
    def getLimits(self, names):
        """[lowest rad, highest rad, top speed rad/s, top torque Nm] of each joint."""
        return [list(body.JOINTS[joint]) for joint in joints_of(names)]

    @offered
    def getBodyNames(self, name):
        """The joints of a chain, or of "Body"."""
        return joints_of(name)

    @offered
    def getJointNames(self, name):
        """getBodyNames by its old name."""
        return joints_of(name)

    # Stiffness

    def need_stiffness(self, joints):
        limp = [joint for joint in joints if self.nao.stiffnesses[joint] == 0]
        if limp:
            raise Refused(f"no stiffness in {', '.join(limp)}: call wakeUp or setStiffnesses first.")

    @offered
    def setStiffnesses(self, names, stiffnesses):
        """Stiffness 0..1, one for all joints or one for each."""
        self.nao.stiffnesses.update(stiffnesses_of(names, stiffnesses))

    @offered
    def stiffnessInterpolation(self, names, stiffnesses, times_s):
        """Stiffness 0..1 after a time, in the forms of angleInterpolation; the last key counts."""
        joints = joints_of(names)
        wanted, needed_s = {}, 0.0
        stiffnesses = per_joint(stiffnesses, len(joints), "stiffnesses")
        times_s = per_joint(times_s, len(joints), "times")
        for joint, keys, times in zip(joints, stiffnesses, times_s, strict=True):
            check_times(joint, keys, times)
            if keys:
                wanted.update(stiffnesses_of(joint, keys[-1]))
                needed_s = max(needed_s, times[-1])
        task = Task("stiffnessInterpolation")

        def arrive():
            if task.how is None:
                self.nao.stiffnesses.update(wanted)
                task.end()

        self.nao.at(self.nao.lived_s + needed_s, arrive)
        return task

    @offered
    def getStiffnesses(self, names):
        """The stiffness 0..1 of joints or chains, always as a list."""
        return [self.nao.stiffnesses[joint] for joint in joints_of(names)]

    @offered
    def wakeUp(self):
        """Stiffness in all joints; out of rest, up to Stand."""
        self.nao.stiffnesses.update(dict.fromkeys(body.JOINTS, 1.0))
        if self.nao.awake:
            return None
        self.nao.awake = True
        return self.move_at_speed("wakeUp", body.POSTURES["Stand"], WAKE_SPEED)

    @offered
    def rest(self):
        """Down to Crouch, or on in Sit, then no stiffness."""
        self.killAll()
        self.nao.stiffnesses.update(dict.fromkeys(body.JOINTS, 1.0))
        posture = "Sit" if self.nao["ALRobotPosture"].getPosture() == "Sit" else "Crouch"
        move = self.move_at_speed("rest", body.POSTURES[posture], WAKE_SPEED)
        move.when_ended(self._fall_asleep)
        return move

    def _fall_asleep(self, move):
        if move.how == "done":
            self.nao.awake = False
            self.nao.stiffnesses.update(dict.fromkeys(body.JOINTS, 0.0))

    @offered(counted=True)
    def robotIsWakeUp(self):
        """Whether the robot is awake."""
        return self.nao.awake

    # Tasks

    @offered
    def getTaskList(self):
        """[name, id, broker, joints] of each motion that runs or waits."""
        return [[move.name, move.id, "virtual", move.resources] for move in self.moves]

    @offered
    def killTask(self, task_id):
        """End one motion where it is; True if there was one."""
        return self._kill([move for move in self.moves if move.id == task_id])

    @offered
    def killTasksUsingResources(self, names):
        """End all motions that hold one of these joints or chains."""
        joints = set(joints_of(names))
        self._kill([move for move in self.moves if not joints.isdisjoint(move.plan)])

    @offered
    def killAll(self):
        """End all motions, the walk too."""
        self.walk.stop()
        self.goals.clear()
        self._kill(list(self.moves))

    def _kill(self, moves):
        for move in moves:
            move.end("killed")
        return bool(moves)

    @offered
    def areResourcesAvailable(self, names):
        """Whether no motion holds any of these joints or chains."""
        joints = set(joints_of(names))
        return all(joints.isdisjoint(move.plan) for move in self.moves)

    # Switches

    setBreathEnabled, getBreathEnabled = kept("BreathEnabled", False, bool, of=chain_of, obeyed=True)
    setIdlePostureEnabled, getIdlePostureEnabled = kept("IdlePostureEnabled", False, bool, of=chain_of)
    getCollisionProtectionEnabled = kept("CollisionProtectionEnabled", True, bool, of=arms_of)[1]
    setExternalCollisionProtectionEnabled, getExternalCollisionProtectionEnabled = kept(
        "ExternalCollisionProtectionEnabled", True, bool, of=one_of(PROTECTED, "protection"), obeyed=True
    )
    setFallManagerEnabled, getFallManagerEnabled = kept("FallManagerEnabled", True, bool)
    setSmartStiffnessEnabled, getSmartStiffnessEnabled = kept("SmartStiffnessEnabled", True, bool)
    setDiagnosisEffectEnabled, getDiagnosisEffectEnabled = kept("DiagnosisEffectEnabled", True, bool)
    setPushRecoveryEnabled, getPushRecoveryEnabled = kept("PushRecoveryEnabled", True, bool)

    @offered(kept=True)
    def setCollisionProtectionEnabled(self, chain, enabled):
        """Protection of the arms from the body: kept, and obeyed by nobody here."""
        self.settings["CollisionProtectionEnabled", arms_of(chain)] = bool(enabled)
        return True

    @offered
    def isCollision(self, chain):
        """Whether an arm touches the body: here "none"."""
        arms_of(chain)
        return "none"

    @offered
    def setBreathConfig(self, config):
        """[["Bpm", 5..30], ["Amplitude", 0..1]]: how it breathes."""
        for name, value in pairs_of(config):
            low, high = BREATH.get(name) or BREATH["Amplitude"]
            if name not in BREATH or not low <= number(value, name) <= high:
                raise Refused(f"a breath has a Bpm of 5..30 and an Amplitude of 0..1, not {name!r} {value!r}.")
            self.breath.config[name] = float(value)

    @offered
    def getBreathConfig(self):
        """[["Bpm", number], ["Amplitude", number]]."""
        return [[name, value] for name, value in self.breath.config.items()]

    # What it is

    @offered
    def getRobotConfig(self):
        """[names, values] of what it is made of."""
        return [[name for name, _ in ROBOT], [value for _, value in ROBOT]]

    @offered
    def getSensorNames(self):
        """The parts that feel."""
        return list(self.nao.senses.names())

    @offered
    def getSummary(self):
        """A table of joints in words: stiffness, command, sensor."""
        rows = [f"{'Joint':16}{'Stiffness':>10}{'Command':>12}{'Sensor':>12}"]
        for joint, angle in self.nao.angles.items():
            rows.append(f"{joint:16}{self.nao.stiffnesses[joint]:10.2f}{angle:12.6f}{angle:12.6f}")
        return "\n".join(rows) + "\n"


def _towards(start, goal, reach):
    """From `start` at most `reach` towards `goal`."""
    return goal if abs(goal - start) <= reach else start + (reach if goal > start else -reach)
