"""The feed in the shape of ROS4HRI: its messages as operations of rosbridge, which publishes them in ROS.

    /humans/faces/tracked                hri_msgs/msg/IdsList
    /humans/faces/nao_1_f3/roi           hri_msgs/msg/NormalizedRegionOfInterest2D
    /humans/faces/nao_1_f3/expression    hri_msgs/msg/Expression, where the face is not unsure

A topic is advertised before its first message, and no more once its face is gone. Pure: lines of session.py go
in, objects for JSON come out. It knows no ROS and opens no line.
"""

import re
from collections.abc import Iterator

from config.contract import EMOTIONS
from inference_server.session import Line

TRACKED = "/humans/faces/tracked"
TYPES = {"tracked": "IdsList", "roi": "NormalizedRegionOfInterest2D", "expression": "Expression"}
WORDS = dict(zip(EMOTIONS, EMOTIONS, strict=True)) | {"fearful": "scared"}  # hri_msgs/Expression's constants


class Publisher:
    """For one reader of the feed; remembers who is tracked, and what is advertised."""

    def __init__(self):
        self._faces: dict[str, list[str]] = {}  # robot: names of its faces
        self._advertised: set[str] = set()

    def hello(self) -> Iterator[dict]:
        """What comes first, before anything happens."""
        yield from self._advertise(TRACKED)

    def operations(self, line: Line) -> Iterator[dict]:
        """What a line of the session means to ROS, in order; nothing for most."""
        robot, _, channel = line.topic.removeprefix("/").rpartition("/")
        head = _header(robot, line.at_ns)
        if channel == "faces":
            yield from self._track(robot, [_name(robot, face) for face in line.body["faces"]], head)
            for face in line.body["faces"]:
                region = _region(face, line.body["width"], line.body["height"])
                yield from self._publish(f"/humans/faces/{_name(robot, face)}/roi", head | region)
        elif channel == "scores":
            for face in line.body["faces"]:
                if not face["unsure"]:
                    best = max(EMOTIONS, key=face.get)
                    body = head | {"expression": WORDS[best], "confidence": face[best]}
                    yield from self._publish(f"/humans/faces/{_name(robot, face)}/expression", body)

    def gone(self, robot: str, at_ns: int) -> Iterator[dict]:
        """The robot has left: its faces are tracked no more."""
        if self._faces.get(robot):
            yield from self._track(robot, [], _header(robot, at_ns))
        self._faces.pop(robot, None)

    def _track(self, robot: str, faces: list[str], head: dict) -> Iterator[dict]:
        left = set(self._faces.get(robot, ())) - set(faces)
        self._faces[robot] = faces
        ids = [face for of in self._faces.values() for face in of]
        yield from self._publish(TRACKED, head | {"ids": ids})
        for topic in sorted(topic for topic in self._advertised if topic.split("/")[3] in left):
            self._advertised.discard(topic)
            yield {"op": "unadvertise", "topic": topic}

    def _publish(self, topic: str, body: dict) -> Iterator[dict]:
        yield from self._advertise(topic)
        yield {"op": "publish", "topic": topic, "msg": body}

    def _advertise(self, topic: str) -> Iterator[dict]:
        if topic not in self._advertised:
            self._advertised.add(topic)
            kind = TYPES[topic.rpartition("/")[2]]
            yield {"op": "advertise", "topic": topic, "type": f"hri_msgs/msg/{kind}"}


def _header(robot: str, at_ns: int) -> dict:
    sec, nanosec = divmod(at_ns, 10**9)
    return {"header": {"stamp": {"sec": sec, "nanosec": nanosec}, "frame_id": robot}}


def _name(robot: str, face: dict) -> str:
    """A face's id as ROS names things: letters, digits and underscores, a letter first."""
    return f"{re.sub('[^A-Za-z0-9]', '_', robot)}_f{face['id']}"


def _region(face: dict, width: int, height: int) -> dict:
    x, y, wide, high = face["box_px"]
    corners = {"xmin": x / width, "ymin": y / height, "xmax": (x + wide) / width, "ymax": (y + high) / height}
    return {key: min(max(share, 0.0), 1.0) for key, share in corners.items()} | {"c": face["detection"]}
