"""ALMotion's methods about places: where hands, feet and cameras are, bringing them somewhere, and the whole
body's balance, which is only kept: this robot never loses it.
"""

import numpy as np

from . import kinematics, paths
from .forms import fraction_of
from .service import Refused, as_list, number, offered, one_of

NEAR_M = 5e-3  # less than this is no miss
FOOT_STATES = ("Fixed", "Plane", "Free")
SUPPORTS = ("LLeg", "RLeg", "Legs")
EFFECTORS = ("Head", "LArm", "RArm")


def _listed(values) -> list:
    """A list of lists of numbers out of one such list or several."""
    values = as_list(values)
    return values if values and isinstance(values[0], (list, tuple)) else [values]


class Cartesian:
    """The part of ALMotion that knows places. Frames: 0 torso, 1 world, 2 robot; m and rad."""

    @offered(counted=True)
    def getPosition(self, name, frame, use_sensors):
        """[x, y, z, wx, wy, wz] of an effector, a camera or a joint."""
        return kinematics.six(self._pose(name, frame))

    @offered(counted=True)
    def getTransform(self, name, frame, use_sensors):
        """The same as 16 numbers: a 4 x 4 matrix, row by row."""
        return [float(value) for value in self._pose(name, frame).ravel()]

    def _pose(self, name, frame):
        return self._torso(frame) @ kinematics.pose(self.nao.angles, name)

    def _torso(self, frame):
        return kinematics.torso_in(frame, self.nao.angles, self.nao.lying, self.walk.position())

    @offered(arities=(5, 6))
    def positionInterpolation(self, chain, frame, path, mask, times_s, is_absolute=True):
        """Take an effector through places [x, y, z, wx, wy, wz] at times; `mask` tells which of them count."""
        poses = [kinematics.from_six(place) for place in _listed(path)]
        return self._take("positionInterpolation", [(chain, frame, poses, mask, times_s)], is_absolute)

    @offered(arities=(5, 6))
    def positionInterpolations(self, chains, frames, paths_of_each, masks, times_s, is_absolute=True):
        """The same for several effectors at once: one for all, or a list each of frames, masks and times."""
        return self._several(
            "positionInterpolations",
            kinematics.from_six,
            *(chains, frames, paths_of_each, masks, times_s, is_absolute),
        )

    @offered(arities=(5, 6))
    def transformInterpolation(self, chain, frame, path, mask, times_s, is_absolute=True):
        """positionInterpolation with transforms of 12 or 16 numbers."""
        poses = [kinematics.from_transform(place) for place in _listed(path)]
        return self._take("transformInterpolation", [(chain, frame, poses, mask, times_s)], is_absolute)

    @offered(arities=(5, 6))
    def transformInterpolations(self, chains, frames, paths_of_each, masks, times_s, is_absolute=True):
        """positionInterpolations with transforms of 12 or 16 numbers."""
        return self._several(
            "transformInterpolations",
            kinematics.from_transform,
            *(chains, frames, paths_of_each, masks, times_s, is_absolute),
        )

    def _several(self, method, read, chains, frames, paths_of_each, masks, times_s, is_absolute):
        chains = as_list(chains)
        each = paths_of_each if len(chains) > 1 or _depth(paths_of_each) > 2 else [paths_of_each]
        times = times_s if _depth(times_s) > 1 else [times_s] * len(chains)
        frames, masks = (
            value if isinstance(value, (list, tuple)) else [value] * len(chains) for value in (frames, masks)
        )
        if not len(chains) == len(each) == len(times) == len(frames) == len(masks):
            raise Refused(f"{len(chains)} effectors need as many paths, frames, masks and times.")
        ways = [
            (chain, frame, [read(place) for place in _listed(path)], mask, seconds)
            for chain, frame, path, mask, seconds in zip(chains, frames, each, masks, times, strict=True)
        ]
        return self._take(method, ways, is_absolute)

    def _take(self, method, ways, is_absolute):
        """A Move along `ways`: (chain, frame, poses, mask, times) each."""
        keys = {}
        for chain, frame, poses, mask, times_s in ways:
            times_s = [number(time_s, "a time") for time_s in as_list(times_s)]
            if len(times_s) != len(poses):
                raise Refused(f"{len(poses)} places came with {len(times_s)} times.")
            if any(after <= before for before, after in zip([0.0, *times_s], times_s, strict=False)):
                raise Refused(f"times must be above 0 and rise: {times_s}.")
            keys.update(self._keys(chain, frame, poses, mask, times_s, is_absolute))
        return self.add_move(method, paths.plan(paths.straight, keys))

    def _keys(self, chain, frame, poses, mask, times_s, is_absolute):
        angles, keys = dict(self.nao.angles), {}
        torso = np.linalg.inv(self._torso(frame))
        begun = None if is_absolute else self._pose(chain, frame)
        for wanted, time_s in zip(poses, times_s, strict=True):
            if begun is not None:
                wanted = kinematics.moved(begun, wanted)
            angles.update(self._reached(angles, chain, torso @ wanted, mask))
            for joint in kinematics.joints_of(chain):
                keys.setdefault(joint, []).append(paths.Key(time_s, angles[joint]))
        return keys

    def _reached(self, angles, chain, wanted, mask):
        if chain not in kinematics.CHAINS:
            raise Refused(f"{chain!r} cannot be brought to a place; there are {', '.join(kinematics.CHAINS)}.")
        found, off = kinematics.reach(angles, chain, wanted, int(number(mask, "the mask")))
        if off > NEAR_M:
            self.nao.notice(self.name, "out of reach", effector=chain, off=round(off, 4))
        return found

    @offered
    def setPositions(self, names, frames, positions, fraction, mask):
        """Send effectors towards places at a share of the top speed, and return at once."""
        self._send(kinematics.from_six, names, frames, positions, fraction, mask)

    @offered
    def setPosition(self, name, frame, position, fraction, mask):
        """The same for one."""
        self._send(kinematics.from_six, name, frame, position, fraction, mask)

    @offered
    def setTransforms(self, names, frames, transforms, fraction, mask):
        """The same with transforms of 12 or 16 numbers."""
        self._send(kinematics.from_transform, names, frames, transforms, fraction, mask)

    @offered
    def setTransform(self, name, frame, transform, fraction, mask):
        """The same for one."""
        self._send(kinematics.from_transform, name, frame, transform, fraction, mask)

    def _send(self, read, names, frames, places, fraction, mask):
        names = as_list(names)
        frames, masks = (
            value if isinstance(value, (list, tuple)) else [value] * len(names) for value in (frames, mask)
        )
        places = _listed(places)
        if not len(names) == len(frames) == len(places) == len(masks):
            raise Refused(f"{len(names)} effectors need as many places, frames and masks.")
        for name, frame, place, bits in zip(names, frames, places, masks, strict=True):
            wanted = np.linalg.inv(self._torso(frame)) @ read(place)
            found = self._reached(dict(self.nao.angles), name, wanted, bits)
            self.setAngles(list(found), list(found.values()), fraction_of(fraction))

    # Whole body balance: kept, for nothing here can lose it

    @offered(kept=True)
    def wbEnable(self, enabled):
        """Whole body balance."""
        self.settings["whole body", ""] = bool(enabled)

    @offered(kept=True)
    def wbFootState(self, state, leg):
        """How a foot may move: one of FOOT_STATES, for one of SUPPORTS."""
        self.settings["foot", _support(leg)] = one_of(FOOT_STATES, "state of a foot")(state)

    @offered(kept=True)
    def wbEnableBalanceConstraint(self, enabled, leg):
        """Whether the weight stays over one of SUPPORTS."""
        self.settings["balance", _support(leg)] = bool(enabled)

    @offered(kept=True, arities=(2, 3))
    def wbGoToBalance(self, leg, seconds, balanced=True):
        """The weight over one of SUPPORTS."""
        if number(seconds, "the time") <= 0:
            raise Refused(f"a time must be above 0: {seconds!r}.")
        self.settings["support", ""] = _support(leg)

    @offered(kept=True)
    def wbEnableEffectorControl(self, effector, enabled):
        """Control of Head, LArm or RArm by the whole body."""
        self.settings["control", _effector(effector)] = bool(enabled)

    @offered(kept=True)
    def wbSetEffectorControl(self, effector, target):
        """Where it is to go."""
        if len(as_list(target)) != 3 or not all(number(value, "the target") is not None for value in target):
            raise Refused(f"a target has three numbers, not {target!r}.")
        self.settings["target", _effector(effector)] = list(target)

    @offered(kept=True)
    def wbEnableEffectorOptimization(self, effector, enabled):
        """Better tracking of an effector."""
        self.settings["optimization", _effector(effector)] = bool(enabled)


def _support(leg):
    return one_of(SUPPORTS, "support")(leg)


def _effector(name):
    return one_of(EFFECTORS, "effector")(name)


def _depth(values) -> int:
    """How many lists lie in one another."""
    return 1 + max(map(_depth, values), default=0) if isinstance(values, (list, tuple)) else 0
