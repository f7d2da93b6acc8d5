# -*- coding: utf-8 -*-
"""python -m robot_app --server tcp://PC:5555 --robot tcp://NAO:9559

Opens things in order, hands them to `interact`, and closes them in reverse: whatever ends it (time, Ctrl-C,
SIGTERM, an error), the robot is put back as it was found. A second Ctrl-C ends at once.
"""

from __future__ import division, print_function

import argparse
import os
import signal
import sys
import time

from behaviors import library as behavior_library
from behaviors import songs
from behaviors.mood import Mood
from config import keys
from config import robot as robot_settings
from robot_app import doctor, handshake, robots
from robot_app.about import Portrait
from robot_app.camera import Camera
from robot_app.clock import now_s
from robot_app.director import Director
from robot_app.interact import interact
from robot_app.jpeg import best_encoder
from robot_app.limbs import Limbs
from robot_app.link import Link, addresses
from robot_app.music import Music, Silence
from robot_app.notes import Notes
from robot_app.opinion import Opinion
from robot_app.orders import Orders
from robot_app.player import Player
from robot_app.safety import Safety
from robot_app.tell import Teller
from robot_app.undo import Undo

BAD_INPUT = 2
RETRY_S = 1.0  # between two tries to reach a robot that went away


class Ending(object):
    """Whether it is time to end: a signal came, or the seconds are over. A second signal ends the process."""

    def __init__(self, clock):
        self._clock = clock
        self._signals = 0
        self._end_s = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # else nohup's wish: a closed terminal is no end
            signal.signal(signal.SIGHUP, self._on_signal)

    def in_seconds(self, seconds):
        self._end_s = self._clock() + seconds

    def __call__(self):
        return self._signals > 0 or (self._end_s is not None and self._clock() >= self._end_s)

    def _on_signal(self, number, frame):
        self._signals += 1
        if self._signals > 1:
            os._exit(128 + number)


def main(arguments=None):
    """Run until ended; gives the exit code."""
    options = read_options(arguments)
    tell = Teller(sys.stderr)
    ended = Ending(now_s)
    notes = Notes()
    try:
        settings = robot_settings.load(options.settings)
        if options.plain:
            settings["robot"]["plain"] = True
        if options.pair:
            return pair(options.pair, settings["robot"], addresses(options.server) if options.server else ())
        if options.doctor:
            return examine(options, settings["robot"])
        library = behavior_library.load(options.behaviors)
        robot = open_robot(options, settings["robot"])
        director = Director(library, settings["reactions"])
        mood = Mood(settings["mood"])
        opinion = Opinion(robot) if settings["robot"]["naoqi_faces"] else None
        portrait = Portrait(robot, library, mood, opinion)
        music = open_music(robot, settings["music"], tell)
        server = options.server or settings["robot"]["server"]
        pairs = [handshake.pair_for(address, settings["robot"]) for address in addresses(server)]
        link = Link(server, settings["robot"], tell, notes, pairs)
    except (ValueError, EnvironmentError, robots.RobotError) as error:
        print("robot_app: %s" % error, file=sys.stderr)
        return BAD_INPUT
    try:
        code = run(robot, link, mood, director, music, portrait, settings, options, tell, notes, ended)
    finally:
        link.close()
        robot.end()
    return code or write_summary(notes, options.json)


def pair(pc, settings, servers):
    """Note the PC's key, for `servers` alone if there are some, and say our own; gives the exit code."""
    ours = keys.pair_robot(keys.folder(settings["keys"]), pc, servers)
    print("robot_app: paired with the PC whose key is %s." % keys.fingerprint(pc))
    print(
        "On that PC: python -m inference_server keys allow %s %s"
        % (settings["name"].replace(" ", "-"), ours["public"])
    )
    return 0


def examine(options, settings):
    """Say what would keep it from working; gives the exit code."""
    server = options.server or settings["server"]
    found = doctor.examine(lambda: open_robot(options, settings), server, settings, now_s, time.time)
    return doctor.report(found, sys.stdout)


def write_summary(notes, path):
    """Write --json, if it was asked for; gives the exit code."""
    try:
        if path:
            notes.write(path)
    except EnvironmentError as error:
        print("robot_app: --json %s cannot be written: %s." % (path, error.strerror), file=sys.stderr)
        return BAD_INPUT
    return 0


