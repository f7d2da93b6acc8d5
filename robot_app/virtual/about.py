"""What the robot says of itself: battery, model, system, and the behaviours that are installed (none)."""

from .service import Refused, Service, offered


class Battery(Service):
    """ALBattery; the charge is that of ALMemory, so that a test can lower it there."""

    name = "ALBattery"

    @offered
    def getBatteryCharge(self):
        """Percent."""
        return self.nao["ALMemory"].getData("BatteryChargeChanged")


class RobotModel(Service):
    """ALRobotModel."""

    name = "ALRobotModel"

    @offered
    def getRobotType(self):
        """ "Nao"."""
        return "Nao"

    @offered
    def hasArms(self):
        """True."""
        return True

    @offered
    def hasHands(self):
        """True."""
        return True

    @offered
    def hasLegs(self):
        """True."""
        return True


class System(Service):
    """ALSystem."""

    name = "ALSystem"

    def __init__(self, nao):
        super().__init__(nao)
        self.robot_name = "virtual-nao"

    @offered
    def systemVersion(self):
        """The version of NAOqi."""
        return self.nao.NAOQI_VERSION

    @offered
    def robotName(self):
        """What the robot is called."""
        return self.robot_name

    @offered
    def setRobotName(self, name):
        """Call it otherwise."""
        self.robot_name = str(name)
        return True


class BehaviorManager(Service):
    """ALBehaviorManager: nothing is installed, as on a NAO without applications."""

    name = "ALBehaviorManager"

    @offered
    def isBehaviorInstalled(self, name):
        """False."""
        return False

    @offered
    def isBehaviorRunning(self, name):
        """False."""
        return False

    @offered
    def getInstalledBehaviors(self):
        """None."""
        return []

    @offered
    def getRunningBehaviors(self):
        """None."""
        return []

    @offered
    def runBehavior(self, name):
        """Nothing to run."""
        raise Refused(f"the behavior {name!r} is not installed.")

    @offered
    def startBehavior(self, name):
        """Nothing to start."""
        raise Refused(f"the behavior {name!r} is not installed.")

    @offered
    def stopBehavior(self, name):
        """Nothing to stop."""
        raise Refused(f"the behavior {name!r} is not running.")

    @offered
    def stopAllBehaviors(self):
        """Nothing to stop."""


class AnimationPlayer(Service):
    """ALAnimationPlayer: no animation is installed."""

    name = "ALAnimationPlayer"

    @offered
    def run(self, path):
        """Nothing to run."""
        raise Refused(f"the animation {path!r} is not installed.")

    @offered
    def runTag(self, tag):
        """Nothing to run."""
        raise Refused(f"no animation with the tag {tag!r} is installed.")
