# -*- coding: utf-8 -*-
"""What keeps a robot from reacting, found before anybody waits for it: python -m robot_app --doctor

Every finding is one sentence; a bad one says what to do. It looks at this Python, at the PC that is to
answer, and at the robot: camera, voice, motors, what else moves it, its clock. It repairs nothing and moves
nothing; all it does to a robot is to look through its camera once. What cannot be reached is said, and the
rest examined.
"""

from __future__ import division, print_function

import errno
import platform
import socket
import struct
import sys
import time
from collections import namedtuple

from behaviors.joints import GESTURE_NAMES
from config.keys import is_loopback
from robot_app.camera import CAMERAS, PREFIX, YUV422
from robot_app.robots import RobotError, RobotLost, wait

OK, NOTE, BAD = "ok", "note", "BAD"
NAME = "emotion-doctor"  # of its own subscription; the robot app's begin otherwise
QVGA = 1
PLACES = 6  # that NAOqi keeps for one name
LOOK_S = 3.0  # a camera that was off takes about a second
DARK = 20  # mean brightness of 0..255, as with a hand before the lens
LOW_BATTERY = 20  # percent
CLOCK_S = 60.0  # two clocks that differ by more are not set
ANSWER_S = 3.0
YEAR = 2024  # no robot app is older
PROBE_PX = (64, 48)

# ZeroMQ's greeting: ten bytes of signature, its version, and at 12..31 the name of its security.
HELLO = b"\xff" + b"\0" * 8 + b"\x7f\x03"  # ours, up to the version: the other end then says all of its own
GREETING_BYTES = 64

Finding = namedtuple("Finding", "grade text")


def good(text):
    return Finding(OK, text)


def note(text):
    return Finding(NOTE, text)


def bad(text):
    return Finding(BAD, text)


def examine(open_robot, server, settings, now_s, epoch_s):
    """All Findings, as they come. `settings` is the section "robot".

    open_robot       function that gives a Robot, not yet connected; it may raise RobotError
    now_s, epoch_s   functions: seconds of the monotonic clock, and since 1970
    """
    for finding in look_at_python():
        yield finding
    for finding in look_at_clock(epoch_s()):
        yield finding
    for address in server.split(","):
        for finding in look_at_server(address, settings, now_s):
            yield finding
    try:
        robot = open_robot()
        robot.connect()
    except RobotError as error:
        yield bad(str(error))
        return
    try:
        for finding in look_at_robot(robot, settings, now_s, epoch_s):
            yield finding
    finally:
        robot.end()


def look_at_robot(robot, settings, now_s, epoch_s):
    """The Findings about a connected robot."""
    for look in (look_at_naoqi, look_at_life, look_at_body, look_at_voice, look_at_camera):
        try:
            for finding in look(robot, settings, now_s, epoch_s):
                yield finding
        except RobotLost as lost:
            yield bad("%s The rest of the robot was not examined." % lost)
            return
        except RobotError as error:
            yield note("this NAOqi did not answer what was asked: %s" % error)


def report(findings, stream):
    """Print Findings as they come; gives the exit code: 0, or 1 where there is a bad one."""
    bad_ones = 0
    for finding in findings:
        bad_ones += finding.grade == BAD
        print("%-5s %s" % (finding.grade, finding.text), file=stream)
        stream.flush()
    if bad_ones:
        print("%d found that will keep it from working." % bad_ones, file=stream)
    return 1 if bad_ones else 0


# This Python


def look_at_python():
    """Whether this Python can run the robot app."""
    try:
        import zmq
    except ImportError as error:
        yield bad(wrong_python(error))
        return
    where = "Python %s on %s" % (platform.python_version(), platform.machine())
    if zmq.has("curve"):
        yield good("%s with pyzmq %s." % (where, zmq.pyzmq_version()))
    else:
        yield bad("%s: this pyzmq %s cannot encrypt; take that of our package." % (where, zmq.pyzmq_version()))


