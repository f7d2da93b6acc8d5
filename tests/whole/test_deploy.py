"""From the command line to a running app on a robot: real ssh, the robot's real Python 2.7, a virtual NAO.

The robot is this machine behind an sshd of the test's own, with a home that is empty. Only qicli exists on
robots alone: without it the package is unpacked by hand; with it, a script stands in for NAOqi's managers.
"""

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from naos_python import NEEDS_PYTHON27, naos_python
from programs import ROOT, Program, free_port

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")

pytest.importorskip("qi", reason="no qi wheel for this Python: there is no virtual NAO to connect to")
pytestmark = [
    NEEDS_PYTHON27,
    pytest.mark.skipif(
        not SSHD or not shutil.which("ssh-keygen"),
        reason="no sshd here (Debian's openssh-server): nothing to log in to",
    ),
]

QICLI = """\
#!/bin/sh
# In place of a robot's qicli: what its PackageManager and ALServiceManager do, for one package.
apps=$HOME/.local/share/PackageManager/apps/nao-emotion
case "$2" in
  PackageManager.install) mkdir -p "$apps" && python2 -m zipfile -e "$3" "$apps" && echo true ;;
  ALServiceManager.startService)
    [ "$3" = emotion ] || { echo "no service $3"; exit 1; }
    program=$(sed -n 's/.*execStart="[^ ]*python2 \\([^"]*\\)".*/\\1/p' "$apps/manifest.xml")
    cd "$apps" || exit 1
    nohup python2 "$program" >"$HOME/service.log" 2>&1 </dev/null &
    echo $! >"$HOME/service.pid" ;;
  ALServiceManager.isServiceRunning) kill -0 "$(cat "$HOME/service.pid")" && echo true || echo false ;;
  ALServiceManager.stopService) kill "$(cat "$HOME/service.pid")" ;;
esac
"""


