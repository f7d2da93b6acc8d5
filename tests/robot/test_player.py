# -*- coding: utf-8 -*-
"""The single point of control: what reaches NAOqi, when, what is refused, and what is put back."""

from __future__ import division, print_function

import io

import pytest
from stand_in import Naoqi

from behaviors.joints import GESTURE_NAMES, STAND
from behaviors.keyframes import Behavior
from robot_app.player import EYES, Player
from robot_app.ready import HOME_S
from robot_app.robots import Robot, RobotError, RobotLost
from robot_app.tell import Teller
from robot_app.undo import Undo

SETTINGS = {"language": "English", "volume": 0.6, "life": "keep", "when_silent": "finish"}
CHEER = Behavior(
    name="cheer",
    emotion="happy",
    duration_s=3.0,
    joints={"HeadPitch": ([1.0, 3.0], [-0.4, -0.17]), "LShoulderPitch": ([1.0, 3.0], [-1.0, 1.4426])},
    eyes=[(0.0, 0xFFD000, 0.3), (2.0, 0xFFFFFF, 0.5)],
    say=[(0.5, {"English": ["Hurray!", "Yes!"], "French": ["Hourra !"]})],
    sees="",
)
SIGH = CHEER._replace(name="sigh", emotion="sad", eyes=[(0.0, 0x0000FF, 0.3)], say=[])


def never():
    return False


class Stage(object):
    """A Player on a stand-in, prepared."""

    def __init__(self, naoqi=None, **settings):
        self.naoqi = naoqi or Naoqi()
        self.said = io.StringIO() if str is not bytes else io.BytesIO()
        tell = Teller(self.said)
        self.robot = Robot(lambda ended: self.naoqi, "the stand-in")
        self.robot.connect()
        self.undo = Undo(self.robot, tell)
        self.player = Player(self.robot, dict(SETTINGS, **settings), self.undo, tell)

    def prepared(self):
        self.player.prepare(never)
        del self.naoqi.calls[:]
        return self


@pytest.fixture
def stage():
    return Stage().prepared()


def test_a_behaviour_is_one_interpolation_of_all_its_joints(stage):
    assert stage.player.play(CHEER, 10.0)
    assert stage.naoqi.of("ALMotion", "angleInterpolation") == [
        (["HeadPitch", "LShoulderPitch"], [[-0.4, -0.17], [-1.0, 1.4426]], [[1.0, 3.0], [1.0, 3.0]], True)
    ]
    assert stage.player.doing == "cheer"


def test_eyes_and_words_come_at_their_times(stage):
    stage.player.play(CHEER, 10.0)
    assert stage.naoqi.of("ALLeds", "fadeRGB") == [(EYES, 0xFFD000, 0.3)]
    stage.player.tick(10.49)
    assert stage.naoqi.of("ALTextToSpeech", "say") == []
    stage.player.tick(10.5)
    assert len(stage.naoqi.of("ALTextToSpeech", "say")) == 1
    stage.player.tick(12.1)
    assert stage.naoqi.of("ALLeds", "fadeRGB")[1:] == [(EYES, 0xFFFFFF, 0.5)]


def test_nothing_due_is_lost_when_a_tick_comes_late(stage):
    stage.player.play(CHEER, 0.0)
    stage.player.tick(2.9)
    assert len(stage.naoqi.of("ALLeds", "fadeRGB")) == 2
    assert len(stage.naoqi.of("ALTextToSpeech", "say")) == 1


def test_a_behaviour_ends_with_its_time_and_its_motion(stage):
    stage.player.play(CHEER, 0.0)
    stage.player.tick(3.1)
    assert stage.player.doing == "cheer"
    stage.naoqi.end_motion()
    stage.player.tick(3.2)
    assert stage.player.doing is None


def test_a_motion_that_does_not_end_is_ended_and_told(stage):
    stage.player.play(CHEER, 0.0)
    stage.player.tick(4.1)
    assert stage.player.doing is None
    assert stage.naoqi.killed == [100]
    assert "cheer" in stage.said.getvalue()


def test_a_motion_that_fails_is_told(stage):
    stage.player.play(CHEER, 0.0)
    stage.naoqi.end_motion(error="ALMotion::angleInterpolation\n\tstiffness lost")
    stage.player.tick(3.0)
    assert stage.player.doing is None
    assert "stiffness lost" in stage.said.getvalue()