def wrong_python(error):
    """Why a library did not load, as a sentence with what to do."""
    if sys.version_info[:2] != (2, 7):
        return (
            "this is Python %s, and %s; on the robot start it with python2, on a PC with the project's own."
            % (platform.python_version(), error)
        )
    if sys.maxunicode < 0x10FFFF:
        return (
            "this Python 2.7 keeps narrow characters, and pyzmq does not load (%s); take NAOqi's own." % error
        )
    return (
        "pyzmq does not load (%s); this Python has %d bits: a NAO's has 32 and needs the package for i686, "
        "a PC's has 64 and needs --machine x86_64." % (error, 8 * struct.calcsize("P"))
    )


def look_at_clock(epoch_s):
    if time.gmtime(epoch_s).tm_year < YEAR:
        yield note(
            "the clock stands at %s: no reaction depends on it, but the times in logs are wrong; set it "
            "with date, or give it a network with time."
            % time.strftime("%Y-%m-%d %H:%M", time.gmtime(epoch_s)),
        )


# The PC


def look_at_server(address, settings, now_s):
    """Whether an inference server answers at `address`, with keys if needed; if not, how far the way leads."""
    try:
        host, port = parts_of(address)
    except ValueError as error:
        yield bad(str(error))
        return
    try:
        greeting = greeted(host, port)
    except (socket.timeout, EnvironmentError) as error:
        yield bad("%s %s" % (address, unreached(error, host, port)))
        return
    if greeting[:1] != b"\xff" or greeting[9:10] != b"\x7f":
        yield bad(
            "%s is taken by another program, which is no inference server: start the server with another port, "
            "and give that port here too." % address,
        )
        return
    from robot_app.handshake import pair_for

    try:
        pair = pair_for(address, settings)
    except ValueError as error:
        yield bad(str(error))
        return
    if pair is None and not is_loopback(address):
        yield note("the pictures go to %s in plain text, as the settings say; who listens sees them." % address)
    yield asked(address, settings["name"], pair, now_s)


def parts_of(address):
    """(host, port) of an address such as tcp://192.168.1.5:5555; raises ValueError."""
    scheme, _, rest = address.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme != "tcp" or not host or not port.isdigit():
        raise ValueError("--server needs an address like tcp://192.168.1.5:5555; %s came." % address)
    return host.strip("[]"), int(port)


def greeted(host, port):
    """The first 64 bytes of whatever listens there, or fewer; raises socket.timeout or EnvironmentError."""
    line = socket.create_connection((host, port), ANSWER_S)
    try:
        line.settimeout(ANSWER_S)
        line.sendall(HELLO)
        heard = b""
        while len(heard) < GREETING_BYTES:
            more = line.recv(GREETING_BYTES - len(heard))
            if not more:
                break
            heard += more
        return heard
    finally:
        line.close()


def unreached(error, host, port):
    """Why no connection came about, and what to do."""
    if isinstance(error, socket.gaierror):
        return "cannot be found: there is no machine called %s; give the PC's address in numbers." % host
    if isinstance(error, socket.timeout) or error.errno in (errno.ETIMEDOUT, errno.EHOSTUNREACH):
        return (
            "does not answer at all: a firewall on the PC drops it (open TCP port %d there), the address is "
            "another one, or this Wi-Fi keeps its guests apart." % port
        )
    if error.errno == errno.ECONNREFUSED:
        return (
            "refuses: the PC is there, but no server listens at port %d; start it there with "
            "--listen tcp://0.0.0.0:%d (127.0.0.1 serves the PC alone)." % (port, port)
        )
    if error.errno == errno.ENETUNREACH:
        return "cannot be reached: this machine has no network that leads there; look at its Wi-Fi."
    return "cannot be reached: %s." % (error.strerror or error)


