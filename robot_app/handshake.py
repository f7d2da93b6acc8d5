# -*- coding: utf-8 -*-
"""How a line to the PC begins: with the robot's key, or plain; and why it does not, as a sentence.

ZeroMQ tells of a refused handshake only by an event on a socket of its own, and tries again for ever: without
a look at it, a key that is not allowed would look like a bad Wi-Fi.
"""

from __future__ import division, print_function

import zmq
from zmq.utils.monitor import parse_monitor_message

from config import keys

SUCCEEDED = zmq.EVENT_HANDSHAKE_SUCCEEDED
REFUSED = zmq.EVENT_HANDSHAKE_FAILED_AUTH
BROKEN = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
ENOUGH = 2  # broken handshakes in a row; a PC that is just ending breaks one
PAIR = "On the PC, `python -m inference_server keys pair` says how."


def pair_for(server, settings):
    """The keys for the PC at `server`: {"public", "secret", "pc"}; None where the line is plain.

    It is plain on this machine itself, and where the settings say so. Raises keys.KeysError.
    """
    if settings["plain"] or keys.is_loopback(server):
        return None
    ours = keys.of_robot(keys.folder(settings["keys"]))
    pc = ours.get(keys.PC_AT % server, ours.get("pc"))
    if pc is None:
        raise keys.KeysError(
            "this robot is paired with no PC, and %s is in the network. %s In a network that you trust, "
            "both ends can do without keys: --plain." % (server, PAIR)
        )
    return {"public": ours["public"], "secret": ours["secret"], "pc": pc}


class Handshake(object):
    """Of one socket that is not yet connected. `trouble` is a sentence once it was refused, else None."""

    def __init__(self, socket, address, pair):
        self.trouble = None
        self._socket = socket
        self._address = address
        self._pair = pair
        self._broken = 0
        if pair is not None:
            socket.setsockopt(zmq.CURVE_SERVERKEY, keys.raw(pair["pc"]))
            socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.raw(pair["public"]))
            socket.setsockopt(zmq.CURVE_SECRETKEY, keys.raw(pair["secret"]))
        self._events = socket.get_monitor_socket(SUCCEEDED | REFUSED | BROKEN)

    def look(self):
        """Take note of what happened since the last look; gives `trouble`."""
        while self._events.poll(0):
            self._note(parse_monitor_message(self._events.recv_multipart())["event"])
        return self.trouble

    def close(self):
        self._socket.disable_monitor()
        self._events.close(linger=0)

    def _note(self, event):
        if event == SUCCEEDED:
            self._broken, self.trouble = 0, None
        elif event == REFUSED:
            self.trouble = (
                "%s does not allow this robot's key (%s). If it is your PC, type there: "
                "python -m inference_server keys allow NAME %s"
                % (self._address, keys.fingerprint(self._pair["public"]), self._pair["public"])
            )
        else:
            self._broken += 1
            if self._broken >= ENOUGH or event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                self.trouble = self._why_broken()

    def _why_broken(self):
        if self._pair is None:
            return (
                "%s asks for a key, and this line has none: give the PC's own address and pair with it. %s"
                % (self._address, PAIR)
            )
        return (
            "%s is not the PC that this robot was paired with (%s), or runs with --plain: pair them anew. %s"
            % (self._address, keys.fingerprint(self._pair["pc"]), PAIR)
        )