def test_texts_are_taken_in_turn(stage):
    for start_s in (0.0, 10.0, 20.0):
        stage.player.play(CHEER, start_s)
        stage.player.tick(start_s + 0.5)
        stage.naoqi.end_motion()
    said = [arguments[0] for arguments in stage.naoqi.of("ALTextToSpeech", "say")]
    assert sorted(said[:2]) == ["Hurray!", "Yes!"] and said[2] == said[0]


def test_a_new_behaviour_ends_our_motion_and_nobody_elses(stage):
    stage.naoqi.foreign_tasks = [
        ["angleInterpolation", 7, "broker", ["RElbowRoll"]],
        ["wakeUp", 8, "broker", []],
    ]
    stage.player.play(CHEER, 0.0)
    stage.player.play(SIGH, 1.0)
    assert stage.naoqi.killed == [100]
    assert stage.player.doing == "sigh"


def test_a_behaviour_beyond_this_robots_limits_is_refused_with_a_sentence(stage):
    beyond = CHEER._replace(joints={"HeadPitch": ([1.0], [0.6])})
    assert not stage.player.play(beyond, 0.0)
    assert "HeadPitch" in stage.said.getvalue() and "0.515" in stage.said.getvalue()
    assert stage.naoqi.motions == [] and stage.naoqi.killed == []
    assert stage.player.doing is None


def test_a_behaviour_too_fast_for_this_robot_is_refused(stage):
    fast = CHEER._replace(joints={"HeadYaw": ([1.0, 1.1], [-1.0, 1.0])})
    assert not stage.player.play(fast, 0.0)
    assert "rad/s" in stage.said.getvalue()


def test_nothing_is_played_on_a_robot_that_has_fallen_until_it_is_awake_again(stage):
    stage.naoqi.awake = False
    assert not stage.player.play(CHEER, 0.0)
    assert not stage.player.play(SIGH, 9.0)
    assert stage.said.getvalue().count("has fallen") == 1
    assert stage.naoqi.motions == []
    stage.naoqi.awake = True
    assert stage.player.play(CHEER, 20.0)


def test_a_joint_that_this_robot_lacks_is_refused(stage):
    assert not stage.player.play(CHEER._replace(joints={"Tail": ([1.0], [0.0])}), 0.0)
    assert "Tail" in stage.said.getvalue()


def test_what_moves_by_itself_is_held_while_a_behaviour_plays(stage):
    stage.player.play(CHEER, 0.0)
    assert not stage.naoqi.aware and not stage.naoqi.speaking_moves
    stage.naoqi.end_motion()
    stage.player.tick(3.0)
    assert stage.naoqi.aware and stage.naoqi.speaking_moves


def test_what_was_off_before_stays_off(stage):
    stage.naoqi.aware = False
    stage.player.play(CHEER, 0.0)
    stage.naoqi.end_motion()
    stage.player.tick(3.0)
    assert not stage.naoqi.aware


def test_a_stop_ends_motion_and_voice_and_sends_the_arms_home(stage):
    stage.player.play(CHEER, 0.0)
    stage.player.stop()
    assert stage.player.doing is None
    assert stage.naoqi.killed == [100]
    assert stage.naoqi.of("ALTextToSpeech", "stopAll") == [()]
    names, angles, times_s, absolute = stage.naoqi.of("ALMotion", "angleInterpolation")[-1]
    assert angles == [[STAND[name]] for name in names] and set(names) == set(GESTURE_NAMES)
    assert times_s == [[HOME_S]] * len(names) and absolute
    stage.player.tick(1.0)
    assert stage.naoqi.of("ALTextToSpeech", "say") == []


def test_a_robot_without_a_service_for_its_eyes_still_moves(stage):
    class Blind(Naoqi):
        ALLeds_fadeRGB = property()

    stage.naoqi.__class__ = Blind
    assert stage.player.play(CHEER, 0.0)
    assert "ALLeds.fadeRGB" in stage.said.getvalue()
    assert len(stage.naoqi.motions) == 1


def test_a_robot_lost_while_playing_is_raised(stage):
    stage.naoqi.connected = False
    with pytest.raises(RobotLost):
        stage.player.play(CHEER, 0.0)


def test_a_halt_ends_all_and_moves_nothing_more(stage):
    stage.player.play(CHEER, 0.0)
    stage.player.halt()
    assert stage.player.doing is None and stage.naoqi.killed == [100]
    assert len(stage.naoqi.motions) == 1


def test_a_halt_ends_the_way_home_too(stage):
    stage.player.play(CHEER, 0.0)
    stage.player.stop()
    stage.player.halt()
    assert stage.naoqi.killed == [100, 101]