def asked(address, name, pair, now_s):
    """The Finding after one dark picture was sent and answered, with the keys that there are."""
    import zmq

    from config import contract
    from robot_app.handshake import Handshake

    width, height = PROBE_PX
    frame = contract.Frame(
        1, now_s(), width, height, "gray8", name + " (doctor)", None, None, None, b"\0" * (width * height)
    )
    context = zmq.Context()
    line = context.socket(zmq.DEALER)
    handshake = Handshake(line, address, pair)
    try:
        line.setsockopt(zmq.LINGER, 0)
        line.connect(address)
        began_s = now_s()
        line.send_multipart(contract.encode_frame(frame))
        while not line.poll(50) and now_s() - began_s < ANSWER_S and not handshake.look():
            pass
        if handshake.trouble:
            return bad(handshake.trouble)
        if not line.poll(0):
            return bad(
                "%s speaks ZeroMQ but does not answer a picture within %g s: is it the inference server, and "
                "does it say anything?" % (address, ANSWER_S),
            )
        took_ms = 1000 * (now_s() - began_s)
        reading = contract.decode_reading(line.recv_multipart())
    except contract.ContractError as error:
        return bad("the answer of %s cannot be read: %s" % (address, error.text))
    finally:
        handshake.close()
        line.close()
        context.term()
    if reading.error:
        return bad("%s could not read a picture (%s): %s" % ((address,) + tuple(reading.error)))
    return good("%s answers a picture in %.0f ms, with %s." % (address, took_ms, reading.model))


# The robot


def look_at_naoqi(robot, settings, now_s, epoch_s):
    release = robot.call("ALSystem", "systemVersion")
    yield good("NAOqi %s answers at %s." % (release, robot.address))
    kind = robot.call("ALRobotModel", "getRobotType")
    if str(kind) != "Nao":
        yield bad("this robot is a %s; the gestures are made for NAO, so they will be refused." % kind)


def look_at_life(robot, settings, now_s, epoch_s):
    """Whether NAOqi's own life comes between."""
    state = str(robot.call("ALAutonomousLife", "getState"))
    if state == "safeguard":
        yield bad(
            "Autonomous Life is in safeguard: the robot has fallen, is too hot or was pushed; let it rest, "
            "then press its chest button.",
        )
    elif state == "interactive":
        yield bad(
            "Autonomous Life runs an activity, which moves and speaks between our gestures: stop it, so that "
            "life is solitary.",
        )
    elif state == "solitary":
        yield note(
            "Autonomous Life is on (solitary): the robot also looks around by itself; that is held back during "
            "gestures only.",
        )
    else:
        yield good("Autonomous Life is %s." % state)
    tasks = [str(row[0]) for row in robot.call("ALMotion", "getTaskList") or []]
    if tasks:
        yield note("other programs move the robot right now: %s; end them first." % ", ".join(tasks))


def look_at_body(robot, settings, now_s, epoch_s):
    """Posture, stiffness, battery, heat."""
    awake = robot.call("ALMotion", "robotIsWakeUp")
    family = str(robot.call("ALRobotPosture", "getPostureFamily"))
    limp = [
        joint
        for joint, stiff in zip(GESTURE_NAMES, robot.call("ALMotion", "getStiffnesses", list(GESTURE_NAMES)))
        if stiff < 0.1
    ]
    if family.startswith("Lying"):
        yield bad("the robot lies down (%s): set it on its feet, with room around it." % family)
    elif not awake:
        yield note("the robot rests; the robot app wakes it, and it stands up: give it room.")
    elif limp:
        yield bad(
            "the robot is awake, but these have no stiffness and will not move: %s; press its chest button "
            "twice to let it rest, and start again." % ", ".join(limp),
        )
    else:
        yield good("the robot is awake (%s), arms and head have stiffness." % family)
    charge = robot.call("ALBattery", "getBatteryCharge")
    grade = good if charge > LOW_BATTERY else bad
    yield grade("the battery holds %d %%%s." % (charge, "" if grade is good else "; plug the robot in"))
    hot = memory(robot, "HotDeviceDetected") or memory(robot, "HotJointDetected") or []
    if hot:
        yield bad("these are hot: %s; let the robot rest until they are cool." % ", ".join(map(device, hot)))


