"""The package for a NAO: what is in it, that it is always the same, what is said when it cannot be made."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from behaviors import library
from config import robot as robot_settings
from robot_app.package import contents

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files():
    return contents.contents(robot_settings.load(), library.load(), None)


def build(*words):
    """`python -m robot_app.package build` as a person runs it: (exit code, output, errors)."""
    command = [sys.executable, "-m", "robot_app.package", "build", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_two_packages_made_one_after_the_other_are_the_same_to_the_byte(files, tmp_path):
    for name in ("one.pkg", "two.pkg"):
        again = contents.contents(robot_settings.load(), library.load(), None)
        contents.write(tmp_path / name, again)
    assert (tmp_path / "one.pkg").read_bytes() == (tmp_path / "two.pkg").read_bytes()


def test_every_entry_has_the_same_time_and_rights_and_a_name_inside_the_package(files, tmp_path):
    contents.write(tmp_path / "nao.pkg", files)
    with zipfile.ZipFile(tmp_path / "nao.pkg") as archive:
        assert archive.testzip() is None
        for entry in archive.infolist():
            assert (entry.date_time, entry.external_attr >> 16) == (contents.EPOCH, 0o644)
            assert not entry.filename.startswith("/") and ".." not in entry.filename


def test_it_holds_all_that_the_robot_app_imports_and_nothing_of_the_pc(files):
    assert {"robot_app/link.py", "robot_app/doctor.py", "behaviors/mood.py", "config/contract.py"} <= set(files)
    pc_only = ("virtual", "package", "sheets", "settings.py", "inference_server", "models", ".yaml")
    assert not [name for name in files if any(part in name for part in pc_only)]


def test_a_sound_of_a_sheet_is_in_it_and_found_where_it_is_unpacked(tmp_path):
    (tmp_path / "oh.wav").write_bytes(b"RIFF")
    loud = [behavior._replace(sounds=[(0.5, str(tmp_path / "oh.wav"))]) for behavior in library.load()]
    files = contents.contents(robot_settings.load(), library.Library(loud), None)
    contents.write(tmp_path / "nao.pkg", files)
    with zipfile.ZipFile(tmp_path / "nao.pkg") as archive:
        archive.extractall(tmp_path / "robot")
    (tmp_path / "oh.wav").unlink()
    there = library.load(str(tmp_path / "robot" / "behaviors" / "behaviors.json"))
    assert {Path(path).read_bytes() for behavior in there for _, path in behavior.sounds} == {b"RIFF"}
    assert str(tmp_path / "oh.wav") not in files["behaviors/behaviors.json"].decode()


def test_a_file_imported_inside_a_function_stays_on_the_pc():
    tree = contents.ast.parse(
        "import a\ntry:\n    import b\nexcept ImportError:\n    b = None\ndef f():\n    import c\n"
    )
    assert sorted(contents._imported(tree)) == ["a", "b"]


def test_a_package_bears_a_name_that_changes_with_any_file_in_it(files):
    name = files[contents.BUILD].decode()
    rest = {path: data for path, data in files.items() if path != contents.BUILD}
    assert contents.fingerprint(rest) == name
    assert contents.fingerprint({**rest, "LICENSE": b"another"}) != name


def test_the_manifest_is_at_the_root_and_names_a_program_that_is_there(files):
    package = ElementTree.fromstring(files["manifest.xml"])
    assert package.get("uuid") == contents.UUID and package.get("version") == contents.version()
    service = package.find("services/service")
    assert service.get("name") == contents.SERVICE and service.get("autorun") == "false"
    interpreter, program = service.get("execStart").split()
    assert interpreter == "/usr/bin/python2" and program in files


def test_behaviours_and_settings_are_json_that_a_robot_can_read(files, tmp_path):
    (tmp_path / "behaviors.json").write_bytes(files["behaviors/behaviors.json"])
    assert library.load(str(tmp_path / "behaviors.json")).names == library.load().names
    assert set(json.loads(files["config/robot.json"])) == set(robot_settings.SECTIONS)


def test_what_is_bundled_has_its_licence_named(files):
    text = files["LICENCES.md"].decode()
    assert all(name in text for name in ("pyzmq", "libzmq", "libsodium", "LGPL", "ISC", contents.PYZMQ))
    assert files["LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_of_pyzmqs_wheel_the_tests_and_other_event_loops_are_left_out():
    needed = [name for name in NAMES if contents._is_needed(name)]
    assert needed == [
        "zmq/__init__.py",
        "zmq/auth/base.py",
        "pyzmq.libs/libzmq.so.5",
        "zmq/backend/cython/socket.so",
    ]


NAMES = [
    "zmq/__init__.py",
    "zmq/auth/base.py",
    "zmq/tests/test_socket.py",
    "zmq/asyncio/__init__.py",
    "zmq/utils/mutex.h",
    "pyzmq.libs/libzmq.so.5",
    "zmq/backend/cython/socket.so",
    "zmq/backend/cffi/socket.py",
]


def test_a_wheel_that_is_not_the_one_examined_is_refused(tmp_path):
    (tmp_path / f"pyzmq-{contents.PYZMQ}-cp27-cp27mu-manylinux1_i686.whl").write_bytes(b"something else")
    with pytest.raises(contents.PackageError, match=r"has the sha256 .+: delete it, and do not use it"):
        contents.fetch_wheel("i686", tmp_path)


def test_a_package_that_would_look_for_the_pc_on_the_robot_itself_says_so(tmp_path):
    code, said, _ = build("--machine", "none", "--out", tmp_path / "nao.pkg")
    assert code == 0 and "which is the robot itself" in said
    code, said, _ = build(
        "--machine", "none", "--out", tmp_path / "nao.pkg", "--set", "robot.server=tcp://10.0.0.2:5555"
    )
    assert code == 0 and "robot itself" not in said
    with zipfile.ZipFile(tmp_path / "nao.pkg") as archive:
        assert json.loads(archive.read("config/robot.json"))["robot"]["server"] == "tcp://10.0.0.2:5555"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--set", "robot.camera=left"], "robot.camera"),
        (["--settings", "no-such.yaml"], "no-such.yaml"),
        (["--out", "/proc/nao.pkg"], "/proc/nao.pkg"),
    ],
)
def test_what_a_person_mistypes_is_a_sentence(words, part, tmp_path):
    out = [] if "--out" in words else ["--out", tmp_path / "nao.pkg"]
    code, _, said = build("--machine", "none", *words, *out)
    assert code == 2 and part in said and "Traceback" not in said
