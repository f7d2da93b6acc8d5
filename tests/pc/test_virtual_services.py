"""The virtual NAO speaks, shines, remembers and leads its life as NAOqi says; its diary tells all of it."""

import json
import threading

import pytest

from robot_app.virtual.diary import Diary
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import NaoError, VirtualNAO
from robot_app.virtual.voice import START_S, WORD_S, speech_of


class Robot:
    """A virtual NAO with a hand-moved clock."""

    def __init__(self, diary=None):
        self.clock = HandClock()
        self.nao = VirtualNAO(diary=diary, clock=self.clock)

    def live(self, seconds):
        self.clock.live(self.nao, seconds)

    def say(self, *arguments, service="ALTextToSpeech"):
        return self.nao.call(service, "say", arguments)

    def leds(self, method, *arguments):
        return self.nao.call("ALLeds", method, arguments)

    def eyes(self):
        return self.nao["ALLeds"].colour("FaceLeds")

    def hear(self, key):
        """A list that fills with the key's events."""
        heard = []
        self.nao.call("ALMemory", "subscriber", [key]).listen(heard.append)
        return heard


@pytest.fixture
def robot():
    return Robot()


# Voice


def test_a_text_takes_the_time_of_its_words():
    assert speech_of("I am happy today").duration_s == pytest.approx(START_S + 4 * WORD_S)
    assert speech_of("Don't.").duration_s == pytest.approx(START_S + WORD_S)
    assert speech_of("").duration_s == START_S
    assert speech_of("one two", speed=200).duration_s == pytest.approx(START_S + WORD_S)


def test_tags_change_speed_and_pause_and_are_not_spoken():
    assert speech_of(r"one \rspd=50\ two").duration_s == pytest.approx(START_S + 3 * WORD_S)
    assert speech_of(r"\RSPD=200\one two \rst\ three").duration_s == pytest.approx(START_S + 2 * WORD_S)
    assert speech_of(r"\pau=700\ one").duration_s == pytest.approx(START_S + 0.7 + WORD_S)
    assert speech_of(r"\\pau=700\\ one").duration_s == pytest.approx(START_S + 0.7 + WORD_S)
    assert speech_of(r"\vct=130\ \style=joyful\ one").duration_s == pytest.approx(START_S + WORD_S)
    assert speech_of(r"one \mrk=7\ two").marks == [(pytest.approx(START_S + WORD_S), 7)]


def test_say_ends_with_the_last_word_and_events_tell_where_it_is(robot):
    started, done = robot.hear("ALTextToSpeech/TextStarted"), robot.hear("ALTextToSpeech/TextDone")
    marks = robot.hear("ALTextToSpeech/CurrentBookMark")
    task = robot.say(r"one \mrk=7\ two three")
    robot.live(START_S + 2 * WORD_S)
    assert (task.how, started, done, marks) == (None, [1], [0], [7])
    robot.live(WORD_S + 0.02)
    assert (task.how, started, done) == ("done", [1, 0], [0, 1])


def test_texts_are_said_one_after_the_other_and_all_can_be_stopped(robot):
    first, second = robot.say("one two"), robot.say("three", service="ALAnimatedSpeech")
    robot.live(START_S + 2 * WORD_S + 0.02)
    assert (first.how, second.how) == ("done", None)
    robot.live(START_S)
    third = robot.say("four")
    robot.nao.call("ALTextToSpeech", "stopAll")
    assert (second.how, third.how) == ("killed", "killed")
    robot.live(1)
    assert robot.say("five").how is None


def test_a_language_that_is_not_installed_is_refused(robot):
    robot.say("bonjour", "French")
    for method, arguments in (("say", ["nuqneH", "Klingon"]), ("setLanguage", ["Klingon"])):
        with pytest.raises(
            NaoError, match="the language 'Klingon' is not installed; there are English, French"
        ):
            robot.nao.call("ALTextToSpeech", method, arguments)
    assert robot.nao.call("ALTextToSpeech", "getLanguage") == "English"


def test_the_voice_has_a_speed_and_a_volume_within_limits(robot):
    robot.nao.call("ALTextToSpeech", "setParameter", ["speed", 200])
    task = robot.say("one two three four")
    robot.live(START_S + 2 * WORD_S + 0.02)
    assert task.how == "done"
    robot.nao.call("ALTextToSpeech", "setVolume", [0.4])
    assert robot.nao.call("ALTextToSpeech", "getVolume") == 0.4
    with pytest.raises(NaoError, match=r"the volume must lie in 0\.\.1"):
        robot.nao.call("ALTextToSpeech", "setVolume", [80])
    with pytest.raises(NaoError, match="unknown parameter 'pitch'"):
        robot.nao.call("ALTextToSpeech", "setParameter", ["pitch", 1])


