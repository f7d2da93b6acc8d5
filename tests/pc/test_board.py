"""The board makes each page's messages from events: pure, so time is an argument here."""

import json

import cv2
import numpy as np
import pytest

from config.contract import EMOTIONS, About, Face, Frame, Order, Reading
from inference_server.board import FULL_S, HISTORY_S, LINES, LISTED_S, OPINION_S, THIN_S, Board, View
from inference_server.events import Answered, Gone, Marked, Ordered, Said, Settled

SMILE = [0.7, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]


def answered(robot_id="nao-1", at_s=0.0, scores=SMILE, picture=b"jpeg", seq=0, faces=None, **frame):
    """An Answered event with one face, or none where `scores` is None."""
    fields = {"width": 4, "height": 2, "encoding": "jpeg", "robot": "nao", "doing": None, "mood": None}
    fields |= {"answer_age_s": None, "image": b""} | frame
    faces = faces or ([Face(1, [1, 0, 2, 2], 0.99, scores)] if scores else [])
    reading = Reading(0, at_s, faces, [], {"faces": 12.5}, "xrs", None)
    return Answered(robot_id, Frame(seq=seq, taken_s=at_s, **fields), reading, at_s, picture)


def unpack(message):
    length = int.from_bytes(message[:4], "big")
    return json.loads(message[4 : 4 + length]), message[4 + length :]


class Page:
    """An open page of a board: news(at_s) gives the header and picture it would be sent."""

    def __init__(self, board):
        self.board, self.view = board, View()

    def news(self, now_s=0.0):
        return unpack(self.board.message(self.view, now_s))


@pytest.fixture
def board():
    return Board({"network": "xrs-fer2013"})


@pytest.fixture
def page(board):
    return Page(board)


def test_a_page_is_greeted_once_with_what_runs_and_the_order_of_the_scores(page):
    first, _ = page.news()
    assert first["about"] == {"network": "xrs-fer2013"}
    assert tuple(first["emotions"]) == EMOTIONS
    assert "about" not in page.news()[0]


def test_a_page_is_greeted_with_the_music_that_there_is():
    assert Page(Board({}, {"songs": {}})).news()[0]["music"] == {"songs": {}}
    assert Page(Board({})).news()[0]["music"] is None


def test_what_keeps_the_robot_from_moving_is_passed_on(board, page):
    board.take(answered(trouble="it has fallen."))
    assert page.news()[0]["frame"]["trouble"] == "it has fallen."


def test_a_face_comes_with_the_very_picture_it_was_found_in(board, page):
    board.take(answered(picture=b"old", scores=None))
    board.take(answered(picture=b"new"))
    header, picture = page.news()
    assert picture == b"new"
    (face,) = header["frame"]["faces"]
    assert (face["id"], face["box_px"], face["detection"], face["scores"]) == (1, [1, 0, 2, 2], 0.99, SMILE)


def test_nothing_is_sent_twice(board, page):
    board.take(answered())
    board.take(Said("info", "nao-1 is here.", 0.0))
    page.news()
    header, picture = page.news()
    assert "frame" not in header and picture == b""
    assert header["samples"] == [] and header["lines"] == []


def test_a_page_that_was_late_misses_pictures_but_no_part_of_the_minute(board, page):
    board.take(answered(at_s=0))
    page.news()
    for i in range(1, 11):
        board.take(answered(at_s=i, picture=b"%d" % i))
    header, picture = page.news(10)
    assert picture == b"10"
    assert [sample["at_s"] for sample in header["samples"]] == list(range(1, 11))


def test_a_page_opened_late_sees_all_that_the_timeline_shows_and_no_more(board, page):
    end_s = round(HISTORY_S) + 100
    for at_s in range(end_s + 1):
        board.take(answered(at_s=at_s, mood="happy", doing="cheer"))
    samples = page.news(end_s)[0]["samples"]
    assert samples[0]["at_s"] == end_s - HISTORY_S
    shares = {"scores": [70, 5, 5, 5, 5, 5, 5], "unsure": False}
    assert samples[-1] == {"at_s": end_s, "mood": "happy", "doing": "cheer"} | shares


