"""NAOqi clients talk to the virtual NAO over real libqi: bytes are right and no call holds up another."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("qi", reason="there is no qi wheel for this Python or machine")

from robot_app.virtual import qi_host  # before qi: it sets what libqi reads when it is loaded

import qi  # isort: skip

from robot_app.virtual.nao import VirtualNAO

PATIENCE_MS = 10_000


class Slope:
    """A picture in which every pixel differs from its neighbours, with all byte values."""

    PICTURE = np.arange(480 * 640 * 3, dtype=np.uint32).reshape(480, 640, 3).astype(np.uint8)

    def picture(self, t_s):
        return self.PICTURE

    def close(self):
        """Nothing to let go of."""


@pytest.fixture(scope="module")
def nao():
    nao = VirtualNAO(Slope())
    yield nao
    nao.close()


@pytest.fixture(scope="module")
def host(nao):
    host = qi_host.QiHost(nao, "tcp://127.0.0.1:0")
    yield host
    host.close()


@pytest.fixture
def session(host):
    session = qi.Session()
    session.connect(host.url)
    yield session
    session.close()


def wait_until(holds):
    """Calls that were made side by side arrive in any order; this goes on when they have had their effect."""
    until_s = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < until_s, "what was called did not begin"


def image_of(session, colour_space, resolution=2):
    video = session.service("ALVideoDevice")
    handle = video.subscribeCamera("test", 0, resolution, colour_space, 30)
    try:
        return video.getImageRemote(handle)
    finally:
        video.unsubscribe(handle)


def test_pixels_arrive_raw_and_byte_for_byte(session):
    assert image_of(session, 13)[6] == bytearray(Slope.PICTURE.tobytes())
    assert image_of(session, 11)[6] == bytearray(Slope.PICTURE[..., ::-1].tobytes())


@pytest.mark.parametrize(("colour_space", "layers"), [(0, 1), (9, 2), (10, 3), (11, 3), (12, 3), (13, 3)])
def test_an_image_is_twelve_items_in_every_colour_space(session, colour_space, layers):
    image = image_of(session, colour_space, resolution=1)
    assert len(image) == 12 and tuple(image[:4]) == (320, 240, layers, colour_space)
    assert isinstance(image[6], bytearray) and len(image[6]) == 320 * 240 * layers


def test_there_is_none_instead_of_an_image_after_unsubscribe(session):
    video = session.service("ALVideoDevice")
    handle = video.subscribeCamera("gone", 0, 1, 11, 30)
    video.unsubscribe(handle)
    assert video.getImageRemote(handle) is None


def test_a_client_can_put_its_own_image(host, session):
    own = qi_host.QiHost(VirtualNAO(Slope()), "tcp://127.0.0.1:0")
    client = qi.Session()
    client.connect(own.url)
    colours = bytes([255, 0, 128] * (640 * 480))
    assert client.service("ALVideoDevice").putImage(0, 640, 480, colours) is True
    assert image_of(client, 11)[6] == bytearray(colours)
    client.close()
    own.close()


def test_a_long_call_freezes_no_other_call_of_the_same_service(nao, session):
    motion, speech = session.service("ALMotion"), session.service("ALTextToSpeech")
    moves = [motion.angleInterpolation("HeadYaw", 0.0, 60.0, True, _async=True) for _ in range(40)]
    says = [speech.say("one two three", _async=True) for _ in range(40)]
    assert len(motion.getAngles("Body", True, _async=True).value(PATIENCE_MS)) == 26
    assert speech.getLanguage(_async=True).value(PATIENCE_MS) == "English"
    wait_until(
        lambda: len(motion.getTaskList()) == 40 and len(nao.diary.find(event="began", method="say")) == 40
    )
    motion.killAll()
    speech.stopAll()
    assert [future.value(PATIENCE_MS) for future in moves + says] == [None] * 80


def test_a_call_without_async_comes_back_when_it_is_done(nao, session):
    begun_s = nao.lived_s
    session.service("ALMotion").angleInterpolation("LHand", 0.5, 0.3, True)
    assert nao.lived_s - begun_s >= 0.3 - 0.021 and nao.angles["LHand"] == pytest.approx(0.5, abs=1e-3)


def test_a_future_can_be_cancelled_and_the_body_stops(nao, session):
    future = session.service("ALMotion").angleInterpolation("HeadYaw", 2.0, 61.0, True, _async=True)
    nao.diary.wait_for(lambda line: line["event"] == "began" and line["args"][2:3] == [61.0], 10)
    future.cancel()
    with pytest.raises(RuntimeError, match="cancel"):
        future.value(PATIENCE_MS)
    assert future.isCanceled() and session.service("ALMotion").getTaskList() == []


def test_cancelling_while_tasks_end_by_themselves_locks_nothing_up(nao, session):
    motion = session.service("ALMotion")
    for _ in range(30):
        futures = [motion.angleInterpolation(hand, 0.3, 0.02, True, _async=True) for hand in ("LHand", "RHand")]
        for future in futures:
            future.cancel()
            future.wait(PATIENCE_MS)
            assert future.isFinished()


def test_a_refusal_reaches_the_client_in_naoqis_own_words(session):
    with pytest.raises(RuntimeError) as refused:
        session.service("ALMotion").setAngles("Nose", 0.1, 0.1)
    assert str(refused.value) == "ALMotion::setAngles\n\tunknown joint or chain: 'Nose'."


def test_one_method_takes_several_numbers_of_arguments(nao, session):
    leds = session.service("ALLeds")
    leds.fadeRGB("FaceLeds", 0xFF0000, 0.0)
    assert nao["ALLeds"].colour("FaceLeds") == 0xFF0000
    leds.fadeRGB("FaceLeds", 0.0, 1.0, 0.0, 0.0)
    assert nao["ALLeds"].colour("FaceLeds") == 0x00FF00
    with pytest.raises(RuntimeError, match="did not match"):
        leds.fadeRGB("FaceLeds", 0.0)
    session.service("ALTextToSpeech").say("", "English")


def test_a_missing_service_and_a_missing_method_fail_as_in_naoqi(session):
    with pytest.raises(RuntimeError, match="Cannot find service 'ALTabletService' in index"):
        session.service("ALTabletService")
    with pytest.raises(AttributeError):
        session.service("ALVideoDevice").subscribe("old", 1, 11, 5)


def test_events_reach_a_client_until_it_disconnects(session):
    memory = session.service("ALMemory")
    signal = memory.subscriber("FrontTactilTouched").signal
    heard, arrived = [], threading.Condition()

    def hear(value):
        with arrived:
            heard.append(value)
            arrived.notify()

    link = signal.connect(hear)
    memory.raiseEvent("FrontTactilTouched", 1.0)
    with arrived:
        assert arrived.wait_for(lambda: heard, 10) and heard == [1.0]
    signal.disconnect(link)


def test_a_second_robot_at_the_same_address_is_told_so_in_one_sentence(host):
    with pytest.raises(qi_host.HostError, match=r"cannot listen at tcp://.*: the port is in use; give another"):
        qi_host.QiHost(VirtualNAO(), host.url)


def test_pictures_come_at_the_rate_of_the_subscription_and_no_faster(nao, session):
    video = session.service("ALVideoDevice")
    handle = video.subscribeCamera("pace", 0, 1, 9, 10)
    taken, begun_s = set(), time.monotonic()
    while len(taken) < 4:
        image = video.getImageRemote(handle)
        taken.add((image[4], image[5]))
    assert time.monotonic() - begun_s > 0.25
    video.unsubscribe(handle)