def test_animated_speech_speaks_the_words_alone_and_knows_its_modes(robot):
    task = robot.say("^start(animations/Stand/x) one ^wait(x)", {"bodyLanguageMode": "disabled"},
                     service="ALAnimatedSpeech")  # fmt: skip
    robot.live(START_S + WORD_S + 0.02)
    assert task.how == "done"
    with pytest.raises(NaoError, match="unknown body language 'wild'"):
        robot.say("one", {"bodyLanguageMode": "wild"}, service="ALAnimatedSpeech")


# Lights


def test_eyes_fade_to_a_colour_in_the_time_they_were_given(robot):
    task = robot.leds("fadeRGB", "FaceLeds", 0xFF0000, 1.0)
    assert robot.eyes() == 0xFFFFFF
    robot.live(0.5)
    assert robot.eyes() == 0xFF8080 and task.how is None
    robot.live(0.5)
    assert robot.eyes() == 0xFF0000 and task.how == "done"


@pytest.mark.parametrize(
    ("colour", "shown"),
    [((0x00112233,), 0x112233), (("magenta",), 0xFF00FF), ((1.0, 0.5, 0), 0xFF8000), ((65280.0,), 0x00FF00)],
)
def test_a_colour_can_be_a_number_a_name_or_three_shares(robot, colour, shown):
    robot.leds("fadeRGB", "FaceLeds", *colour, 0)
    robot.live(0.02)
    assert robot.eyes() == shown


def test_a_list_of_colours_is_shown_at_its_times(robot):
    robot.leds("fadeListRGB", "FaceLeds", [0xFF0000, 0x0000FF], [1.0, 2.0])
    robot.live(1.0)
    assert robot.eyes() == 0xFF0000
    robot.live(1.0)
    assert robot.eyes() == 0x0000FF


def test_a_later_light_takes_over_and_a_cancelled_one_stays_as_it_is(robot):
    robot.leds("fadeRGB", "FaceLeds", 0x000000, 2.0)
    robot.live(1.0)
    later = robot.leds("fadeRGB", "RightFaceLeds", 0x00FF00, 1.0)
    robot.live(0.5)
    robot.nao.cancel(later)
    at_the_cancel = robot.nao["ALLeds"].colour("RightFaceLeds")
    robot.live(1.0)
    assert robot.nao["ALLeds"].colour("RightFaceLeds") == at_the_cancel not in (0, 0x00FF00)
    assert robot.nao["ALLeds"].colour("LeftFaceLeds") == 0x000000


def test_lights_go_on_off_and_back(robot):
    robot.leds("off", "AllLeds")
    assert robot.eyes() == 0 == robot.nao["ALLeds"].colour("EarLeds")
    robot.leds("setIntensity", "FaceLed3", 0.5)
    assert robot.nao["ALLeds"].colour("FaceLedLeft3") == 0x808080
    robot.leds("reset", "AllLeds")
    assert robot.eyes() == 0xFFFFFF and robot.nao["ALLeds"].colour("EarLeds") == 0x0000FF
    assert {"FaceLeds", "ChestLeds", "EarLeds", "BrainLeds", "FeetLeds"} <= set(robot.leds("listGroups"))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("NoseLeds", 0xFF, 1), "unknown group or lamp 'NoseLeds'"),
        (("FaceLeds", "beige", 1), "unknown colour 'beige'"),
        (("FaceLeds", 2.0, 0, 0, 1), "an intensity must lie in 0..1"),
        (("FaceLeds", 0xFF, -1), "a time must not be negative"),
        (("FaceLeds", 0xFF), "2 arguments came; it takes 3 or 5"),
        (("FaceLeds", 1, 2, 3), "4 arguments came; it takes 3 or 5"),
    ],
)
def test_a_light_that_cannot_be_is_refused(robot, arguments, why):
    with pytest.raises(NaoError, match=why):
        robot.leds("fadeRGB", *arguments)


# Memory and life


def test_an_event_reaches_everybody_who_listens_and_its_value_stays(robot):
    heard = robot.hear("FrontTactilTouched")
    robot.nao.call("ALMemory", "raiseEvent", ["FrontTactilTouched", 1.0])
    robot.nao.call("ALMemory", "insertData", ["FrontTactilTouched", 0.0])
    assert heard == [1.0]
    assert robot.nao.call("ALMemory", "getData", ["FrontTactilTouched", 0]) == 0.0


