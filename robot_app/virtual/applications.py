"""What is installed on the robot: ALBehaviorManager and ALAnimationPlayer.

Nothing is, at first, as on a NAO without applications. VirtualNAO.install adds a behavior of a name and a
length, which runs for so long and does nothing else.
"""

from .service import Refused, Service, Timed, as_list, offered


class BehaviorManager(Service):
    """ALBehaviorManager."""

    name = "ALBehaviorManager"

    def __init__(self, nao):
        super().__init__(nao)
        self.running = {}  # name: its task
        self.defaults = []

    def run(self, method, name):
        """A task that runs an installed behavior; one that runs already goes on and is waited for."""
        if name not in self.nao.installed:
            raise Refused(f"the behavior {name!r} is not installed.")
        if name in self.running:
            return self.running[name]
        task = self.running[name] = Timed(method, self.nao, self.nao.installed[name])
        self.nao.number(task)
        task.when_ended(lambda _: self.running.pop(name, None))
        return task

    @offered
    def runBehavior(self, name):
        """Run it and wait for its end."""
        return self.run("runBehavior", name)

    @offered
    def startBehavior(self, name):
        """Run it, and return at once."""
        self.run("startBehavior", name)

    @offered
    def stopBehavior(self, name):
        """End it; raises where it does not run."""
        if name not in self.running:
            raise Refused(f"the behavior {name!r} is not running.")
        self.running[name].end("killed")

    @offered
    def stopAllBehaviors(self):
        """End all."""
        for task in list(self.running.values()):
            task.end("killed")

    @offered(counted=True)
    def isBehaviorRunning(self, name):
        """Whether it runs."""
        return name in self.running

    @offered
    def isBehaviorInstalled(self, name):
        """Whether it is installed."""
        return name in self.nao.installed

    @offered
    def isBehaviorPresent(self, name):
        """The same by its old name."""
        return name in self.nao.installed

    @offered
    def getInstalledBehaviors(self):
        """All names."""
        return list(self.nao.installed)

    @offered
    def getBehaviorNames(self):
        """The same by its old name."""
        return list(self.nao.installed)

    @offered(counted=True)
    def getRunningBehaviors(self):
        """Those that run."""
        return list(self.running)

    @offered
    def getBehaviorNature(self, name):
        """ "no nature", as one without a manifest has."""
        if name not in self.nao.installed:
            raise Refused(f"the behavior {name!r} is not installed.")
        return "no nature"

    @offered(kept=True)
    def addDefaultBehavior(self, name):
        """It is to run when the robot starts; this one never starts anew."""
        if name not in self.nao.installed:
            raise Refused(f"the behavior {name!r} is not installed.")
        if name not in self.defaults:
            self.defaults.append(name)

    @offered
    def removeDefaultBehavior(self, name):
        """No more."""
        if name not in self.defaults:
            raise Refused(f"{name!r} is no default behavior.")
        self.defaults.remove(name)

    @offered
    def getDefaultBehaviors(self):
        """Those that are to run when the robot starts."""
        return list(self.defaults)


class AnimationPlayer(Service):
    """ALAnimationPlayer: animations are behaviors that are installed."""

    name = "ALAnimationPlayer"

    @offered
    def run(self, path, parameters=()):
        """Run it and wait for its end; the last part of a path is enough where only one ends so."""
        alike = [name for name in self.nao.installed if name == path or name.endswith(f"/{path}")]
        if len(alike) != 1:
            raise Refused(f"the animation {path!r} is not installed.")
        return self.nao["ALBehaviorManager"].run("run", alike[0])

    @offered
    def runTag(self, tag, parameters=()):
        """Run one of the animations that ALAnimatedSpeech.declareTagForAnimations gave the tag."""
        tagged = as_list(self.nao["ALAnimatedSpeech"].tags.get(tag, [])) if isinstance(tag, str) else []
        installed = [path for path in tagged if path in self.nao.installed]
        if not installed:
            raise Refused(f"no animation with the tag {tag!r} is installed.")
        return self.run(installed[0])
