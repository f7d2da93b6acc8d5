"""The PC's end of the line: frames come in on one ZeroMQ socket, each robot's newest is read and answered.

Design   one slot a robot (slots.py): what was not read when a newer frame comes is dropped, nothing queues.
         A message that breaks the contract is answered with its error and changes nothing else.
         Over a network a robot is its key (gate.py): one that returns takes its place again, also from itself.
         On this machine, or where keys were waived, it is a connection, and one that returns is a new one.
         Pictures are read by a backend (backends.py), in processes of its own; this one never opens an image.
Threads  one owns all sockets and waits for nothing but them.
Memory   bounded: at most MAX_ROBOTS, one frame and MAX_ORDERS orders each. All of it may be lost.
"""

import contextlib
import itertools
import logging
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import zmq

from config.contract import (
    MAX_IMAGE_BYTES,
    ContractError,
    Frame,
    Order,
    Reading,
    decode_frame,
    encode_reading,
    refusal,
)
from config.keys import KeysError, is_loopback
from inference_server.backends import Backend, Done, Task
from inference_server.events import Answered, Events, Gone, Ordered, Said, Settled
from inference_server.gate import Gate
from inference_server.orders import Waiting
from inference_server.rates import PER_S, Rates
from inference_server.workers import Process, Workers

log = logging.getLogger("inference_server")

MAX_ROBOTS = 64
OPEN_FILES = 8192  # each connection is one, also of those who only connect
MAX_CAUSES = 32  # of complaints that are told apart
GONE_S = 5.0  # silence after which a robot is forgotten
TOLD_AGAIN_S = 60.0  # the same complaint is not logged again sooner
ALIVE_S = 10.0  # a network thread that has not gone round for so long hangs
LOOK_ROUND_S = 1.0  # how often the network thread looks for robots that are gone
START_S = 60.0  # for the workers to be ready, on the slowest machine
END_S = 10.0  # for the network thread to end, and its workers before it

Say = Callable[[str, str], None]  # level, text

OPTIONS = {
    zmq.ROUTER_MANDATORY: 1,  # an answer that cannot be delivered is an error, not silently lost
    zmq.LINGER: 0,
    zmq.RCVHWM: 4,  # messages of one robot that wait in ZeroMQ
    zmq.SNDHWM: 4,
    zmq.MAXMSGSIZE: 2 * MAX_IMAGE_BYTES,  # too large gets a sentence, beyond this the line is cut
    zmq.HANDSHAKE_IVL: 2000,  # ms; mute connections do not keep others out
    zmq.HEARTBEAT_IVL: 1000,
    zmq.HEARTBEAT_TTL: 5000,
    zmq.HEARTBEAT_TIMEOUT: 3000,
}


