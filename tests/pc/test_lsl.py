"""The streams for LabStreamingLayer, read by a real inlet; and when a picture was taken, by the PC's clock."""

import sys
import time

import pytest
from test_recorder import answered

from config.contract import EMOTIONS
from inference_server.events import Events, Gone, Marked
from inference_server.lsl import WINDOW_S, LslError, Outlet, Taken

WAIT_S = 30


@pytest.fixture(scope="module")
def lsl():
    """pylsl, kept to this machine."""
    try:
        import pylsl
    except (ImportError, RuntimeError):
        pytest.skip("pylsl is not installed: pip install -e '.[lsl]'")
    pylsl.set_config_content("[multicast]\nResolveScope = machine\n[log]\nlevel = -2\n")
    return pylsl


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def outlet(lsl, events, tmp_path):
    with Outlet(events, str(tmp_path)) as outlet:  # no other test's
        yield outlet


def inlet_of(lsl, where, name):
    """A real inlet of the stream of that name."""
    wanted = f"name='{name}' and contains(source_id,'{where}')"
    (info,) = lsl.resolve_bypred(wanted, 1, WAIT_S)
    inlet = lsl.StreamInlet(info)
    inlet.open_stream(WAIT_S)
    return inlet


def pulled(inlet, events, event):
    """The first sample that comes while `event()` happens again and again, for none waits for a listener."""
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        events.publish(event())
        sample, at_s = inlet.pull_sample(0.1)
        if sample is not None:
            return sample, at_s
    pytest.fail("no sample came")


def test_scores_are_those_of_the_attended_face_when_its_picture_was_taken(lsl, outlet, events, tmp_path):
    def seen():
        event = answered(1, faces=2, attends=2)
        event.reading.faces[1] = event.reading.faces[1]._replace(scores=[0.05] * 4 + [0.7, 0.05, 0.05])
        return event._replace(came_s=event.at_s - 0.5, frame=event.frame._replace(taken_s=event.at_s - 100))

    events.publish(seen())
    inlet = inlet_of(lsl, tmp_path, "nao-1 scores")
    sample, at_s = pulled(inlet, events, seen)
    assert sample == pytest.approx([0.05] * 4 + [0.7, 0.05, 0.05], abs=1e-6)
    assert 0.4 < lsl.local_clock() - at_s < WAIT_S
    info = inlet.info(WAIT_S)
    assert (info.type(), info.channel_count(), info.nominal_srate()) == ("Expression", 7, 0.0)
    channel, labels = info.desc().child("channels").child("channel"), []
    while not channel.empty():
        labels.append(channel.child_value("label"))
        channel = channel.next_sibling()
    assert labels == list(EMOTIONS) and info.desc().child_value("model") == "xrs"


def test_marks_moods_and_behaviours_are_markers_with_their_own_time(lsl, outlet, events, tmp_path):
    inlet = inlet_of(lsl, tmp_path, "emotion markers")
    at_s = time.monotonic() - 7
    sample, stamp = pulled(inlet, events, lambda: Marked("stimulus A", at_s))
    assert sample == ["markers/stimulus A"]
    assert stamp == pytest.approx(at_s + lsl.local_clock() - time.monotonic(), abs=0.05)
    events.publish(answered(1, mood="happy", doing="cheer"))
    events.publish(answered(2, mood="happy", faces=0))
    words = set()
    while "nao-1/behaviours/" not in words:
        sample, _ = inlet.pull_sample(WAIT_S)
        assert sample, words
        words |= set(sample)
    assert words >= {"nao-1/mood/happy", "nao-1/behaviours/cheer"} and "nao-1/mood/" not in words


def test_the_streams_of_a_robot_end_when_it_is_gone(lsl, outlet, events, tmp_path):
    events.publish(answered(1, robot_id="nao-7"))
    wanted = f"name='nao-7 scores' and contains(source_id,'{tmp_path}')"
    assert lsl.resolve_bypred(wanted, 1, WAIT_S)
    events.publish(Gone("nao-7", time.monotonic()))
    until_s = time.monotonic() + WAIT_S
    while lsl.resolve_bypred(wanted, 1, 0.2):
        assert time.monotonic() < until_s


def test_without_pylsl_there_is_a_sentence_that_says_what_to_install(monkeypatch, events):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(LslError, match=r"need pylsl .*pip install -e '\.\[lsl\]'"):
        Outlet(events, "here")


# ---- when a picture was taken ------------------------------------------------------------------------


def test_a_picture_was_taken_before_it_came_and_a_slow_way_does_not_show():
    taken = Taken()
    offset = 5000.0  # between the clocks
    times = []
    for seq, way in enumerate((0.020, 0.005, 0.200, 0.005, 0.030)):
        at_s = seq / 15
        times.append(taken.at_s(seq, at_s - offset, at_s + way) - at_s)
    assert times == pytest.approx([0.020, 0.005, 0.005, 0.005, 0.005])


def test_clocks_that_drift_apart_are_followed():
    taken, rate = Taken(), 1 + 100e-6  # the robot's clock is 100 ppm too slow, as a bad one may be
    lateness = [taken.at_s(seq, seq / 15 / rate, seq / 15 + 0.005) - seq / 15 for seq in range(15 * 600)]
    assert max(map(abs, lateness)) <= 0.005 + WINDOW_S * 100e-6


def test_a_program_that_begins_anew_may_bring_another_clock():
    taken = Taken()
    taken.at_s(500, 5000.0, 10.0)
    assert taken.at_s(0, 2.0, 11.0) == 11.0
    assert taken.at_s(1, 2.1, 11.3) == pytest.approx(11.1)
