# -*- coding: utf-8 -*-
"""Keys: by which a PC and its robots know each other over a network. Both ends run this file.

One folder of each user holds them, for its owner's eyes alone:

    server.json   the PC's pair of keys                         {"public", "secret"}
    robots.txt    the robots that the PC lets in                one a line: name, public key
    robot.json    the robot's pair, and its PC's public key     {"public", "secret", "pc", "pc tcp://..."}

Every key is made where it is used, and no secret one ever leaves its machine. A key is 32 bytes (Curve25519),
written as 64 hexadecimal digits; people compare fingerprints. This file knows files, not sockets, and never
decides whether keys are needed. It is valid Python 2.7 and 3.
"""

from __future__ import division, print_function

import binascii
import errno
import hashlib
import io
import json
import os
import re
import stat

PC_AT = "pc %s"  # the key of the PC at one address, where it has several
SERVER, ROBOTS, ROBOT = "server.json", "robots.txt", "robot.json"
KEY = re.compile(r"[0-9a-f]{64}\Z")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")
MAX_FILE_BYTES = 64 * 1024  # some 600 robots


class KeysError(ValueError):
    """Keys cannot be used as they are; the text says which file and what to do."""


def folder(chosen=None):
    """Where this user's keys are: the folder of the settings, else that of the system for settings."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.join("~", ".config")
    return os.path.expanduser(chosen or os.path.join(home, "nao-emotion"))


def is_loopback(address):
    """Whether an address like tcp://127.0.0.1:5555 can be reached from its own machine alone."""
    host = address.partition("://")[2].rpartition(":")[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")


def raw(key):
    """The 32 bytes of a key as ZeroMQ takes them; raises KeysError."""
    if not KEY.match(key):
        raise KeysError("keys: a key is 64 digits of 0-9 and a-f; %d characters came." % len(key))
    return binascii.unhexlify(key.encode("ascii"))


def text(key):
    """A key's 32 bytes as its 64 digits."""
    return binascii.hexlify(key).decode("ascii")


def fingerprint(key):
    """A key in short, for people to compare: five groups of four digits."""
    digits = hashlib.sha256(raw(key)).hexdigest()
    return "-".join(digits[i : i + 4] for i in range(0, 20, 4))


def of_pc(where):
    """The PC's pair in folder `where`, made if there is none: {"public", "secret"}; raises KeysError."""
    return _pair(os.path.join(where, SERVER))


def of_robot(where):
    """The robot's pair, and "pc" if it was paired; made if there is none. Raises KeysError."""
    return _pair(os.path.join(where, ROBOT))


def pair_robot(where, pc, servers=()):
    """Note the PC's public key at the robot's end; gives the robot's own pair with it.

    servers   addresses for which alone this key counts; without any, it counts for all that have none of theirs
    """
    raw(pc)
    pair = dict(of_robot(where))
    pair.update((PC_AT % server, pc) for server in servers) if servers else pair.update(pc=pc)
    _write(os.path.join(where, ROBOT), json.dumps(pair, indent=1, sort_keys=True) + "\n")
    return pair


def allowed(where):
    """{public key: name} of the robots that the PC lets in; raises KeysError."""
    path = os.path.join(where, ROBOTS)
    found = {}
    for number, line in enumerate((_read(path) or "").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or not NAME.match(words[0]) or not KEY.match(words[1]):
            raise KeysError("keys: %s line %d must hold a name and a key of 64 digits." % (path, number))
        found[words[1]] = words[0]
    return found


def allow(where, name, key):
    """Let the robot with this public key in, under `name`; a name or key that was there before is replaced."""
    raw(key)
    if not NAME.match(name):
        raise KeysError(
            "keys: a name is of 1 to 32 letters, digits, dots, dashes and underscores; %r came." % name
        )
    _write_allowed(where, [(n, k) for k, n in allowed(where).items() if n != name and k != key] + [(name, key)])


def revoke(where, name):
    """Let the robot of this name in no more; raises KeysError where there is none."""
    before = allowed(where)
    if name not in before.values():
        known = ", ".join(sorted(before.values())) or "none"
        raise KeysError("keys: there is no robot %r; there are: %s." % (str(name), known))
    _write_allowed(where, [(n, k) for k, n in before.items() if n != name])


def _write_allowed(where, rows):
    _write(os.path.join(where, ROBOTS), "".join("%s %s\n" % row for row in sorted(rows)))


def _pair(path):
    """The pair in a file, which is made if it is not there."""
    content = _read(path)
    if content is None:
        pair = _new_pair()
        _write(path, json.dumps(pair, indent=1, sort_keys=True) + "\n")
        return pair
    try:
        pair = json.loads(content)
        for name in sorted(set(pair) | set(("public", "secret"))):
            raw(pair[name])
    except (ValueError, KeyError, TypeError):
        raise KeysError("keys: %s is not a pair of keys; delete it, and pair the robots anew." % path)
    return dict((str(name), str(key)) for name, key in pair.items())


def _new_pair():
    import zmq
    from zmq.utils import z85

    if not zmq.has("curve"):
        raise KeysError(
            "keys: this libzmq %s cannot encrypt; install pyzmq from its wheel." % zmq.zmq_version()
        )
    public, secret = zmq.curve_keypair()
    return {"public": text(z85.decode(public)), "secret": text(z85.decode(secret))}


def _read(path):
    """A file's text, or None where there is none. Raises KeysError where others may read or write it."""
    try:
        with io.open(path, encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeysError("keys: %s is open to other users: chmod 600 %s" % (path, path))
            content = file.read(MAX_FILE_BYTES + 1)
    except UnicodeDecodeError:
        raise KeysError("keys: %s is not text in ASCII." % path)
    except EnvironmentError as error:
        if error.errno == errno.ENOENT:
            return None
        raise KeysError("keys: %s cannot be read: %s." % (path, error.strerror))
    if len(content) > MAX_FILE_BYTES:
        raise KeysError("keys: %s has more than %d characters." % (path, MAX_FILE_BYTES))
    return content


def _write(path, content):
    """Put a file there whole or not at all, for its owner alone."""
    try:
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path), 0o700)
        new = "%s.%d" % (path, os.getpid())
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, content.encode("ascii"))
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(new, path)
    except EnvironmentError as error:
        raise KeysError("keys: %s cannot be written: %s." % (path, error.strerror))