def allow_open_files(wanted: int = OPEN_FILES) -> None:
    """Have this process open so many files, where the system lets it; a crowd of idle peers takes them."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no such limit
        import resource

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if now < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most) if most > 0 else wanted, most))


class ServerError(ValueError):
    """The server cannot do what was asked; the sentence says why and what to do."""


class Robot:
    """What the server knows of a robot: its address on the socket and since when, its id, when it was heard."""

    def __init__(self, address: bytes, robot_id: str, at_s: float):
        self.address = address
        self.since_s = at_s
        self.before: deque[bytes] = deque(maxlen=8)  # addresses that it had
        self.id = robot_id
        self.heard_s = at_s
        self.orders = Waiting()
        self.anew = False  # its faces are to be forgotten before its next frame


class Server:
    """Listens from its birth until close(); usable as a context manager.

    launch    starts a worker that binds the address it is given
    listen    "tcp://127.0.0.1:5555"; port * takes any free one
    workers   how many; each takes a core when there is work
    keys      the folder of the keys, without which nobody is let in; None: everybody is, in plain text
    before    makes a backend that reads before those workers do; None: they do it all
    keep      makes the Workers, of launch, workers and what else they need
    Raises ServerError where it cannot listen, or where the workers cannot start; KeysError.
    """

    def __init__(
        self,
        launch: Callable[[str], Process],
        events: Events,
        listen: str = "tcp://127.0.0.1:5555",
        workers: int = 1,
        keys: str | Path | None = None,
        before: Callable[[Backend, zmq.Context, zmq.Poller, Say], Backend] | None = None,
        keep: Callable[..., Workers] = Workers,
    ):
        self._events = events
        self._robots: dict[str, Robot] = {}  # by id
        self._by_address: dict[bytes, Robot] = {}
        self._guard = threading.Lock()  # of the two tables and the orders
        self._count = 0
        self._numbers = itertools.count(secrets.randbelow(2**40) + 1)  # of orders; those of no other server
        self._complaints = Complaints()
        self._rates = Rates()
        self._turned_s = time.monotonic()
        self._started = threading.Event()  # the workers are ready, or one cannot start
        self._closing = threading.Event()

        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        for option, value in OPTIONS.items():
            self._socket.setsockopt(option, value)
        self._bell, self._rope = self._context.socket(zmq.PULL), self._context.socket(zmq.PUSH)
        self._bell.bind("inproc://bell")
        self._rope.connect("inproc://bell")  # rung once, by close()
        self.gate: Gate | None = None
        try:
            if keys is not None:
                self.gate = Gate(self._context, keys)
                self.gate.guard(self._socket)
            self._socket.bind(listen)
        except KeysError:
            self._close_sockets()
            raise
        except zmq.ZMQError as error:
            self._close_sockets()
            raise ServerError(_why_not_bound(listen, error)) from None
        self.address = self._socket.get_string(zmq.LAST_ENDPOINT)
        self.port = int(self.address.rsplit(":", 1)[1])

        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._bell, zmq.POLLIN)
        for socket in self.gate.sockets if self.gate else ():
            self._poller.register(socket, zmq.POLLIN)
        ends = (self._context, self._poller, self._say)
        self._backend: Backend = keep(launch, workers, *ends)
        if before:
            self._backend = before(self._backend, *ends)
        self._thread = threading.Thread(target=self._attend, name="server-network", daemon=True)
        self._thread.start()
        self.about = self._wait_for_workers()
        if not self.gate and not is_loopback(listen):
            self._say(
                "warning",
                f"server: {self.address} is open to the network and PLAIN, without keys: everybody who reaches "
                "it can send frames and gets readings, and who listens sees the pictures. Use it in a network "
                "you trust.",
            )

    def _wait_for_workers(self) -> dict[str, str]:
        """What they read with: {"model", "runtime"}. Robots may come meanwhile."""
        in_time = self._started.wait(START_S)
        if self._backend.about is None:
            self.close()
            slow = f"server: the workers were not ready within {START_S:g} s; is the machine very busy?"
            raise ServerError(self._backend.failed if in_time else slow)
        return self._backend.about

    # ---- for the other rooms -------------------------------------------------------------------------

    def order(self, robot_id: str, what: str, **wish: object) -> Order:
        """Have an Order ride in the robot's Readings until it had it. Raises ServerError where that cannot be.

        wish: the Order's name, face or settings. What becomes of it is told by the events Ordered and Settled.
        """
        now_s = time.monotonic()
        try:
            order = Order(what, next(self._numbers), **wish)
            encode_reading(Reading(0, 0.0, [], [order], {}, "", None))
        except (ContractError, TypeError) as error:
            raise ServerError(f"server: this is no order: {error}") from None
        with self._guard:
            robot = self._robots.get(robot_id) if isinstance(robot_id, str) else None
            if robot is None:
                there = ", ".join(self._robots) or "none"
                raise ServerError(f"server: there is no robot {robot_id!r}; there are: {there}.")
            given_up = robot.orders.give_up() if what == "stop" else []
            if robot.orders.is_full:
                raise ServerError(f"server: {robot_id} has too many orders waiting; it does not answer.")
            robot.orders.add(order, now_s)
        for old, why_not in given_up:
            self._events.publish(Settled(robot_id, old, why_not, now_s))
        self._events.publish(Ordered(robot_id, order, now_s))
        return order

    @property
    def reads_by(self) -> str:
        """What reads at this moment: "workers", "ray" or, scoring what they find, "kserve"."""
        return self._backend.by

    @property
    def is_ready(self) -> bool:
        """Whether frames can be read."""
        return self._backend.about is not None

    def is_alive(self, now_s: float) -> bool:
        """Whether the network thread goes round."""
        return now_s - self._turned_s < ALIVE_S

    def begin_anew(self) -> None:
        """Forget every robot's faces before its next frame: what is read from then on can be read again."""
        with self._guard:
            for robot in self._robots.values():
                robot.anew = True

    def close(self) -> None:
        """Stop listening and end the workers; frames that wait are dropped."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._rope.send(b"")
        self._thread.join(END_S)
        if self._thread.is_alive():
            raise RuntimeError(f"server: the network thread did not end within {END_S:g} s.")
        self._close_sockets()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the network's thread ------------------------------------------------------------------------

    def _attend(self) -> None:
        look_s = time.monotonic()
        while not self._closing.is_set():
            self._turned_s = time.monotonic()
            ready = dict(self._poller.poll(1000 * min(LOOK_ROUND_S, self._backend.wait_s(time.monotonic()))))
            now_s = time.monotonic()
            try:
                for done in self._backend.attend(ready, now_s):
                    self._answer(done, now_s)
                if self.gate:
                    self.gate.attend(partial(self._warn, now_s=now_s))
                if self._socket in ready:
                    self._receive(now_s)
                if now_s - look_s >= LOOK_ROUND_S:
                    look_s = now_s
                    self._look_for_gone(now_s)
                    if self.gate:
                        self.gate.look_at_list(partial(self._warn, now_s=now_s))
                    self._backend.look_round(now_s)
            except Exception:  # a bug of ours must not end the service; the traceback is logged
                log.exception("server: a message could not be handled")
            if self._backend.about or self._backend.failed:
                self._started.set()
        self._backend.close()

    def _receive(self, now_s: float) -> None:
        """Take one message; a frame goes to its robot's slot, anything else is answered with its error."""
        address, *parts = self._socket.recv_multipart(copy=False)
        address, sender = address.bytes, _peer(parts)
        robot = self._by_address.get(address)
        who = robot.id if robot else sender
        try:
            name = self._name(parts)
            who = name or who
            if not self._rates.take(name or address, now_s):
                text = f"{who} sends more than {PER_S:g} messages a second: some are dropped."
                self._warn("rate", text, now_s)
                return
            if robot and robot.address == address:
                robot.heard_s = now_s
            frame = decode_frame([part.bytes for part in parts[:4]])  # more than three are too many anyhow
            robot = self._robots.get(name or "") or robot
            if robot is None:
                robot = self._welcome(address, name or self._new_id(frame), sender, now_s)
            elif robot.address != address:
                self._move(robot, address, sender, now_s)
        except ContractError as error:
            self._complain(error, who, now_s)
            self._send(address, encode_reading(refusal(error)))
            return
        self._settle(robot, frame.done or [], now_s)
        if robot.anew:
            robot.anew = False
            self._backend.refresh(robot.id)
        for done in self._backend.put(Task(robot.id, frame, parts, now_s)):
            self._answer(done, now_s)

    def _name(self, parts: list[zmq.Frame]) -> str | None:
        """The name under which a message's key is allowed; None where there are no keys."""
        if self.gate is None:
            return None
        name = self.gate.name_of(parts[-1].get("User-Id"))
        if name is None:
            raise ContractError("not_ready", "this robot's key is allowed no more; pair it with the PC anew.")
        return name

    def _new_id(self, frame: Frame) -> str:
        self._count += 1
        name = re.sub("[^a-z0-9]+", "-", frame.robot.lower()).strip("-")[:24] or "robot"
        return f"{name}-{self._count}"

    def _move(self, robot: Robot, address: bytes, sender: str, now_s: float) -> None:
        """A known key comes over another connection: the newer one counts, and the older one is told so."""
        if address in robot.before:
            raise ContractError(
                "not_ready",
                f"another robot has the same key and has taken the place of {robot.id}; give each its own.",
            )
        with self._guard:
            if len(robot.before) == robot.before.maxlen:
                self._by_address.pop(robot.before[0], None)
            robot.before.append(robot.address)
            robot.address, robot.since_s, robot.heard_s = address, now_s, now_s
            self._by_address[address] = robot
        self._say("info", f"{robot.id} is here anew, from {sender}.", now_s)

    def _welcome(self, address: bytes, robot_id: str, sender: str, now_s: float) -> Robot:
        if len(self._robots) >= MAX_ROBOTS:
            raise ContractError("not_ready", f"the PC serves {MAX_ROBOTS} robots already; try again later.")
        robot = Robot(address, robot_id, now_s)
        with self._guard:
            self._robots[robot.id] = self._by_address[address] = robot
        self._say("info", f"{robot.id} is here, from {sender}.", now_s)
        return robot

    def _answer(self, done: Done, now_s: float) -> None:
        """Send a Reading to its robot, with the orders that wait for it; where none do, the worker's bytes."""
        robot, frame, reading = self._robots.get(done.task.robot_id), done.task.frame, done.reading
        if robot is None or done.task.came_s < robot.since_s:  # it left, or came anew, while its frame was read
            return
        if reading.error and reading.error[0] != "not_ready":
            self._complain(ContractError(*reading.error), robot.id, now_s)
        with self._guard:
            orders = robot.orders.riding()
        reading = reading._replace(orders=orders)
        if not self._send(robot.address, done.parts if done.parts and not orders else encode_reading(reading)):
            return
        if not reading.error:
            picture = frame.image if frame.encoding == "jpeg" else b""
            came = {"came_s": done.task.came_s, "nth": done.nth}
            self._events.publish(Answered(robot.id, frame, reading, now_s, picture, **came))

    def _settle(self, robot: Robot, had: list, now_s: float, gone: bool = False) -> None:
        """Say which orders wait no more, now that the robot has had those, or is gone."""
        with self._guard:
            settled = robot.orders.settle(had, now_s, gone)
        for order, why_not in settled:
            self._events.publish(Settled(robot.id, order, why_not, now_s))

    def _send(self, address: bytes, parts: list[bytes]) -> bool:
        """Whether ZeroMQ took the Reading; a robot that is gone or does not listen is no fault."""
        try:
            self._socket.send_multipart([address, *parts], zmq.DONTWAIT)
        except zmq.ZMQError:
            return False
        return True

    def _look_for_gone(self, now_s: float) -> None:
        for robot in list(self._robots.values()):
            gone = now_s - robot.heard_s >= GONE_S
            self._settle(robot, [], now_s, gone)
            if not gone:
                continue
            with self._guard:
                del self._robots[robot.id]
                for address in (robot.address, *robot.before):
                    self._by_address.pop(address, None)
            self._backend.forget(robot.id)
            self._events.publish(Gone(robot.id, now_s))
            self._say("info", f"{robot.id} is gone: silent for {GONE_S:g} s.", now_s)

    # ---- small things --------------------------------------------------------------------------------

    def _complain(self, error: ContractError, who: str, now_s: float) -> None:
        self._warn(error.code, f"a message of {who} was refused ({error.code}): {error.text}", now_s)

    def _warn(self, cause: str, text: str, now_s: float) -> None:
        """Log a complaint, unless its cause was complained of a moment ago."""
        text = "".join(letter if letter.isprintable() else "?" for letter in text)  # it may quote anybody
        line = self._complaints.line(cause, text, now_s)
        if line:
            self._say("warning", line, now_s)

    def _say(self, level: str, text: str, at_s: float | None = None) -> None:
        getattr(log, level)(text)
        self._events.publish(Said(level, text, time.monotonic() if at_s is None else at_s))

    def _close_sockets(self) -> None:
        if self.gate:
            self._socket.disable_monitor()
            self.gate.close()
        for socket in (self._socket, self._bell, self._rope):
            socket.close(linger=0)
        self._context.term()


