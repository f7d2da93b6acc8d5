"""ALRobotPosture: whole postures by name. It owns no joints; ALMotion moves them."""

from . import body
from .motion import WAKE_SPEED
from .service import Refused, Service, kept, number, offered

LIKE_RAD = 0.35  # a posture is recognised while every leg joint is this near to it


class RobotPosture(Service):
    """ALRobotPosture, with the postures of body.POSTURES."""

    name = "ALRobotPosture"

    def __init__(self, nao):
        super().__init__(nao)
        self._told = None

    def look(self):
        """Tell ALMemory's listeners what has changed since the last cycle."""
        now = {
            "ALRobotPosture/Changed": self.getPosture(),
            "PostureFamilyChanged": self.getPostureFamily(),
            "robotIsWakeUp": self.nao.awake,
        }
        for key, value in now.items():
            if self._told and self._told[key] != value:
                self.nao["ALMemory"].tell(key, value)
        self._told = now

    @offered
    def goToPosture(self, name, speed):
        """Take the posture at a share of the top speed (0..1]; True when it is reached, False when killed."""
        return self._take("goToPosture", name, speed)

    @offered
    def applyPosture(self, name, speed):
        """The same by the straight way, which here is the only one."""
        return self._take("applyPosture", name, speed)

    def _take(self, method, name, speed):
        if name not in body.POSTURES:
            raise Refused(f"unknown posture {name!r}; there are {', '.join(body.POSTURES)}.")
        share = number(speed, "the speed")
        if not 0 < share <= 1:
            raise Refused(f"the speed must lie in ]0..1], not {speed!r}.")
        motion = self.nao["ALMotion"]
        motion.walk.stop()
        self.nao.lying = None
        speed = 2 * WAKE_SPEED * share
        move = motion.move_at_speed(method, body.POSTURES[name], speed, done=True, stopped=False)
        if name in body.LYING:
            move.when_ended(lambda move: self._lie(move, name))
        return move

    def _lie(self, move, name):
        if move.how == "done":
            self.nao.lying = name

    @offered
    def stopMove(self):
        """Stop on the way to a posture."""
        motion = self.nao["ALMotion"]
        for move in [move for move in motion.moves if move.name in ("goToPosture", "applyPosture")]:
            move.end("killed")

    @offered
    def getPosture(self):
        """The posture that the legs are in, or "Unknown"; after a fall, how it lies."""
        if self.nao.lying:
            return self.nao.lying
        legs = body.CHAINS["Legs"]
        upright = [name for name in body.POSTURES if name not in body.LYING]

        def distance(angles):
            return max(abs(angles[joint] - self.nao.angles[joint]) for joint in legs)

        nearest = min(upright, key=lambda name: distance(body.POSTURES[name]))
        return nearest if distance(body.POSTURES[nearest]) < LIKE_RAD else "Unknown"

    @offered
    def getPostureFamily(self):
        """The family of that posture."""
        return body.FAMILIES.get(self.getPosture(), "Unknown")

    @offered
    def getPostureList(self):
        """All postures."""
        return list(body.POSTURES)

    @offered
    def getPostureFamilyList(self):
        """All families."""
        return sorted(set(body.FAMILIES.values()))

    setMaxTryNumber, getMaxTryNumber = kept("MaxTryNumber", 3, lambda value: int(number(value, "the number")))
