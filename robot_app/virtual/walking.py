"""Walking as a point that moves over the floor: where the robot is, and the task of going somewhere.

No steps, no balance: only the time a walk takes and where it ends.
"""

import math

from .service import Task

TOP_SPEED_M_S = 0.08
TOP_TURN_RAD_S = 0.4


class Walk:
    """The robot's place on the floor, and its present way, straight ahead or turning."""

    def __init__(self, nao):
        self.nao = nao
        self.task = None
        self._place = (0.0, 0.0, 0.0)
        self._velocity = (0.0, 0.0, 0.0)  # m/s, m/s, rad/s in the robot's own frame
        self._since_s = 0.0

    @property
    def active(self) -> bool:
        """Whether it walks now."""
        return any(self._velocity)

    def position(self) -> list[float]:
        """[x m, y m, theta rad] now; on the way, the robot keeps the direction in which it began."""
        gone_s = self.nao.lived_s - self._since_s
        x, y, theta = self._place
        ahead, aside, turn = (v * gone_s for v in self._velocity)
        return [
            x + ahead * math.cos(theta) - aside * math.sin(theta),
            y + ahead * math.sin(theta) + aside * math.cos(theta),
            theta + turn,
        ]

    def at_velocity(self, x_m_s, y_m_s, theta_rad_s):
        """Walk on at a velocity; a walk to somewhere ends."""
        if self.task:
            self.task.end("killed")
        self._turn_to((x_m_s, y_m_s, theta_rad_s))

    def at_share(self, x, y, theta):
        """Walk on at shares (-1..1) of the top velocities."""
        shares = [min(max(value, -1.0), 1.0) for value in (x, y, theta)]
        self.at_velocity(shares[0] * TOP_SPEED_M_S, shares[1] * TOP_SPEED_M_S, shares[2] * TOP_TURN_RAD_S)

    def to(self, x_m, y_m, theta_rad) -> Task:
        """A task that walks to a place in the robot's own frame; nowhere is reached at once."""
        if self.task:
            self.task.end("killed")
        task = Task("moveTo", done=True, stopped=False)
        duration_s = max(math.hypot(x_m, y_m) / TOP_SPEED_M_S, abs(theta_rad) / TOP_TURN_RAD_S)
        if duration_s == 0:
            task.end()
            return task
        self.task = task
        self._turn_to((x_m / duration_s, y_m / duration_s, theta_rad / duration_s))
        task.when_ended(self._stand)
        self.nao.at(self.nao.lived_s + duration_s, lambda: task.end())
        return task

    def stop(self):
        """Stand still."""
        self.at_velocity(0.0, 0.0, 0.0)

    def _stand(self, task):
        self.task = None
        self._turn_to((0.0, 0.0, 0.0))

    def _turn_to(self, velocity):
        self._place = tuple(self.position())
        self._velocity = velocity
        self._since_s = self.nao.lived_s