def run(robot, link, mood, director, music, portrait, settings, options, tell, notes, ended):
    """Interact, again after every lost connection; put everything back. Gives the exit code."""
    undo = Undo(robot, tell)
    camera = Camera(robot, settings["robot"], best_encoder(settings["robot"]["jpeg_quality"]), undo, tell)
    player = Player(robot, settings["robot"], undo, tell)
    safety = Safety(robot, tell)
    limbs = Limbs(robot)
    orders = Orders(director, mood, player, safety, tell)

    def prepare():
        player.prepare(ended, may_stand=safety.judge.stopped is None)
        camera.open()
        safety.prepare()
        portrait.prepare(undo)

    try:
        if not hold(robot, prepare, ended, tell, first=True):
            return BAD_INPUT
        print("robot_app: %s looks, %s is asked." % (robot.address, link.address), file=sys.stderr)
        if options.seconds is not None:
            ended.in_seconds(options.seconds)
        while not ended():
            try:
                interact(
                    camera,
                    link,
                    mood,
                    director,
                    player,
                    safety,
                    music,
                    notes,
                    orders,
                    portrait,
                    limbs,
                    now_s,
                    ended,
                )
            except robots.RobotLost as lost:
                tell("robot", "%s Trying on." % lost)
                hold(robot, prepare, ended, tell)
            except robots.RobotError as error:
                tell("robot", "the robot refuses: %s Trying on." % error)
                pause(RETRY_S, ended)
        return 0
    finally:
        for end in (player.halt, music.end, undo.run):
            try:
                end()
            except robots.RobotError:
                pass  # undo says what is left; the others have nothing to leave


def hold(robot, prepare, ended, tell, first=False):
    """Connect and `prepare` the robot: `first`, one refusal is final; later it tries until `ended()`."""
    while not ended():
        try:
            robot.connect(ended)
            prepare()
            tell("robot", None if first else "%s is back." % robot.address)
            return True
        except robots.RobotError as error:
            tell("robot", str(error) if first else "%s Trying on." % error)
            if first:
                return False
        pause(RETRY_S, ended)
    return first


def pause(seconds, ended):
    """Wait, unless `ended()`."""
    until_s = now_s() + seconds
    while now_s() < until_s and not ended():
        time.sleep(0.05)


def open_music(robot, settings, tell):
    """What plays songs, as set; raises songs.SongsError."""
    if settings["player"] != "robot":
        return Silence()
    return Music(robot, settings, songs.load(settings["folder"]), tell)


def open_robot(options, settings):
    """The Robot that --robot or the settings name, not yet connected."""
    address = options.robot or settings["robot"]
    if address == "virtual":
        return robots.in_this_process(options.camera or "demo", options.diary, options.view)
    return robots.over_network(address if "://" in address else "tcp://" + address)


def read_options(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m robot_app",
        description="The robot's end: it looks, asks the PC what the face before it shows, and answers.",
    )
    parser.add_argument(
        "--server",
        metavar="tcp://PC:5555",
        help="where the inference server listens; several, with commas between",
    )
    parser.add_argument(
        "--robot", metavar="tcp://NAO:9559", help='where NAOqi listens, or "virtual" for a NAO in this process'
    )
    parser.add_argument(
        "--camera", metavar="FILE", help="what a virtual NAO sees: a video or image, demo, webcam or none"
    )
    parser.add_argument("--diary", metavar="FILE", help="where a virtual NAO writes what happens to it")
    parser.add_argument("--view", metavar="HOST:PORT", help="serve a virtual NAO's own page there")
    parser.add_argument("--seconds", type=float, metavar="N", help="end after this long; else run until Ctrl-C")
    parser.add_argument("--json", metavar="FILE", help="write a summary when it ends")
    parser.add_argument("--doctor", action="store_true", help="say what would keep it from working, and end")
    parser.add_argument("--pair", metavar="KEY", help="take this as the PC's key, say our own, and end")
    parser.add_argument("--plain", action="store_true", help="without keys, in a network that you trust")
    parser.add_argument("--settings", metavar="FILE", help="settings instead of those that came with it")
    parser.add_argument("--behaviors", metavar="FILE", help="behaviors.json instead of that which came with it")
    options = parser.parse_args(arguments)
    if options.seconds is not None and not options.seconds > 0:
        parser.error("--seconds needs a number above 0; %g came." % options.seconds)
    if (options.camera or options.diary or options.view) and options.robot != "virtual":
        parser.error(
            "--camera, --diary and --view go with --robot virtual only; a robot over the network has its own."
        )
    return options


if __name__ == "__main__":
    code = main()
    # A thread of libqi may still come for the interpreter. If that were being taken down by then, libqi would
    # end the process with an abort instead of `code`.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