def test_a_key_that_nobody_wrote_is_refused_alone_and_none_in_a_list(robot):
    with pytest.raises(NaoError, match=r"ALMemory::getData\n\tno data under 'Nowhere'"):
        robot.nao.call("ALMemory", "getData", ["Nowhere"])
    values = robot.nao.call("ALMemory", "getListData", [["robotHasFallen", "Nowhere", "RobotConfig/Body/Type"]])
    assert values == [False, None, "nao"]


def test_memory_shows_the_body(robot):
    key = "Device/SubDeviceList/HeadYaw/Position/Sensor/Value"
    robot.nao.call("ALMotion", "angleInterpolation", ["HeadYaw", 0.5, 1.0, True])
    robot.live(1.0)
    assert robot.nao.call("ALMemory", "getData", [key]) == pytest.approx(0.5)
    assert key in robot.nao.call("ALMemory", "getDataList", ["HeadYaw"])


def test_life_and_its_abilities_are_switched_and_told(robot):
    heard = robot.hear("AutonomousLife/State")
    robot.nao.call("ALAutonomousLife", "setState", ["disabled"])
    assert heard == ["disabled"] == [robot.nao.call("ALAutonomousLife", "getState")]
    robot.nao.call("ALAutonomousLife", "setAutonomousAbilityEnabled", ["BackgroundMovement", False])
    assert robot.nao.call("ALBackgroundMovement", "isEnabled") is False
    robot.nao.call("ALAutonomousLife", "setAutonomousAbilityEnabled", ["All", False])
    assert not any(row["enabled"] for row in robot.nao.call("ALAutonomousLife", "getAutonomousAbilitiesStatus"))
    with pytest.raises(NaoError, match="unknown state 'asleep'"):
        robot.nao.call("ALAutonomousLife", "setState", ["asleep"])


def test_nothing_is_installed_and_running_it_is_refused(robot):
    assert (
        robot.nao.call("ALBehaviorManager", "isBehaviorInstalled", ["animations/Stand/Gestures/Hey_1"]) is False
    )
    for service, method in (("ALBehaviorManager", "runBehavior"), ("ALAnimationPlayer", "run")):
        with pytest.raises(NaoError, match="is not installed"):
            robot.nao.call(service, method, ["animations/Stand/Gestures/Hey_1"])
    with pytest.raises(NaoError, match="cannot open"):
        robot.nao.call("ALAudioPlayer", "playFile", ["/home/nao/hey.wav"])


def test_a_test_can_lower_the_battery(robot):
    assert robot.nao.call("ALBattery", "getBatteryCharge") == 100
    robot.nao.call("ALMemory", "raiseEvent", ["BatteryChargeChanged", 9])
    assert robot.nao.call("ALBattery", "getBatteryCharge") == 9


# Diary


def test_the_diary_file_holds_every_line_at_once_and_the_counts_at_the_end(tmp_path):
    path = tmp_path / "diary.jsonl"
    robot = Robot(Diary(path))
    robot.live(1.0)
    robot.say("one")
    robot.nao.call("ALMotion", "getAngles", ["Body", True])
    began = json.loads(path.read_text().splitlines()[0])
    said = {"service": "ALTextToSpeech", "method": "say", "args": ["one"]}
    assert began == {"at_s": 1.0, "event": "began", **said, "task": 1}
    robot.nao.close()
    *_, ended, counted = map(json.loads, path.read_text().splitlines())
    assert (ended["event"], ended["how"]) == ("ended", "killed")
    assert counted["calls"] == {"ALMotion.getAngles": 1}


def test_a_test_can_wait_for_a_line_of_the_diary():
    diary = Diary()
    writer = threading.Thread(target=lambda: diary.write(1.5, "called", "ALMotion", method="rest"))
    writer.start()
    assert diary.wait_for(lambda line: line.get("method") == "rest", 5)["at_s"] == 1.5
    writer.join()
    with pytest.raises(TimeoutError, match="no such line in the diary"):
        diary.wait_for(lambda line: line["service"] == "ALLeds", 0.01)


def test_a_group_of_no_lamps_is_refused(robot):
    with pytest.raises(NaoError, match="needs a lamp or a group at least"):
        robot.leds("createGroup", "Torso", [])
    robot.leds("createGroup", "Both", ["FaceLeds", "ChestLeds"])
    assert 0 <= robot.leds("getIntensity", "Both")[0] <= 1


def test_only_languages_that_it_knows_can_be_installed(robot):
    with pytest.raises(NaoError, match="unknown language 'Stand'"):
        robot.nao.call("VirtualNAO", "setLanguages", [["English", "Stand"]])
    robot.nao.call("VirtualNAO", "setLanguages", ["French"])
    robot.nao.call("ALTextToSpeech", "setLanguage", ["French"])
    assert robot.nao.call("ALTextToSpeech", "getVoice") == "naofrf"
