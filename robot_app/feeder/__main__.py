"""python -m robot_app.feeder --robot tcp://127.0.0.1:PORT --camera webcam: a film as a robot's camera.

Choregraphe's virtual robot sees nothing; ALVideoDevice.putImage gives it pictures, as to the virtual NAO. This
file sends pictures in their own time and does nothing else. A real robot has no use for them and refuses.
"""

import signal
import sys
import threading
from collections.abc import Callable

import click

from robot_app import robots
from robot_app.camera import CAMERAS
from robot_app.clock import now_s
from robot_app.virtual.pictures import SourceError, fit, open_source

SIZE_PX = (640, 480)  # the one that simulated cameras take
RETRY_S = 1.0


class Feeder:
    """Puts a source's pictures before a robot's camera.

    source   anything with `picture(t_s) -> (H, W, 3) uint8 BGR`
    camera   NAOqi's index, 0 top, 1 bottom
    """

    def __init__(self, robot: robots.Robot, source, camera: int):
        self._robot, self._source, self._camera = robot, source, camera
        self.fed = 0

    def feed(self, t_s: float) -> None:
        """Put the source's picture of `t_s` there; raises RobotError where the robot does not take it."""
        picture = fit(self._source.picture(t_s), *SIZE_PX)
        rgb = picture[..., ::-1].tobytes()  # bytes: what clients of a simulated robot are known to send
        if self._robot.call("ALVideoDevice", "putImage", self._camera, *SIZE_PX, rgb) is False:
            raise robots.RobotError("it takes no pictures; only a simulated robot does.")
        self.fed += 1


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--robot", required=True, metavar="tcp://127.0.0.1:PORT", help="Choregraphe shows it under Preferences."
)
@click.option("--camera", default="webcam", show_default=True, help="A film, a photo, a folder, webcam, demo.")
@click.option("--which", type=click.Choice(list(CAMERAS)), default="top", show_default=True)
@click.option("--fps", type=click.IntRange(1, 30), default=15, show_default=True)
def main(robot: str, camera: str, which: str, fps: int) -> None:
    """Let a simulated robot see a film or a webcam, until Ctrl-C."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    try:
        source = open_source(camera)
        there = robots.over_network(robot if "://" in robot else f"tcp://{robot}")
        there.connect(over.is_set)
        feeder = Feeder(there, source, CAMERAS[which])
        feeder.feed(0.0)
        click.echo(f"feeder: {robot} sees {camera}, {fps} pictures a second; Ctrl-C ends it.")
        keep_feeding(feeder, there, fps, over)
        there.end()
        source.close()
    except (SourceError, robots.RobotError) as error:
        click.echo(f"feeder: {error}", err=True)
        sys.exit(2)
    click.echo(f"feeder: {feeder.fed} pictures were sent.")


def keep_feeding(feeder: Feeder, robot: robots.Robot, fps: int, over: threading.Event) -> None:
    """Feed until `over`; a robot that went away is waited for."""
    began_s = now_s()
    while not over.wait(_until_next(now_s() - began_s, fps)):
        try:
            feeder.feed(now_s() - began_s)
        except robots.RobotLost as lost:
            click.echo(f"feeder: {lost} Trying on.", err=True)
            wait_for(robot, over.is_set, lambda: over.wait(RETRY_S))


def wait_for(robot: robots.Robot, ended: Callable[[], bool], pause: Callable[[], object]) -> None:
    """Connect again, until it succeeds or `ended()`."""
    while not ended():
        try:
            robot.connect(ended)
            return
        except robots.RobotError:
            pause()


def _until_next(elapsed_s: float, fps: int) -> float:
    """Seconds until the next picture is due."""
    return (int(elapsed_s * fps) + 1) / fps - elapsed_s


if __name__ == "__main__":
    main()