class Nao:
    """The robot's end of the test: its home, its sshd, its virtual NAO's diary."""

    def __init__(self, folder):
        self.home, self.port, self.naoqi = folder / "home", free_port(), f"tcp://127.0.0.1:{free_port()}"
        self.bin, self.diary, self.key = self.home / "bin", folder / "diary.jsonl", folder / "key"
        self.package = folder / "pc" / "nao-emotion.pkg"
        self.bin.mkdir(parents=True)
        naos_python(self.bin)
        for key in (self.key, folder / "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nStrictModes no\nUsePAM no\n"
            f"PidFile none\nPermitRootLogin yes\nAuthorizedKeysFile {self.key}.pub\nPasswordAuthentication no\n"
            f"SetEnv HOME={self.home} PATH={self.bin}:/usr/bin:/bin\n"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where sshd wants it; as a service it is made before
        self._log = (folder / "sshd.log").open("w")
        command = [SSHD, "-D", "-e", "-f", folder / "sshd_config"]
        self._sshd = subprocess.Popen(command, stderr=self._log)

    def close(self):
        self._sshd.terminate()
        self._sshd.wait(10)
        self._log.close()

    def deploy(self, *words, machine="x86_64"):
        """(exit code, all that was said)."""
        options = ["--out", self.package, "--machine", machine, "--set", f"robot.robot={self.naoqi}"]
        login = ["--user", getpass.getuser(), "--ssh-port", self.port, "--pc", "127.0.0.1"]
        if "--identity" not in words:
            login += ["--identity", self.key]
        command = [sys.executable, "-m", "robot_app.package", "deploy", "127.0.0.1", *options, *login, *words]
        done = subprocess.run(
            [str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=100
        )
        said = done.stdout + done.stderr
        if "could not fetch" in said:
            pytest.skip(said.strip())
        assert "Traceback" not in said
        return done.returncode, said

    def told(self, method):
        """How often the virtual NAO's diary tells of a call."""
        lines = (json.loads(line) for line in self.diary.read_text().splitlines())
        return sum(line.get("method") == method for line in lines)


@pytest.fixture
def nao(tmp_path):
    (tmp_path / "pc").mkdir()
    nao = Nao(tmp_path)
    wait_until(lambda: "listening" in (tmp_path / "sshd.log").read_text())
    yield nao
    nao.close()


def wait_until(ready, within_s=40):
    """Poll until `ready()`."""
    until = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


@pytest.mark.parametrize("with_qicli", [False, True], ids=["without qicli", "with qicli"])
def test_one_command_brings_the_app_to_the_robot_where_it_runs_until_it_is_stopped_by_hand(nao, with_qicli):
    port = free_port()
    if with_qicli:
        (nao.bin / "qicli").write_text(QICLI)
        (nao.bin / "qicli").chmod(0o755)
    with (
        Program("robot_app.virtual", "--listen", nao.naoqi, "--camera", "none", "--diary", nao.diary) as body,
        Program("inference_server", "serve", "--listen", f"tcp://127.0.0.1:{port}", "--no-monitor") as brain,
    ):
        body.wait_for_line("listens")
        brain.wait_for_line("serving")
        code, said = nao.deploy("--port", port)
        assert code == 0, said
        steps = ["is logged in.", "with qi.", "is copied, in", "The doctor on the robot says:", "It runs"]
        places = [said.index(step) for step in steps]
        assert places == sorted(places), said
        assert ("PackageManager has installed it" in said) is with_qicli
        assert f"tcp://127.0.0.1:{port} answers a picture in" in said, "the doctor asked the server"
        wait_until(lambda: nao.told("subscribeCamera") > 1)  # one was the doctor's
        if not with_qicli:
            code, said = nao.deploy("--port", port)
            assert code == 0 and "The copy that ran there before is stopped." in said
            wait_until(lambda: nao.told("subscribeCamera") > 3)
        before = nao.told("unsubscribe")
        stop = said.rpartition("To stop it: ssh ")[2].partition(" ")[2].strip()
        on_robot(nao, stop.strip("'"))
        wait_until(lambda: nao.told("unsubscribe") > before)


def own_address():
    """This machine's address in its network, where there is one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(("192.0.2.1", 9))  # sends nothing
            return way.getsockname()[0]
        except OSError:
            pytest.skip("this machine is in no network")


def test_a_robot_that_asks_over_the_network_is_paired_on_the_way_and_no_secret_travels(nao, tmp_path):
    pc, port, folder = own_address(), free_port(), tmp_path / "keys"
    server, where = f"tcp://{pc}:{port}", ["--set", f"server.keys={folder}"]
    with (
        Program("robot_app.virtual", "--listen", nao.naoqi, "--camera", "none", "--diary", nao.diary) as body,
        Program("inference_server", "serve", "--listen", server, "--no-monitor", *where) as brain,
    ):
        body.wait_for_line("listens")
        assert "no robot has been allowed yet" in brain.wait_for_line("serving")
        code, said = nao.deploy("--pc", pc, "--port", port, *where)
        assert code == 0, said
        assert "know each other's keys" in said and f"{server} answers a picture in" in said
        brain.wait_for_line("127.0.0.1 is here")  # under the address that it was deployed to
        on_robot(nao, said.rpartition("To stop it: ssh ")[2].partition(" ")[2].strip().strip("'"))
        login = ["--user", getpass.getuser(), "--ssh-port", str(nao.port), "--identity", str(nao.key)]
        again = ["-m", "inference_server", "keys", *where, "pair", "127.0.0.1", "--name", "lab", *login]
        done = subprocess.run([sys.executable, *again], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "here it is lab" in done.stdout, done.stdout + done.stderr
    at_robot = json.loads((nao.home / ".config/nao-emotion/robot.json").read_text())
    at_pc = "".join(path.read_text() for path in folder.iterdir())
    assert at_robot["secret"] not in at_pc and at_robot["public"] in at_pc
    assert json.loads((folder / "server.json").read_text())["secret"] not in json.dumps(at_robot)


def on_robot(nao, script):
    """What the last line told a person to do, done on the robot."""
    environment = {"HOME": str(nao.home), "PATH": f"{nao.bin}:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", script], cwd=nao.home, env=environment, check=True)


def test_a_package_manager_that_keeps_an_older_package_is_seen_through(nao):
    old = nao.home / ".local/share/PackageManager/apps/nao-emotion"
    old.mkdir(parents=True)
    (old / "BUILD").write_text("older")
    (nao.bin / "qicli").write_text("#!/bin/sh\necho false\n")
    (nao.bin / "qicli").chmod(0o755)
    _, said = nao.deploy("--port", free_port())
    assert "it answered 'false' and installed nothing" in said and "unpacked in" in said


def test_an_app_that_cannot_run_is_told_with_its_own_words(nao):
    code, said = nao.deploy("--port", free_port())
    assert code == 1 and "It did not start; it said:" in said
    assert f"no robot answers at {nao.naoqi}" in said


def test_a_robot_with_another_python_is_refused_before_anything_is_copied(nao):
    (nao.bin / "python2").unlink()
    (nao.bin / "python2").symlink_to(sys.executable)
    code, said = nao.deploy()
    assert code == 2 and "is no Python 2.7" in said
    assert not (nao.home / "nao-emotion.pkg").exists()


def test_a_package_for_another_machine_is_refused_before_anything_is_copied(nao):
    code, said = nao.deploy(machine="i686")
    assert code == 2 and "has 64 bits and the package is for 32" in said
    assert not (nao.home / "nao-emotion.pkg").exists()


def test_a_key_that_the_robot_does_not_know_is_a_sentence(nao, tmp_path):
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    code, said = nao.deploy("--identity", other)
    assert code == 2 and "ssh could not log in" in said and "Permission denied" in said


def test_no_robot_at_the_address_is_a_sentence(nao):
    nao.port = free_port()
    code, said = nao.deploy()
    assert code == 2 and f"nothing answers at 127.0.0.1 port {nao.port}" in said
