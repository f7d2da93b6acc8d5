"""How often one sender may send: who sends more is not listened to, so that it delays nobody else.

Each sender has a store of BURST messages that fills again at PER_S a second. Time is an argument. This file
knows nothing of sockets or frames.
"""

PER_S = 60.0  # twice what a NAO's camera gives
BURST = 60.0
KEPT = 1024  # senders that are remembered


class Rates:
    """Used by one thread."""

    def __init__(self, per_s: float = PER_S, burst: float = BURST):
        self._per_s = per_s
        self._burst = burst
        self._left: dict[object, tuple[float, float]] = {}  # sender: (messages left, when)

    def take(self, sender: object, now_s: float) -> bool:
        """Whether one more message of `sender` is to be heard."""
        left, at_s = self._left.pop(sender, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self._per_s)
        self._left[sender] = (left - 1 if left >= 1 else left, now_s)  # the last to have spoken stands last
        if len(self._left) > KEPT:
            del self._left[next(iter(self._left))]
        return left >= 1
