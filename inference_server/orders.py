"""The orders that one robot has still to say it had: they ride in each of its Readings until then.

Pure: times are arguments, and nothing here knows a socket. An order that nobody took in LIVES_S is given up, so
that a robot which comes back does not do what was wanted before; what calms it is never given up.
"""

from config.contract import CALMING, MAX_ORDERS, Order

LIVES_S = 2.0
LATE = "it came too late: what was ordered after it is done."
LEFT = "the robot has left."
STOPPED = "the robot was stopped."
UNTAKEN = f"the robot did not take it within {LIVES_S:g} s."


class Waiting:
    """At most MAX_ORDERS, the oldest first."""

    def __init__(self):
        self._orders: dict[int, tuple[Order, float]] = {}  # by number: the order, and since when it waits

    @property
    def is_full(self) -> bool:
        return len(self._orders) >= MAX_ORDERS

    def add(self, order: Order, now_s: float) -> None:
        """One more; its number is above all before it."""
        self._orders[order.number] = order, now_s

    def give_up(self) -> list[tuple[Order, str]]:
        """A stop comes, and nothing that was wanted before it is wanted now: what waited, with why not."""
        given_up = [(order, STOPPED) for order in self.riding()]
        self._orders.clear()
        return given_up

    def riding(self) -> list[Order]:
        """Those that go with the next Reading."""
        return [order for order, _ in self._orders.values()]

    def settle(
        self, had: list[tuple[int, str | None]], now_s: float, gone: bool = False
    ) -> list[tuple[Order, str | None]]:
        """Those that wait no more, each with None if it was done, else why not.

        had    a frame's `done`
        gone   the robot has left
        """
        answers = dict(had)
        newest = max(self._orders.keys() & answers, default=0)
        settled = []
        for order, since_s in list(self._orders.values()):
            if order.number in answers:
                settled.append((order, answers[order.number]))
            elif order.number < newest:
                settled.append((order, LATE))
            elif now_s - since_s > LIVES_S and order.what not in CALMING:
                settled.append((order, UNTAKEN))
            elif gone:
                settled.append((order, LEFT))
            else:
                continue
            del self._orders[order.number]
        return settled