class Complaints:
    """Lines for the log, one a cause and minute; what was left out is counted and told with the next."""

    def __init__(self):
        self._told_s: dict[str, float] = {}
        self._more: dict[str, int] = {}

    def line(self, cause: str, text: str, now_s: float) -> str | None:
        """The line to log now, or None."""
        if cause not in self._told_s and len(self._told_s) >= MAX_CAUSES:
            old = [c for c, told_s in self._told_s.items() if now_s - told_s >= TOLD_AGAIN_S]
            for one in old:
                del self._told_s[one]
                self._more.pop(one, None)
            cause = cause if old else "any other"
        if now_s - self._told_s.get(cause, -TOLD_AGAIN_S) < TOLD_AGAIN_S:
            self._more[cause] = self._more.get(cause, 0) + 1
            return None
        self._told_s[cause] = now_s
        more = self._more.pop(cause, 0)
        return f"{text} ({more} more like it)" if more else text


def _peer(parts: list[zmq.Frame]) -> str:
    """The network address a message came from."""
    try:
        return parts[-1].get("Peer-Address")
    except (IndexError, zmq.ZMQError):
        return "an unknown address"


def _why_not_bound(listen: str, error: zmq.ZMQError) -> str:
    if error.errno == zmq.EADDRINUSE:
        return (
            f"server: {listen} is in use by another program, perhaps another server; "
            "end that one or give another port with --listen."
        )
    return f"server: cannot listen at {listen} ({error.strerror}); --listen needs an address of this machine."