def look_at_voice(robot, settings, now_s, epoch_s):
    """Whether the robot can be heard, in the language that is wanted."""
    language = str(settings["language"])
    installed = sorted(str(name) for name in robot.call("ALTextToSpeech", "getAvailableLanguages"))
    if not installed:
        yield bad("the robot has no voice at all: install a language on it; it plays silently until then.")
    elif language not in installed:
        yield bad(
            "the robot has no voice for %s: set robot.language to one of %s, or install the voice."
            % (language, ", ".join(installed))
        )
    loudness = settings["volume"]
    if loudness is None:
        loudness = robot.call("ALTextToSpeech", "getVolume")
    master = 100
    if robot.offers("ALAudioDevice", "getOutputVolume"):
        master = robot.call("ALAudioDevice", "getOutputVolume")
    if robot.offers("ALAudioDevice", "isAudioOutMuted") and robot.call("ALAudioDevice", "isAudioOutMuted"):
        yield bad("the loudspeakers are muted: ALAudioDevice.muteAudioOut(False) lets the robot speak.")
    elif not loudness or not master:
        yield bad(
            "the robot is silent: its voice stands at %d %% and its loudspeakers at %d %%; turn them up "
            "(robot.volume, ALAudioDevice.setOutputVolume)." % (100 * loudness, master),
        )
    elif language in installed:
        yield good("the robot speaks %s, its loudspeakers at %d %%." % (language, master))


def look_at_camera(robot, settings, now_s, epoch_s):
    """Who looks through the camera, whether it gives a picture, and whether that is not black."""
    index = CAMERAS[settings["camera"]]
    handles = [str(handle) for handle in robot.call("ALVideoDevice", "getSubscribers") or []]
    left = [handle for handle in handles if handle.startswith(PREFIX)]
    if left:
        yield note(
            "%d places at the camera are held as %s: by a robot app that runs now, or by one that crashed; the "
            "next one frees them." % (len(left), PREFIX)
        )
    for name in sorted(set(handle.rpartition("_")[0] for handle in handles if handle not in left)):
        count = len([handle for handle in handles if handle.rpartition("_")[0] == name])
        if count >= PLACES:
            yield note(
                "another program has leaked all %d places of %s at the camera; restart NAOqi, or unsubscribe."
                % (count, name),
            )
    for old in [handle for handle in handles if handle.startswith(NAME)]:
        robot.call("ALVideoDevice", "unsubscribe", old)
    handle = robot.call("ALVideoDevice", "subscribeCamera", NAME, index, QVGA, YUV422, 15)
    if not handle:
        yield bad("the %s camera cannot be subscribed: NAOqi may have to be restarted." % settings["camera"])
        return
    try:
        image = first_image(robot, handle, now_s)
    finally:
        robot.call("ALVideoDevice", "unsubscribe", handle)
    if image is None:
        yield bad(
            "the %s camera gives no picture within %g s: another program may hold it; restart NAOqi."
            % (settings["camera"], LOOK_S),
        )
        return
    for finding in judged(image, settings["camera"], epoch_s()):
        yield finding


def first_image(robot, handle, now_s):
    """The first picture that comes within LOOK_S, or None."""
    until_s = now_s() + LOOK_S
    while now_s() < until_s:
        future = robot.start("ALVideoDevice", "getImageRemote", handle)
        if wait(future, until_s - now_s()) and not future.hasError() and future.value():
            image = future.value()
            if image[6]:
                return image
    return None


def judged(image, camera, epoch_s):
    """Findings about a picture in NAOqi's twelve items: its brightness, and the clock that stamped it."""
    luminances = bytearray(image[6])[0::2]
    mean = sum(luminances) / len(luminances)
    seen = "the %s camera gives %dx%d px at a brightness of %d of 255" % (camera, image[0], image[1], mean)
    yield good(seen + ".") if mean >= DARK else note(seen + ", which is dark: is the light on?")
    ahead_s = image[4] + image[5] * 1e-6 - epoch_s
    if abs(ahead_s) > CLOCK_S:
        yield note(
            "the robot's clock is %.0f s %s of this one: only the times in its own logs depend on it."
            % (abs(ahead_s), "ahead" if ahead_s > 0 else "behind"),
        )


def device(key):
    """The device in a key such as Device/SubDeviceList/LHand/Temperature/Sensor/Value, or what came."""
    return str(key).partition("SubDeviceList/")[2].partition("/")[0] or str(key)


def memory(robot, key):
    """The value of a key of ALMemory, or None where it has none."""
    try:
        return robot.call("ALMemory", "getData", key)
    except RobotLost:
        raise
    except RobotError:
        return None
