"""The gate: who may speak to the server over the network, decided before anybody's message is decoded.

A robot is known by its key and by nothing else. ZeroMQ asks here, by ZAP (https://rfc.zeromq.org/spec/27), at
every handshake; who is not in the list of allowed keys never gets a message through. The list is read anew
when it has changed, so that `keys allow` and `keys revoke` need no restart.

Threads  none; all of it belongs to the server's network thread, and nothing in here waits.
It decodes no frame and knows no robot's address but for the log.
"""

import os
from collections.abc import Callable
from pathlib import Path

import zmq

from config import keys
from config.keys import KeysError

DOMAIN = b"emotion"
ZAP = "inproc://zeromq.zap.01"
BROKEN = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
# complain(cause, sentence): the server logs it, once a cause and minute
Complain = Callable[[str, str], None]


class Gate:
    """Guards one ROUTER of `context`; `where` is the folder of the keys. Raises KeysError.

    gate.guard(router)        before it is bound
    gate.attend(complain)     when one of gate.sockets can be read
    gate.name_of(key)         of a key that a message came with, or None where it is allowed no more
    """

    def __init__(self, context: zmq.Context, where: str | Path):
        self._where = str(where)
        self._pair = keys.of_pc(self._where)
        self._list = Path(self._where) / keys.ROBOTS
        self._read_at: object = None
        self._allowed = keys.allowed(self._where)
        self._zap = context.socket(zmq.REP)
        self._zap.bind(ZAP)
        self._events: zmq.Socket | None = None
        self.fingerprint = keys.fingerprint(self._pair["public"])
        self.look_at_list(lambda *_: None)

    @property
    def sockets(self) -> list[zmq.Socket]:
        return [self._zap, *([self._events] if self._events else [])]

    @property
    def allowed(self) -> int:
        """How many robots may come in."""
        return len(self._allowed)

    def guard(self, router: zmq.Socket) -> None:
        """Have `router` speak to nobody without asking here."""
        router.setsockopt(zmq.CURVE_SERVER, 1)
        router.setsockopt(zmq.CURVE_SECRETKEY, keys.raw(self._pair["secret"]))
        router.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        router.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # if this gate were missing: nobody, not everybody
        self._events = router.get_monitor_socket(BROKEN)

    def name_of(self, key: str) -> str | None:
        return self._allowed.get(key)

    def attend(self, complain: Complain) -> None:
        """Answer all who stand before the gate."""
        while self._zap.poll(0):
            self._judge(self._zap.recv_multipart(), complain)
        while self._events and self._events.poll(0):
            self._events.recv_multipart()
            complain(
                "no handshake",
                "somebody tried to connect without keys, or with those of another PC, and was refused. If that "
                "is a robot of yours: python -m inference_server keys pair",
            )

    def look_at_list(self, complain: Complain) -> None:
        """Read the list of allowed robots where it has changed; one that cannot be read changes nothing."""
        try:
            found = os.stat(self._list)
            read_at = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            read_at = None
        if read_at == self._read_at:
            return
        try:
            self._allowed = keys.allowed(self._where)
        except KeysError as error:
            complain("list", f"the robots allowed before stay allowed: {error}")
        self._read_at = read_at

    def close(self) -> None:
        for socket in self.sockets:
            socket.close(linger=0)

    def _judge(self, request: list[bytes], complain: Complain) -> None:
        version, number, _, address, _, mechanism, *credentials = request
        self.look_at_list(complain)
        key = keys.text(credentials[0]) if mechanism == b"CURVE" and len(credentials) == 1 else ""
        known = key in self._allowed
        verdict = [b"200", b"OK", key.encode()] if known else [b"400", b"this key is not allowed", b""]
        self._zap.send_multipart([version, number, *verdict, b""])
        if not known and key:
            complain(
                f"key {key}",
                f"a robot at {address.decode('ascii', 'replace')} was refused: its key "
                f"{keys.fingerprint(key)} is not allowed. If it is yours: "
                f"python -m inference_server keys allow NAME {key}",
            )
