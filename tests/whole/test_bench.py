"""The bench measures what it says: its robots get answers, its clips never jump. No time is judged here."""

import numpy as np
import pytest

from tests.bench import capacity, clips, fleet, machine


def test_the_robots_of_the_bench_are_answered_and_what_that_costs_is_told():
    blank = clips.clip("blank", [np.full((120, 160, 3), 128, np.uint8)] * 3, clips.SIZES["qqvga"])
    row = fleet.measure([blank], robots=2, workers=1, seconds=0.5)
    assert row["answers_per_second_slowest"] > 0
    assert row["p95_age_ms"] >= row["median_age_ms"] > 0
    assert row["clients"] == 2 and row["workers"] == 1 and row["faces"] == 0


def test_a_clip_is_walked_forth_and_back_without_a_jump():
    clip = clips.clip("four grays", [np.full((480, 640, 3), gray, np.uint8) for gray in (0, 80, 160, 240)])
    walked = [clip.jpegs.index(clip.frame(i).image) for i in range(8)]
    assert walked == [0, 1, 2, 3, 2, 1, 0, 1]
    assert [clip.frame(i).seq for i in (0, 9)] == [0, 9]


def test_a_crowd_is_one_face_many_times_in_the_same_size_of_picture():
    clip = clips.clip("one", [np.full((480, 640, 3), 200, np.uint8)])
    assert [clips.crowded(clip, n).pictures[0].shape for n in (0, 1, 3, 8)] == [(480, 640, 3)] * 4
    assert clips.crowded(clip, 0).pictures[0].max() == 128


def test_a_table_has_its_heads_and_a_dash_where_nothing_was_measured():
    text = machine.table("Title", [{"what": "a", "ms": 3.14159}, {"what": "b", "ms": None}])
    assert text.splitlines() == ["", "Title", "  what   ms", "     a  3.1", "     b    -"]


def test_what_many_robots_need_is_what_one_costs_many_times():
    nobody = {"front_cores": 0.01, "readers_cores": 0.05}
    one = {"answers_per_second": 15.0, "front_cores": 0.01 + 0.0075, "readers_cores": 0.05 + 0.0975}
    blank = clips.clip("blank", [np.full((120, 160, 3), 128, np.uint8)], clips.SIZES["qqvga"])
    cost = capacity.Cost.of(nobody, one, [blank])
    assert cost[:3] == pytest.approx((0.5, 6.5, 0.06)) and cost.picture_bytes == len(blank.jpegs[0])
    cost = capacity.Cost(front_ms=0.5, read_ms=6.5, idle_cores=0.0, picture_bytes=20_000)
    few, many = capacity.needed(cost, 10), capacity.needed(cost, 1000)
    assert few["cores in all"] == 2 and few["front doors"] == 1 and few["network_mbit_s"] == 24
    assert many["cores in all"] == 150 and many["front doors"] == 16
    row = {
        "clients": 4,
        "answers_per_second": 60.0,
        "p95_age_ms": 9.0,
        "front_cores": 0.03,
        "readers_cores": 0.45,
        "cores_busy": 1.5,
    }
    (point,) = capacity.compared(cost._replace(idle_cores=0.06), [row], cores=2)
    assert (point["cores_predicted"], point["cores_measured"]) == (0.48, 0.48)
    assert (point["error"], point["busy"]) == (0, 0.75)