def test_a_robot_that_is_to_keep_still_speaks_and_shines_and_moves_nothing(stage):
    stage.player.keep_still(("battery", "its battery is low."))
    assert stage.player.play(CHEER, 0.0)
    stage.player.tick(0.6)
    assert stage.naoqi.motions == []
    assert len(stage.naoqi.of("ALTextToSpeech", "say")) == 2
    assert stage.naoqi.of("ALLeds", "fadeRGB") == [(EYES, 0xFFD000, 0.3)]
    stage.player.keep_still(None)
    assert stage.player.play(CHEER, 10.0) and len(stage.naoqi.motions) == 1


def test_what_moves_comes_home_when_the_robot_is_to_keep_still(stage):
    stage.player.play(CHEER, 0.0)
    for _ in range(3):
        stage.player.keep_still(("hot", "its motors are hot."))
    assert stage.naoqi.killed == [100] and len(stage.naoqi.motions) == 2
    assert len(stage.naoqi.of("ALTextToSpeech", "say")) == 1


@pytest.mark.parametrize("policy, doing", [("finish", "cheer"), ("stop", None)])
def test_a_gesture_finishes_or_stops_when_the_pc_falls_silent(policy, doing):
    stage = Stage(when_silent=policy).prepared()
    stage.player.play(CHEER, 0.0)
    stage.player.lose_pc(1.0)
    assert stage.player.doing == doing
    assert "connection" in stage.naoqi.of("ALTextToSpeech", "say")[-1][0]


def test_a_pc_that_comes_and_goes_is_lamented_once_a_minute(stage):
    for second in (0.0, 5.0, 30.0, 61.0):
        stage.player.lose_pc(second)
    assert len(stage.naoqi.of("ALTextToSpeech", "say")) == 2


def test_ears_and_sounds_come_at_their_times(stage):
    stage.player.play(CHEER._replace(ears=[(0.2, 0.5, 0.1)], sounds=[(0.4, "/home/nao/ding.wav")]), 0.0)
    stage.player.tick(0.3)
    assert stage.naoqi.of("ALLeds", "fade") == [("EarLeds", 0.5, 0.1)]
    assert stage.naoqi.of("ALAudioPlayer", "playFile") == []
    stage.player.tick(0.4)
    stage.player.stop()
    assert stage.naoqi.of("ALAudioPlayer", "playFile") == [("/home/nao/ding.wav",)]
    assert stage.naoqi.of("ALAudioPlayer", "stopAll") == [()]


def test_an_animation_of_naoqi_is_run_where_it_is_installed(stage):
    happy = CHEER._replace(builtin=["animations/Stand/Gestures/Joy_1", "animations/Stand/Gestures/Joy_2"])
    stage.player.play(happy, 0.0)
    assert stage.naoqi.of("ALBehaviorManager", "runBehavior") == []
    stage.naoqi.end_motion()
    stage.naoqi.installed = ["animations/Stand/Gestures/Joy_2"]
    stage.player.play(happy, 10.0)
    assert stage.naoqi.of("ALBehaviorManager", "runBehavior") == [("animations/Stand/Gestures/Joy_2",)]
    stage.player.stop()
    assert stage.naoqi.of("ALBehaviorManager", "stopBehavior") == [("animations/Stand/Gestures/Joy_2",)]


def test_a_wrong_behaviour_does_not_end_what_plays(stage):
    stage.player.play(CHEER, 0.0)
    assert not stage.player.play(SIGH._replace(joints={"LKneePitch": ([1.0], [0.5])}), 1.0)
    assert stage.player.doing == "cheer" and stage.naoqi.killed == []
    assert "sigh is not played: it moves LKneePitch, a leg joint" in stage.said.getvalue()


# Before and after


def test_a_standing_robot_is_left_standing_and_only_its_voice_is_set():
    stage = Stage()
    stage.player.prepare(never)
    assert stage.naoqi.of("ALMotion", "wakeUp") == []
    assert stage.naoqi.of("ALRobotPosture", "goToPosture") == []
    assert stage.naoqi.volume == 0.6


def test_a_robot_that_may_not_stand_is_left_as_it_lies():
    stage = Stage(Naoqi(awake=False, posture="LyingBelly", family="LyingBelly"))
    stage.player.prepare(never, may_stand=False)
    assert not stage.naoqi.awake and stage.naoqi.motions == []
    stage.undo.run()
    assert stage.naoqi.posture == "LyingBelly"


