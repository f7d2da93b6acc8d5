"""What the robot says of itself: battery, model, system."""

from .service import Service, offered

REBOOT_S = 5.0
OFF_S = 10.0**6


class Battery(Service):
    """ALBattery; the charge is that of ALMemory, so that a test can lower it there."""

    name = "ALBattery"

    @offered
    def getBatteryCharge(self):
        """Percent."""
        return self.nao["ALMemory"].getData("BatteryChargeChanged")

    @offered
    def isBatteryFull(self):
        """Whether it is charged to the brim."""
        return self.getBatteryCharge() >= 100


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
        return self.nao.profile.version

    @offered
    def robotName(self):
        """What the robot is called."""
        return self.robot_name

    @offered
    def setRobotName(self, name):
        """Call it otherwise."""
        self.robot_name = str(name)
        return True

    @offered
    def reboot(self):
        """All motion ends, the robot goes limp, and all connections break for a while."""
        self._go_down(REBOOT_S)

    @offered
    def shutdown(self):
        """The same without an end: nothing can connect any more."""
        self._go_down(OFF_S)

    def _go_down(self, seconds):
        self.nao["ALMotion"].killAll()
        self.nao["ALTextToSpeech"].stopAll()
        self.nao.awake = False
        self.nao.stiffnesses.update(dict.fromkeys(self.nao.stiffnesses, 0.0))
        self.nao.lose_sessions(seconds)
