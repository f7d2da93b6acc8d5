"""The NAOqis that the virtual NAO can resemble: what each of them says of itself, and what it has not.

A table. Services and methods that a release lacks are simply not there, which is what programs look for
(`hasattr(video, "subscribe")`). What else may differ between releases is not known well enough to be played.
"""

from typing import NamedTuple


class Profile(NamedTuple):
    """One release on the robot that it runs on.

    version, body   as ALSystem.systemVersion and RobotConfig/Body/BaseVersion say
    camera          the model of both cameras, as getCameraModel names it: 2 is MT9M114, 3 is OV5640
    fov_deg         of the camera, across and down
    largest         the largest resolution's id
    falling         the key of the event of a beginning fall
    no_services     those that it has not
    no_methods      (service, method) that it has not
    """

    version: str
    body: str
    camera: int
    fov_deg: tuple[float, float]
    largest: int
    falling: str
    no_services: tuple[str, ...]
    no_methods: tuple[tuple[str, str], ...]


MOVEMENTS = ("ALBackgroundMovement", "ALSpeakingMovement", "ALListeningMovement", "ALAutonomousBlinking")
ABILITIES = ("setAutonomousAbilityEnabled", "getAutonomousAbilityEnabled", "getAutonomousAbilitiesStatus")
AWARENESS = ("setEnabled", "isEnabled", "pauseAwareness", "resumeAwareness", "isAwarenessPaused")

PROFILES = {
    "2.1": Profile(
        version="2.1.4.13",
        body="V50",
        camera=2,
        fov_deg=(60.9, 47.6),
        largest=3,
        falling="robotIsFalling",
        no_services=MOVEMENTS,
        no_methods=(
            *(("ALAutonomousLife", method) for method in ABILITIES),
            *(("ALBasicAwareness", method) for method in AWARENESS),
        ),
    ),
    "2.5": Profile(
        version="2.5.10.7",
        body="V50",
        camera=2,
        fov_deg=(60.9, 47.6),
        largest=3,
        falling="ALMotion/RobotIsFalling",
        no_services=("ALAutonomousMoves",),
        no_methods=(),
    ),
    "2.8": Profile(
        version="2.8.7.4",
        body="V6",
        camera=3,
        fov_deg=(56.3, 43.7),
        largest=4,
        falling="ALMotion/RobotIsFalling",
        no_services=("ALAutonomousMoves",),
        no_methods=(("ALVideoDevice", "subscribe"),),
    ),
}