def test_what_is_older_than_a_minute_is_kept_in_large_steps(board, page):
    for i in range(2000):
        board.take(answered(at_s=i / 10))
    times_s = np.array([sample["at_s"] for sample in page.news(200)[0]["samples"]])
    older = times_s[times_s < times_s[-1] - FULL_S]
    assert np.allclose(np.diff(older), THIN_S) and older[0] == 0
    assert np.allclose(np.diff(times_s[len(older) + 1 :]), 0.1)


def test_the_log_keeps_its_last_lines(board, page):
    for i in range(LINES + 10):
        board.take(Said("info", str(i), float(i)))
    assert [line["text"] for line in page.news()[0]["lines"]] == [str(i) for i in range(10, LINES + 10)]


def test_frames_a_second_are_those_of_the_last_two_seconds(board, page):
    for i in range(100):
        board.take(answered(at_s=i / 15))
    assert page.news(99 / 15)[0]["robots"][0]["rate_hz"] == 15
    assert page.news(99 / 15 + 5)[0]["robots"][0]["rate_hz"] == 0


def test_a_robot_that_leaves_stays_in_the_list_a_while_and_its_last_picture_with_it(board, page):
    board.take(answered(at_s=1))
    page.news(1)
    board.take(Gone("nao-1", 6))
    header, _ = page.news(7)
    assert header["watched"] == "nao-1" and "restart" not in header
    assert header["robots"][0] | {"here": False, "quiet_s": 6} == header["robots"][0]
    header, _ = page.news(6.1 + LISTED_S)
    assert header["robots"] == [] and header["restart"]


def test_a_robot_that_returns_under_a_new_id_is_the_same_robot_with_its_minute(board, page):
    board.take(answered("nao-1", at_s=1))
    page.news(1)
    board.take(answered("nao-2", at_s=4))
    header, _ = page.news(4)
    assert [robot["id"] for robot in header["robots"]] == ["nao-2"]
    assert header["watched"] == "nao-2" and "restart" not in header
    assert [s["at_s"] for s in Page(board).news(4)[0]["samples"]] == [1, 4]


def test_two_robots_of_one_name_that_speak_at_once_are_two(board, page):
    for i in range(4):
        board.take(answered("nao-1", at_s=i / 10))
        board.take(answered("nao-2", at_s=i / 10))
    assert [robot["id"] for robot in page.news(1)[0]["robots"]] == ["nao-1", "nao-2"]


def test_a_page_stays_with_its_robot_while_others_come(board, page):
    board.take(answered("a-1", robot="a"))
    page.news()
    board.take(answered("b-2", robot="b", at_s=1))
    assert page.news(1)[0]["watched"] == "a-1"


def test_a_page_may_choose_another_robot_and_gets_its_picture_at_once(board, page):
    board.take(answered("a-1", robot="a", picture=b"a"))
    board.take(answered("b-2", robot="b", picture=b"b"))
    page.news()
    other = "b-2" if page.view.robot.id == "a-1" else "a-1"
    board.watch(page.view, other)
    header, picture = page.news()
    assert header["watched"] == other and header["restart"] and picture == other[0].encode()
    assert len(header["samples"]) == 1
    board.watch(page.view, "no such robot")
    assert page.news()[0]["watched"] == other


def test_a_page_turns_to_a_robot_that_is_here_when_its_own_has_left(board, page):
    board.take(answered("a-1", robot="a"))
    page.news()
    board.take(answered("b-2", robot="b", at_s=1))
    board.take(Gone("a-1", 2))
    assert page.news(2)[0]["watched"] == "b-2"


@pytest.mark.parametrize(("encoding", "pixel"), [("gray8", b"\x80"), ("yuv422", b"\x80\x80")])
def test_a_raw_picture_becomes_a_jpeg_once_and_only_when_somebody_looks(board, encoding, pixel):
    board.take(answered(picture=b"", encoding=encoding, image=pixel * 16 * 8, width=16, height=8))
    (robot,) = board.robots.values()
    assert robot.picture_jpeg is None
    _, first = Page(board).news()
    _, second = Page(board).news()
    assert first is not second and first == second == robot.picture_jpeg
    shown = cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (8, 16, 3) and np.abs(shown.astype(int) - 128).max() <= 3


# ---- the desk ----------------------------------------------------------------------------------------


ITSELF = About({"happy": ["cheer"]}, {"enter": 0.5}, 0.9, ("LKneePitch", 41.0))


