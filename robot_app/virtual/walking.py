"""Walking as a point that moves over the floor: where the robot is, and the task of going somewhere.

No steps, no balance: only the time a walk takes, where it ends, and what stands in its way.
"""

import math

from .service import Task

TOP_SPEED_M_S = 0.08
TOP_TURN_RAD_S = 0.4
STILL = (0.0, 0.0, 0.0)


class Walk:
    """The robot's place on the floor, and its present way, straight ahead or turning."""

    def __init__(self, nao):
        self.nao = nao
        self.task = None
        self._place = STILL
        self._velocity = STILL  # m/s, m/s, rad/s in the robot's own frame
        self._since_s = 0.0
        self._goal = STILL

    @property
    def active(self) -> bool:
        """Whether it walks now."""
        return any(self._velocity)

    @property
    def velocity(self) -> list[float]:
        """[m/s, m/s, rad/s] now, in the robot's own frame."""
        return list(self._velocity)

    def position(self) -> list[float]:
        """[x m, y m, theta rad] now; on the way, the robot keeps the direction in which it began."""
        gone_s = self.nao.lived_s - self._since_s
        ahead, aside, turn = (v * gone_s for v in self._velocity)
        return _beyond(self._place, ahead, aside, turn)

    def goal(self) -> list[float]:
        """Where the present moveTo ends, or where it is."""
        return list(self._goal) if self.task else self.position()

    def at_velocity(self, x_m_s, y_m_s, theta_rad_s):
        """Walk on at a velocity, at most the top ones; a walk to somewhere ends."""
        if self.task:
            self.task.end("killed")
        tops = (TOP_SPEED_M_S, TOP_SPEED_M_S, TOP_TURN_RAD_S)
        wanted = (x_m_s, y_m_s, theta_rad_s)
        self._turn_to(tuple(min(max(v, -top), top) for v, top in zip(wanted, tops, strict=True)))

    def at_share(self, x, y, theta):
        """Walk on at shares (-1..1) of the top velocities."""
        self.at_velocity(x * TOP_SPEED_M_S, y * TOP_SPEED_M_S, theta * TOP_TURN_RAD_S)

    def to(self, x_m, y_m, theta_rad, after=None, duration_s=0.0) -> Task:
        """A task that walks to a place in the robot's own frame; nowhere is reached at once.

        after        a task that must be done first: the way to its feet
        duration_s   the least time it takes
        """
        if self.task:
            self.task.end("killed")
        task = Task("moveTo", done=True, stopped=False)
        needed_s = max(math.hypot(x_m, y_m) / TOP_SPEED_M_S, abs(theta_rad) / TOP_TURN_RAD_S)
        if needed_s == 0:
            task.end()
            return task
        duration_s = max(needed_s, duration_s)
        self.task = task
        task.when_ended(self._stand)

        def begin(before=None):
            if before is not None and before.how != "done":
                task.end("killed")
            elif task.how is None:
                self._turn_to((x_m / duration_s, y_m / duration_s, theta_rad / duration_s))
                self._goal = _beyond(self._place, x_m, y_m, theta_rad)
                self.nao.at(self.nao.lived_s + duration_s, task.end)

        if after is None:
            begin()
        else:
            after.when_ended(begin)
        return task

    def stop(self):
        """Stand still."""
        self.at_velocity(*STILL)

    def look_ahead(self, clear_m: float, least_m: float):
        """Stop, and tell of a failed move, where it walks ahead and less than `least_m` is clear."""
        if self._velocity[0] > 0 and clear_m < least_m:
            self.stop()
            memory = self.nao["ALMemory"]
            memory.tell("ALMotion/MoveFailed", ["Obstacle detected", 0, self.position()])

    def _stand(self, task):
        self.task = None
        self._turn_to(STILL)

    def _turn_to(self, velocity):
        self._place = tuple(self.position())
        self._velocity = velocity
        self._since_s = self.nao.lived_s


def _beyond(place, ahead, aside, turn) -> list[float]:
    """The place that lies so far ahead, to the left and turned from another."""
    x, y, theta = place
    return [
        x + ahead * math.cos(theta) - aside * math.sin(theta),
        y + ahead * math.sin(theta) + aside * math.cos(theta),
        theta + turn,
    ]
