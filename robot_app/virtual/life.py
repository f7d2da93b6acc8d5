"""The life of its own that a NAO leads: states and abilities that a program switches and puts back.

They are kept, and told to everybody who asks, but move nothing: no blinking, breathing or looking around comes
out of here.
"""

from .service import Refused, Service, kept, offered, one_of

STATES = ("solitary", "interactive", "safeguard", "disabled")
ABILITIES = (
    "AutonomousBlinking",
    "BackgroundMovement",
    "BasicAwareness",
    "ListeningMovement",
    "SpeakingMovement",
)
ENGAGEMENTS = ("Unengaged", "SemiEngaged", "FullyEngaged")
TRACKINGS = ("Head", "BodyRotation", "WholeBody", "MoveContextually")
STIMULI = ("People", "Touch", "TabletTouch", "Sound", "Movement", "NavigationMotion")


class AutonomousLife(Service):
    """ALAutonomousLife."""

    name = "ALAutonomousLife"

    @offered
    def getState(self):
        """One of STATES."""
        return self.nao.life

    @offered
    def setState(self, state):
        """One of STATES."""
        if state not in STATES:
            raise Refused(f"unknown state {state!r}; there are {', '.join(STATES)}.")
        self.nao.life = state
        self.nao["ALMemory"].tell("AutonomousLife/State", state)

    @offered
    def setAutonomousAbilityEnabled(self, ability, enabled):
        """Switch one of ABILITIES, or "All"."""
        for name in ABILITIES if ability == "All" else (ability,):
            self._of(name).enabled = bool(enabled)

    @offered
    def getAutonomousAbilityEnabled(self, ability):
        """Whether one of ABILITIES is on."""
        return self._of(ability).enabled

    @offered
    def getAutonomousAbilitiesStatus(self):
        """[{"name":, "enabled":, "running":}] of all ABILITIES."""
        running = self.nao.life != "disabled"
        return [
            {"name": name, "enabled": self._of(name).enabled, "running": running and self._of(name).enabled}
            for name in ABILITIES
        ]

    @offered
    def stopAll(self):
        """End all activities; none is installed."""

    def _of(self, ability):
        if ability not in ABILITIES:
            raise Refused(f"unknown ability {ability!r}; there are All, {', '.join(ABILITIES)}.")
        return self.nao["AL" + ability]


class Ability(Service):
    """What all abilities share: on or off."""

    def __init__(self, nao):
        super().__init__(nao)
        self.enabled = True

    @offered
    def setEnabled(self, enabled):
        """On or off."""
        self.enabled = bool(enabled)

    @offered
    def isEnabled(self):
        """Whether it is on."""
        return self.enabled

    @offered
    def isRunning(self):
        """Whether it is on, and life is not disabled."""
        return self.enabled and self.nao.life != "disabled"


class AutonomousMoves(Service):
    """ALAutonomousMoves: slight movements when idle, as NAOqi 2.1 has them."""

    name = "ALAutonomousMoves"

    setExpressiveListeningEnabled, getExpressiveListeningEnabled = kept(
        "ExpressiveListeningEnabled", True, bool
    )
    setBackgroundStrategy, getBackgroundStrategy = kept(
        "BackgroundStrategy", "none", one_of(("none", "backToNeutral"), "strategy")
    )


class BackgroundMovement(Ability):
    """ALBackgroundMovement: slight movements when idle."""

    name = "ALBackgroundMovement"


class AutonomousBlinking(Ability):
    """ALAutonomousBlinking: blinking eyes."""

    name = "ALAutonomousBlinking"


class ListeningMovement(Ability):
    """ALListeningMovement: slight movements while it listens."""

    name = "ALListeningMovement"


class SpeakingMovement(Ability):
    """ALSpeakingMovement: movements while it speaks."""

    name = "ALSpeakingMovement"

    def __init__(self, nao):
        super().__init__(nao)
        self.mode = "contextual"

    @offered
    def setMode(self, mode):
        """ "random" or "contextual"."""
        if mode not in ("random", "contextual"):
            raise Refused(f"the mode is random or contextual, not {mode!r}.")
        self.mode = mode

    @offered
    def getMode(self):
        """ "random" or "contextual"."""
        return self.mode


class BasicAwareness(Ability):
    """ALBasicAwareness: looking at people and sounds."""

    name = "ALBasicAwareness"

    def __init__(self, nao):
        super().__init__(nao)
        self.paused = False
        self.engagement = ENGAGEMENTS[0]
        self.tracking = TRACKINGS[0]
        self.stimuli = dict.fromkeys(STIMULI, True)

    @offered
    def startAwareness(self):
        """On, by its old name."""
        self.enabled, self.paused = True, False

    @offered
    def stopAwareness(self):
        """Off, by its old name."""
        self.enabled = False

    @offered
    def pauseAwareness(self):
        """Off for a while."""
        self.paused = True

    @offered
    def resumeAwareness(self):
        """On after a pause."""
        self.paused = False

    @offered
    def isAwarenessPaused(self):
        """Whether it pauses."""
        return self.paused

    @offered
    def isAwarenessRunning(self):
        """Whether it is on and does not pause."""
        return self.isRunning() and not self.paused

    @offered
    def setEngagementMode(self, mode):
        """One of ENGAGEMENTS."""
        if mode not in ENGAGEMENTS:
            raise Refused(f"unknown engagement {mode!r}; there are {', '.join(ENGAGEMENTS)}.")
        self.engagement = mode

    @offered
    def getEngagementMode(self):
        """One of ENGAGEMENTS."""
        return self.engagement

    @offered
    def setTrackingMode(self, mode):
        """One of TRACKINGS."""
        if mode not in TRACKINGS:
            raise Refused(f"unknown tracking {mode!r}; there are {', '.join(TRACKINGS)}.")
        self.tracking = mode

    @offered
    def getTrackingMode(self):
        """One of TRACKINGS."""
        return self.tracking

    @offered
    def setStimulusDetectionEnabled(self, stimulus, enabled):
        """Switch one of STIMULI."""
        self._known(stimulus)
        self.stimuli[stimulus] = bool(enabled)

    @offered
    def isStimulusDetectionEnabled(self, stimulus):
        """Whether one of STIMULI is on."""
        return self.stimuli[self._known(stimulus)]

    def _known(self, stimulus):
        if stimulus not in STIMULI:
            raise Refused(f"unknown stimulus {stimulus!r}; there are {', '.join(STIMULI)}.")
        return stimulus