def test_a_resting_robot_is_woken_and_rests_again_at_the_end():
    stage = Stage(Naoqi(awake=False, posture="Crouch", family="Crouching"))
    stage.player.prepare(never)
    assert stage.naoqi.awake
    stage.undo.run()
    assert not stage.naoqi.awake


def test_a_sitting_robot_stands_up_and_sits_down_again():
    stage = Stage(Naoqi(posture="Sit", family="Sitting"))
    stage.player.prepare(never)
    assert stage.naoqi.posture == "Stand"
    stage.undo.run()
    assert stage.naoqi.posture == "Sit"


def test_a_robot_that_cannot_stand_up_is_a_sentence():
    naoqi = Naoqi(posture="LyingBack", family="LyingBack")
    naoqi.ALRobotPosture_goToPosture = lambda name, speed: False
    with pytest.raises(RobotError) as refused:
        Stage(naoqi).player.prepare(never)
    assert "stand" in str(refused.value)


def test_voice_eyes_and_arms_are_put_back_as_they_were():
    naoqi = Naoqi()
    naoqi.language, naoqi.volume = "French", 0.9
    naoqi.angles["LShoulderPitch"] = 1.0
    stage = Stage(naoqi)
    stage.player.prepare(never)
    assert (naoqi.language, naoqi.volume) == ("English", 0.6)
    stage.player.play(CHEER, 0.0)
    stage.player.halt()
    stage.undo.run()
    assert (naoqi.language, naoqi.volume) == ("French", 0.9)
    assert naoqi.angles["LShoulderPitch"] == 1.0
    assert naoqi.killed == [100]
    assert naoqi.aware


def test_a_robot_at_home_does_not_move_at_the_end(stage):
    stage.undo.run()
    assert stage.naoqi.of("ALMotion", "angleInterpolation") == []


def test_after_a_lost_connection_the_first_memory_counts():
    stage = Stage()
    stage.player.prepare(never)
    stage.player.prepare(never)
    stage.undo.run()
    assert stage.naoqi.volume == 0.8


def test_one_thing_that_cannot_be_put_back_keeps_nothing_else_from_it():
    stage = Stage()
    stage.player.prepare(never)
    stage.naoqi.broken["ALLeds.reset"] = "ALLeds::reset\n\tno LEDs"
    stage.undo.run()
    assert stage.naoqi.volume == 0.8
    assert "eyes and ears could not be put back" in stage.said.getvalue()


def test_what_is_left_undone_when_the_robot_is_gone_is_told_in_one_line():
    stage = Stage()
    stage.player.prepare(never)
    stage.naoqi.connected = False
    stage.undo.run()
    assert stage.said.getvalue().count("\n") == 1
    assert "eyes and ears" in stage.said.getvalue() and "the volume" in stage.said.getvalue()


def test_a_language_that_is_not_installed_is_told_and_the_robots_own_is_kept():
    stage = Stage(language="Finnish").prepared()
    assert "Finnish" in stage.said.getvalue()
    stage.player.play(CHEER, 0.0)
    stage.player.tick(0.5)
    assert len(stage.naoqi.of("ALTextToSpeech", "say")) == 1


def test_a_behaviour_without_words_in_the_robots_language_speaks_english_where_there_is_a_voice_for_it():
    stage = Stage(language="French").prepared()
    stage.player.play(CHEER._replace(say=[(0.0, {"English": ["Hurray!"]})]), 0.0)
    assert stage.naoqi.of("ALTextToSpeech", "say") == [("Hurray!", "English")]
    assert stage.naoqi.language == "French"


def test_a_robot_without_any_language_plays_silently_and_says_so_once():
    naoqi = Naoqi()
    naoqi.languages = []
    stage = Stage(naoqi).prepared()
    for start_s in (0.0, 10.0):
        assert stage.player.play(CHEER, start_s)
        stage.player.tick(start_s + 0.6)
    assert naoqi.of("ALTextToSpeech", "say") == []
    assert stage.said.getvalue().count("\n") == 1 and "no language" in stage.said.getvalue()


def test_a_robot_without_a_voice_at_all_plays_silently():
    class Mute(Naoqi):
        ALTextToSpeech_getLanguage = property()

    stage = Stage(Mute()).prepared()
    assert stage.player.play(CHEER, 0.0)
    stage.player.tick(0.6)
    assert "cannot speak" in stage.said.getvalue() and stage.naoqi.of("ALTextToSpeech", "say") == []


def test_the_robots_own_volume_is_left_when_none_is_set():
    stage = Stage(volume=None).prepared()
    assert stage.naoqi.volume == 0.8
