"""What the deployment files name is there: services, ports, settings, numbers. No container is started here."""

import importlib.util
import json
import re
from pathlib import Path

import onnxruntime
import pytest
from ruamel.yaml import YAML

import inference_server
from config import settings
from config.contract import EMOTIONS, MAX_FACES
from inference_server.metrics import FAMILIES
from models import golden, zoo

FOLDER = Path(inference_server.__file__).parent / "deployment"
SET = re.compile(r"--set (\S+=\S+)")
HAS_VERSION = {"RayService": "ray.io/v1", "StatefulSet": "apps/v1", "Service": "v1"}


def load(name):
    return YAML(typ="safe").load(FOLDER / name)


def objects():
    return {
        (one["kind"], one["metadata"]["name"]): one
        for one in YAML(typ="safe").load_all(FOLDER / "kuberay.yaml")
    }


def is_served(command):
    """Whether `serve` would take these settings; gives them."""
    chosen = settings.load(overrides=SET.findall(command))
    assert "serve --backend ray --listen tcp://0.0.0.0:5555" in command
    return chosen


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_every_file_is_yaml_and_begins_by_saying_what_it_is_for(path):
    assert path.read_text("utf-8").startswith("# ")
    assert list(YAML(typ="safe").load_all(path))


def test_what_a_service_of_compose_needs_is_there():
    compose = load("compose.yaml")
    services = compose["services"]
    for name, service in services.items():
        assert {"image", "build"} & set(service), name
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (FOLDER / source).is_file() if source.startswith("./") else source in compose["volumes"], (
                volume
            )
    assert (FOLDER / services["head"]["build"]["context"] / "pyproject.toml").is_file()
    assert (FOLDER / services["head"]["build"]["context"] / services["head"]["build"]["dockerfile"]).is_file()


def test_the_doors_of_compose_have_settings_that_are_taken_and_are_asked_where_they_answer():
    services = load("compose.yaml")["services"]
    doors = {name: service for name, service in services.items() if name.startswith("door-")}
    assert len({port for door in doors.values() for port in door["ports"]}) == len(doors) == 2
    for door in doors.values():
        chosen = is_served(door["command"][-1])
        assert chosen.ray.address == "auto" and "--address=head:6379" in door["command"][-1]
        port = chosen.server.metrics.rpartition(":")[2]
        assert f"http://127.0.0.1:{port}/ready" in door["healthcheck"]["test"]
    assert "--port=6379" in services["head"]["command"]
    (scraped,) = load("prometheus.yaml")["scrape_configs"]
    assert scraped["static_configs"][0]["targets"] == [f"{name}:{port}" for name in doors]


def test_what_kubernetes_is_given_is_of_a_known_kind_and_finds_what_it_selects():
    known = objects()
    door = known["StatefulSet", "door"]["spec"]
    labels = door["template"]["metadata"]["labels"]
    ports = {port["name"] for port in door["template"]["spec"]["containers"][0]["ports"]}
    assert door["selector"]["matchLabels"] == labels
    assert ("Service", door["serviceName"]) in known
    for (kind, name), one in known.items():
        assert one["apiVersion"] == HAS_VERSION[kind]
        if kind == "Service":
            selected = dict(one["spec"]["selector"])
            pod = selected.pop("statefulset.kubernetes.io/pod-name", "door-0")
            assert selected == labels and pod in [f"door-{i}" for i in range(door["replicas"])], name
            assert {port["targetPort"] for port in one["spec"]["ports"]} <= ports, name


def test_the_doors_of_kubernetes_have_settings_that_are_taken_and_the_application_they_look_for():
    known = objects()
    (container,) = known["StatefulSet", "door"]["spec"]["template"]["spec"]["containers"]
    chosen = is_served(container["args"][-1])
    assert {
        probe["httpGet"]["path"] for probe in (container["livenessProbe"], container["readinessProbe"])
    } == {
        "/live",
        "/ready",
    }
    assert "emotion-head-svc:6379" in container["args"][-1] and ("RayService", "emotion") in known
    (app,) = YAML(typ="safe").load(known["RayService", "emotion"]["spec"]["serveConfigV2"])["applications"]
    module, _, name = app["import_path"].partition(":")
    assert f"def {name}(" in Path(importlib.util.find_spec(module).origin).read_text("utf-8")
    assert app["name"] == chosen.ray.app
    settings.load(overrides=[f"ray.{key}={value}" for key, value in app["args"].items()])


def test_the_dashboard_shows_numbers_that_are_served():
    panels = json.loads((FOLDER / "grafana.json").read_text("utf-8"))["panels"]
    asked = {
        name
        for panel in panels
        for target in panel["targets"]
        for name in re.findall("emotion_[a-z_]+", target["expr"])
    }
    bare = {re.sub("_(bucket|count|sum)$", "", name) for name in asked}
    assert bare == {f"emotion_{name}" for name in FAMILIES if name != "ready"}
    source = load("grafana-source.yaml")["datasources"][0]["uid"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source}
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_triton_is_given_our_default_network_with_the_tensors_that_it_has_and_room_for_a_picture():
    (path,) = FOLDER.glob("triton/*/config.pbtxt")
    text = re.sub("#.*", "", path.read_text("utf-8"))
    (name,) = re.findall(r'^name: "(.+)"$', text, re.M)
    assert name == path.parent.name == settings.load().reader.model
    tensor = r'{ name: "(\w+)", data_type: TYPE_FP32, dims: \[ ([\d, ]+) \] }'
    dims = {name: tuple(map(int, size.split(","))) for name, size in re.findall(tensor, text)}
    assert dims == {"faces": golden.face().shape[1:], "scores": (len(EMOTIONS),)}
    network = onnxruntime.InferenceSession(zoo.load(name).onnx_path, providers=["CPUExecutionProvider"])
    has = {one.name: tuple(one.shape[1:]) for one in (*network.get_inputs(), *network.get_outputs())}
    assert has == dims
    assert int(re.search(r"^max_batch_size: (\d+)$", text, re.M)[1]) >= MAX_FACES
    readme = (FOLDER / "README.md").read_text("utf-8")
    assert f"cp models/zoo/{name}/model.onnx" in readme
    assert all(f"kserve.{key}" in readme for key in ("address", "model", "deadline_s"))
