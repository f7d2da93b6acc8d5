"""A clock that is moved by hand, so that tests of a virtual NAO never sleep."""


class HandClock:
    """Give it to VirtualNAO as its clock; `live(nao, s)` lets the robot live on."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def live(self, nao, seconds: float):
        """Move on by `seconds` and bring the robot there."""
        self.now_s += seconds
        nao.step()