def test_what_a_robot_tells_of_itself_is_sent_once_and_again_when_it_changed(board, page):
    board.take(answered(about=ITSELF))
    told = page.news()[0]["itself"]
    assert told["behaviors"] == {"happy": ["cheer"]} and told["hottest"] == ["LKneePitch", 41.0]
    board.take(answered())
    board.take(answered(about=ITSELF))
    assert "itself" not in page.news()[0]
    assert Page(board).news()[0]["itself"] == told
    board.take(answered(about=ITSELF._replace(battery=0.4)))
    assert page.news()[0]["itself"]["battery"] == 0.4


def test_what_naoqi_reads_in_faces_stays_for_a_while_though_it_does_not_come_each_time(board, page):
    happy = [(7, [0.1, 0.6, 0.1, 0.1, 0.1])]
    shown = []
    for at_s, naoqi in ((0.0, happy), (1.0, None), (2.0, happy), (3.0, None), (OPINION_S + 2, None)):
        board.take(answered(about=ITSELF._replace(naoqi=naoqi))._replace(at_s=at_s))
        shown.append(board.robots["nao-1"].about.naoqi)
    assert shown == [happy, happy, happy, happy, None]


def test_an_order_is_shown_from_when_it_was_given_until_it_is_known_what_came_of_it(board, page):
    board.take(answered())
    page.news()
    play, stop = Order("play", 7, "cheer"), Order("stop", 8)
    board.take(Ordered("nao-1", play, 1.0))
    board.take(Ordered("nao-1", stop, 1.1))
    given = page.news()[0]["orders"]
    assert [(order["what"], order["state"]) for order in given] == [("play", "waiting"), ("stop", "waiting")]
    board.take(Settled("nao-1", play, "it lies.", 1.2))
    board.take(Settled("nao-1", stop, None, 1.2))
    refused, done = page.news()[0]["orders"]
    assert (refused["state"], refused["why_not"], refused["after_s"]) == ("refused", "it lies.", 0.2)
    assert (done["state"], done["why_not"], done["after_s"]) == ("done", None, 0.1)
    assert "orders" not in page.news()[0]


def test_an_order_to_a_robot_that_nobody_knows_is_passed_over(board, page):
    board.take(Ordered("pepper-9", Order("stop", 1), 0.0))
    assert "orders" not in page.news()[0]


def test_marks_are_sent_to_every_page_once(board, page):
    board.take(Marked("smile begins", 3.0))
    assert page.news(4)[0]["marks"] == [{"text": "smile begins", "at_s": 3.0}]
    assert page.news(4)[0]["marks"] == []
    assert len(Page(board).news(9)[0]["marks"]) == 1


def test_the_attended_face_is_that_which_the_robot_says(board, page):
    faces = [Face(4, [0, 0, 9, 9], 1.0, SMILE), Face(5, [20, 0, 9, 9], 1.0, SMILE[::-1], ("dark",), True)]
    board.take(answered(faces=faces, attends=5, smoothed=SMILE, mode="paused"))
    header = page.news()[0]
    assert header["frame"]["attended"] == 5 and header["frame"]["smoothed"] == SMILE
    assert header["frame"]["faces"][1]["quality"] == ["dark"] and header["frame"]["faces"][1]["unsure"]
    assert header["samples"][0]["unsure"] and header["samples"][0]["scores"][6] == 70
    assert header["frame"]["mode"] == header["robots"][0]["mode"] == "paused"
    board.take(answered(faces=faces, attends=9))
    assert page.news()[0]["frame"]["attended"] == 4


def test_frames_that_were_not_answered_are_counted_as_lost(board, page):
    for i in range(10):
        board.take(answered(at_s=i / 10, seq=2 * i))
    assert page.news(1)[0]["robots"][0]["lost"] == pytest.approx(1 - 10 / 19, abs=1e-3)
    board.take(answered(at_s=1.0, seq=1))
    assert page.news(1)[0]["robots"][0]["lost"] == 0


def test_what_one_page_is_told_the_others_are_not(board, page):
    page.view.told.append("there is no robot.")
    assert page.news()[0]["told"] == ["there is no robot."]
    assert "told" not in page.news()[0] and "told" not in Page(board).news()[0]
