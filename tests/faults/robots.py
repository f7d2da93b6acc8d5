"""Robots without bodies: the robot's own Link, real pictures, and every answer noted as it comes.

    python -m tests.faults.robots --server tcp://10.77.0.2:5555 --keys FOLDER [--robots 1] [--fps 15]

Prints a JSON line for each answer that may move a robot, {"robot", "at_s", "age_s", "faces"}, for each other
one without "faces", and for each sentence that a person would read: {"robot", "at_s", "said"}. at_s is the
monotonic clock, the same in every process of this machine. It ends with its stdin. The folder of robot k's keys
is FOLDER/k; where it does not exist, the line is plain.
"""

import argparse
import json
import sys
import threading
from pathlib import Path

import cv2

from config import keys, settings
from robot_app.camera import Picture
from robot_app.clock import now_s
from robot_app.link import Link
from robot_app.notes import Notes
from robot_app.virtual.pictures import fit
from robot_app.virtual.scene import DemoScene

QVGA = (320, 240)
PICTURES, EVERY_S = 30, 0.2
STATE = {"doing": None, "mood": None}


def say(**row) -> None:
    sys.stdout.write(json.dumps({**row, "at_s": now_s()}) + "\n")
    sys.stdout.flush()


class Ages(Notes):
    """Notes that keep the ages of the answers that came since they were last asked."""

    def __init__(self):
        super().__init__()
        self.ages_s: list[float] = []

    def answer(self, age_s):
        super().answer(age_s)
        self.ages_s.append(age_s)


def jpegs() -> list[bytes]:
    scene = DemoScene()
    pictures = (fit(scene.picture(i * EVERY_S), *QVGA) for i in range(PICTURES))
    return [cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes() for picture in pictures]


def live(robot: int, options, images: list[bytes], over: threading.Event) -> None:
    """Look, ask and hear until it is over."""
    folder, fps = options.keys / str(robot), options.fps
    pair = keys.of_robot(str(folder)) if folder.is_dir() else None
    told = {}

    def tell(topic, sentence):
        if told.get(topic) != sentence:
            told[topic] = sentence
            say(robot=robot, said=sentence)

    tell.last = told.get
    notes = Ages()
    asked = [f"robot.in_flight={options.in_flight}"] if options.in_flight else []
    chosen = settings.load(None, asked).robot.model_dump()
    link = Link(options.server, chosen, tell, notes, pair)
    due_s, turn = now_s(), 0
    while not over.is_set():
        if now_s() >= due_s and link.may_ask(now_s()):
            picture = Picture(now_s(), *QVGA, "jpeg", images[turn % len(images)])
            link.ask(picture, STATE, now_s())
            due_s, turn = max(due_s + 1 / fps, now_s() - 1 / fps), turn + 1
        reading = link.answer(0.01, now_s)
        for age_s in notes.ages_s[: None if reading is None else -1]:
            say(robot=robot, age_s=age_s)
        if reading is not None:
            say(robot=robot, age_s=notes.ages_s[-1], faces=len(reading.faces))
        notes.ages_s.clear()
    link.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--keys", type=Path, default=Path("none"))
    parser.add_argument("--robots", type=int, default=1)
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--in-flight", type=int, help="instead of as in the settings")
    options = parser.parse_args()
    over, images = threading.Event(), jpegs()
    threads = []
    for robot in range(options.robots):
        threads.append(threading.Thread(target=live, args=(robot, options, images, over), daemon=True))
        threads[-1].start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join(5)


if __name__ == "__main__":
    main()
