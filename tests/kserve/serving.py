"""A real Triton scores as this PC does, and no robot notices much when it dies. `make test-kserve` runs it.

Lost time is judged only where none was lost a moment before under the same load.
"""

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

import inference_server
from config import settings
from config.contract import MAX_FACES
from inference_server.kserve import Client, KServeError, UnansweredError
from inference_server.reader import open_classifier
from models import golden, zoo
from robot_app.clock import now_s
from tests.kserve.stage import PATIENCE_S, ModelServer, front_door
from tests.ray.serving import LOAD, judge, quiet
from tests.ray.stage import Fleet
from tests.whole.programs import free_port

pytestmark = pytest.mark.timeout(900)
OURS = settings.load().reader.model
NETWORKS = (f"{OURS}={OURS}", "other=xrs-fer2013", f"shaped={OURS}", f"spoilt={OURS}")
DEPLOYMENT = Path(inference_server.__file__).parent / "deployment"
NOT_NOW = "This PC's own workers score until it can be used."
CLOSE = 1e-6  # of a score; another build of ONNX Runtime may add up in another order


@pytest.fixture(scope="module")
def triton():
    triton = ModelServer(*NETWORKS)
    yield triton
    triton.kill()


@pytest.fixture
def client():
    """client(address, model) -> Client, closed at the end; its patience is that of a busy machine."""
    opened = []

    def client(address, model=OURS, deadline_s=1.0):
        chosen = settings.load().kserve.model_copy(update={"address": address, "deadline_s": deadline_s})
        opened.append(Client(chosen, model, zoo.load(OURS).card))
        return opened[-1]

    yield client
    for one in opened:
        one.close()


def proved(one: Client) -> Client:
    """Once a look has found it fit; a machine that is busy may make it late at first."""
    until_s = now_s() + PATIENCE_S
    while True:
        try:
            one.check()
            return one
        except UnansweredError:
            assert now_s() < until_s


def test_its_answers_are_those_of_this_pcs_own_network(triton, client):
    one, own = proved(client(triton.address)), open_classifier(zoo.load(OURS))
    random = np.random.default_rng(7)
    worst = 0.0
    for count in (1, 2, 5, MAX_FACES):
        faces = random.uniform(0, 255, (count, 1, 48, 48)).astype(np.float32)
        faces[0] = golden.face()
        difference = np.abs(one.scores(faces, PATIENCE_S) - own.run({"faces": faces})).max()
        worst = max(worst, float(difference))
    print(f"largest difference of a score: {worst:.3g}")
    assert worst <= CLOSE


def test_the_file_that_describes_our_network_to_triton_is_read_by_its_own_protocol():
    (path,) = DEPLOYMENT.glob("triton/*/config.pbtxt")
    config = text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
    assert (config.name, config.backend) == (OURS, "onnxruntime")
    assert [list(one.dims) for one in (*config.input, *config.output)] == [[1, 48, 48], [7]]
    assert config.HasField("dynamic_batching") and config.max_batch_size == MAX_FACES


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("other", "says something else of the drawn face than the card of our network, by 0."),
        ("shaped", r"needed is scores FP32 \[-1, 7\]; it has scores FP32 \[-1, 3\]"),
        ("nobody", "has no network 'nobody' that is ready"),
    ],
)
def test_a_network_that_is_not_ours_is_refused_with_a_sentence(triton, client, model, sentence):
    with pytest.raises(KServeError, match=sentence):
        proved(client(triton.address, model))


def test_numbers_that_are_not_finite_are_no_scores(triton, client):
    one = proved(client(triton.address, "spoilt"))
    with pytest.raises(KServeError, match="gave numbers that are not finite"):
        one.scores(np.zeros((1, 1, 48, 48), np.float32), PATIENCE_S)


def test_a_port_where_nobody_listens_and_a_deadline_that_is_over_are_sentences(triton, client):
    with pytest.raises(UnansweredError, match=r"cannot be reached|has not answered within 1 s"):
        client(f"127.0.0.1:{free_port()}").check()
    with pytest.raises(UnansweredError, match=r"has not answered within 0\.0001 s"):
        client(triton.address).scores(golden.face(), 1e-4)


def test_a_front_door_says_of_another_network_why_its_workers_score_and_answers_robots(triton):
    fleet, said = Fleet(LOAD), "says something else of the drawn face than the card of our network"
    with front_door(triton.address, "other", said) as (program, address), fleet.at(address):
        fleet.answered(15, now_s())
    assert NOT_NOW in program.said
    assert "scores from now on" not in program.said


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_model_server_that_is_killed_or_hangs_costs_no_robot_a_second_and_is_used_again(how):
    triton, fleet = ModelServer(NETWORKS[0]), Fleet(LOAD)
    try:
        with front_door(triton.address, OURS) as (program, address), fleet.at(address):
            before = quiet(fleet)
            lost_s = now_s()
            getattr(triton, how)()
            said = program.wait_for_line(NOT_NOW, PATIENCE_S)
            told_s = now_s() - lost_s
            fleet.answered(60, lost_s)
            after = fleet.longest_gaps_s(lost_s, now_s())
            triton.kill()
            triton = ModelServer(NETWORKS[0], port=triton.port)
            program.wait_for_line("the model server answers again", PATIENCE_S)
            fleet.answered(30, now_s())
    finally:
        triton.kill()
    print(f"{said} (after {told_s:.1f} s)")
    assert sum("answers again" in line for line in program.lines) >= 1
    judge(f"model server {how}", before, after)
