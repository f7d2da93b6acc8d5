"""Who may import whom: the house stands as long as these walls do."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("config", "behaviors", "robot_app", "inference_server", "models")

# room: the rooms it may enter beside its own
DOORS = {
    "config": set(),
    "behaviors": {"config"},
    "robot_app": {"config", "behaviors"},
    "inference_server": {"config", "behaviors", "models"},
    "models": {"config"},
}

# Only the files named may import these.
EXAMPLES = {path.stem for path in (ROOT / "robot_app" / "virtual" / "examples").glob("qi_*.py")}
FOREIGN = {"qi": {"qi_host", "robots", "__main__", "naoqi", "pytest_plugin", *EXAMPLES}, "tensorflow": set()}
FOREIGN["ray"] = {"ray_bridge", "ray_reader", "ray_replay"}
FOREIGN |= {"tritonclient": {"kserve"}, "grpc": set()}
# What turns bytes into running code; nobody may.
FOREIGN |= {name: set() for name in ("pickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")}
UNSAFE_CALLS = {"recv_pyobj", "send_pyobj", "eval", "exec"}


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_enters_only_the_rooms_it_has_a_door_to(path):
    room = path.relative_to(ROOT).parts[0]
    entered = {name.split(".")[0] for name in imports(path)} & set(ROOMS) - {room}
    forbidden = entered - DOORS[room]
    assert not forbidden, (
        f"{path.relative_to(ROOT)} enters {sorted(forbidden)}; {room} may enter {sorted(DOORS[room])}."
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rare_or_dangerous_libraries_stay_where_they_belong(path):
    for library, allowed in FOREIGN.items():
        used = any(name.split(".")[0] == library for name in imports(path))
        assert not used or path.stem in allowed, (
            f"{path.relative_to(ROOT)} imports {library}; only {sorted(allowed)} may."
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_comes_from_outside_can_become_code(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        where = f"{path.relative_to(ROOT)} line {node.lineno}"
        called = ast.unparse(node.func)
        options = {word.arg: ast.unparse(word.value) for word in node.keywords}
        assert called.rpartition(".")[2] not in UNSAFE_CALLS or called.endswith(".eval"), f"{where}: {called}"
        assert options.get("allow_pickle", "False") == "False", f"{where} lets numpy unpickle"
        assert called != "torch.load", f"{where}: weights are safetensors, never pickles"


def test_a_face_is_read_without_unpickling_a_byte():
    """All ways to unpickle are blocked before anything of ours is imported; then a picture is read."""
    code = """
import _pickle, pickle
def blocked(*_, **__): raise AssertionError("something was unpickled")
for module in (pickle, _pickle):
    module.load = module.loads = module.Unpickler = blocked
from config import settings
from inference_server.doctor import EMPTY
from inference_server.runtime import open_reader
assert open_reader(settings.load().reader).read(EMPTY, "nao-1", 0.0).error is None
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_serving_reaches_no_torch_by_any_way():
    """From the server, through whatever its files import of the project, nobody imports torch."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES}
    reached, ahead = set(), [name for name in modules if name.startswith("inference_server.")]
    while ahead:
        name = ahead.pop()
        if name in reached:
            continue
        reached.add(name)
        found = imports(modules[name])
        assert not any(other.split(".")[0] == "torch" for other in found), f"{name} imports torch"
        ahead += [other for other in modules if other in found]
    assert "models.zoo" in reached
