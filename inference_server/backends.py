"""What may read for the server: the interface that its network thread knows, and what goes through it.

    workers.py     processes of this PC, each with robots of its own; the default
    ray_front.py   a Ray Serve application; while that does not answer in time, the workers
    kserve_front.py   the workers, whose faces a model server scores while it answers in time

A backend belongs to the network thread and never makes it wait. It opens no image and knows no robot's address.
"""

from typing import NamedTuple, Protocol

import zmq

from config.contract import ContractError, Frame, Reading, refusal


class Task(NamedTuple):
    """A frame to read: whose, what came (also as the parts it came in), when."""

    robot_id: str
    frame: Frame
    parts: list[zmq.Frame]
    came_s: float


class Done(NamedTuple):
    """A task and its Reading, also as the message parts it came in; [] where no reader made them."""

    task: Task
    reading: Reading
    parts: list[bytes]
    nth: int = 0  # frames of this robot that its reader had seen before


class Backend(Protocol):
    """
    about        {"model", "runtime"} once it can read, else None
    by           "workers", "ray" or "kserve": what reads, or scores, at this moment
    failed       why it can never read, or ""
    put          have a task read, unless a newer frame of that robot comes before its turn
    attend       take what has come; `ready` is what the poller gave. Called after every poll
    wait_s       how long the network thread may sleep at most
    look_round   about once a second: end what hangs, start what is missing
    refresh      forget the robot's faces before its next frame
    forget       the robot is gone
    """

    failed: str

    @property
    def by(self) -> str: ...

    @property
    def about(self) -> dict | None: ...

    def put(self, task: Task) -> list[Done]: ...

    def attend(self, ready: dict, now_s: float) -> list[Done]: ...

    def wait_s(self, now_s: float) -> float: ...

    def look_round(self, now_s: float) -> None: ...

    def refresh(self, robot_id: str) -> None: ...

    def forget(self, robot_id: str) -> None: ...

    def close(self) -> None: ...


def refused(task: Task, code: str, text: str) -> Done:
    """The answer to a frame that was not read."""
    return Done(task, refusal(ContractError(code, text), task.frame.seq, task.frame.taken_s), [])
