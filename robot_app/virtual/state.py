"""What there is to see of a virtual NAO at this moment, as one dict ready for JSON. It changes nothing."""

from behaviors.joints import BODY_NAMES

from .lights import GROUPS
from .voice import TAG

LIFTED_M = 0.08  # how high a robot is drawn that somebody holds up
# Names of the lamps in behaviors/shapes.py, and of those in ALLeds.
LAMPS = {
    "left eye": GROUPS["LeftFaceLeds"],
    "right eye": GROUPS["RightFaceLeds"],
    "left ear": GROUPS["LeftEarLeds"],
    "right ear": GROUPS["RightEarLeds"],
    "crown": GROUPS["BrainLeds"],
    "chest": GROUPS["ChestLeds"],
    "left foot": GROUPS["LeftFootLeds"],
    "right foot": GROUPS["RightFootLeds"],
}


def state(nao) -> dict:
    """The body and the voice of `nao` now.

    angles    rad (hands 0..1), in the order of joints.BODY_NAMES
    lamps     {lamp of the drawing: [0xRRGGBB, ...]}
    place     [x m, y m, theta rad] on the floor
    lying     "LyingBelly" and the like, or null; lifted_m: how high it is held
    says      the text that it says, without the voice's tags, or null
    facts     posture, life, stiffness 0..1 (the mean), charge in percent, hot motors, what is touched, what is
              clear ahead in m, language, latency_s of its network, watchers of its camera
    """
    with nao.lock:
        nao.step()
        memory, leds, speech = nao["ALMemory"], nao["ALLeds"], nao["ALTextToSpeech"]
        return {
            "at_s": round(nao.lived_s, 2),
            "angles": [round(nao.angles[joint], 4) for joint in BODY_NAMES],
            "lamps": {name: [leds.colour(lamp) for lamp in lamps] for name, lamps in LAMPS.items()},
            "place": [round(value, 4) for value in nao["ALMotion"].walk.position()],
            "lying": nao.lying,
            "lifted_m": LIFTED_M if nao.senses.lifted else 0,
            "says": " ".join(TAG.sub(" ", speech.queue[0].text).split()) if speech.queue else None,
            "facts": {
                "posture": nao["ALRobotPosture"].getPosture(),
                "life": nao.life,
                "stiffness": round(sum(nao.stiffnesses.values()) / len(nao.stiffnesses), 2),
                "charge": memory.getData("BatteryChargeChanged"),
                "hot": sorted(nao.senses.hot),
                "touched": sorted(nao.senses.pressed),
                "clear_m": round(nao.senses.clear_m(), 2),
                "language": speech.language,
                "latency_s": nao.latency_s,
                "watchers": len(nao["ALVideoDevice"].getSubscribers()),
            },
        }
