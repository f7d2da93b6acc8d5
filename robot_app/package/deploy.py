"""From a package on this PC to a program that runs on a NAO: over ssh, one sentence for every step.

Design   each step is a small shell script that ssh hands to the robot; what it prints is read here. All steps
         share one connection, so a password is asked for once.
Robot    qicli (PackageManager, ALServiceManager) where there is one and it does what it should; else the
         package is unpacked by the robot's own Python and started by hand. Either way the same files run.
Never    changes anything on the robot but the package's folder, its log, the package file and, when it pairs
         with this PC, the robot's keys.
"""

import re
import socket
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from robot_app.package.contents import BUILD, NAOQI, SERVICE, UUID

REACH_S = 3.0
STEP_S = 120.0  # the longest step: copying over slow Wi-Fi, or a person who types a password
SETTLE_S = 4.0  # a program that cannot run has ended by then
NAOQI_PORT = 9559

PYTHON = f"""
python2 - <<'END'
import struct, sys
sys.path.append("{NAOQI}")
try:
    import qi
    has = "qi"
except ImportError as error:
    has = "no qi (%s)" % error
print("%d.%d.%d %d %x %s" % (sys.version_info[:3] + (8 * struct.calcsize("P"), sys.maxunicode, has)))
END
"""

STOP = f"""
if command -v qicli >/dev/null; then
  for name in {UUID}.{SERVICE} {SERVICE}; do qicli call ALServiceManager.stopService $name; done >/dev/null 2>&1
fi
[ -f ~/{UUID}.pid ] || exit 0
pid=$(cat ~/{UUID}.pid); rm -f ~/{UUID}.pid
grep -q {UUID} "/proc/$pid/cmdline" 2>/dev/null && kill "$pid" && echo stopped || exit 0
for second in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || exit 0; sleep 1; done
"""

INSTALL = f"""
command -v qicli >/dev/null || {{ echo "there is no qicli here"; exit 3; }}
said=$(qicli call PackageManager.install "$HOME/{UUID}.pkg" 2>&1) || {{ echo "$said"; exit 3; }}
folder=$HOME/.local/share/PackageManager/apps/{UUID}
there=$(cat "$folder/{BUILD}" 2>/dev/null)
[ "$there" = "$WANTED" ] || {{ echo "it answered '$said' and installed nothing"; exit 3; }}
echo "$folder"
"""

UNPACK = f"""
set -e
rm -rf ~/{UUID}
python2 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])' ~/{UUID}.pkg ~/{UUID}
echo "$HOME/{UUID}"
"""

FIND = f"""
for folder in ~/{UUID} ~/.local/share/PackageManager/apps/{UUID}; do
  [ -f "$folder/__main__.py" ] && {{ echo "$folder"; exit 0; }}
done
exit 3
"""

START_SERVICE = f"""
for name in {UUID}.{SERVICE} {SERVICE}; do
  if qicli call ALServiceManager.startService $name >/dev/null 2>&1; then
    sleep {SETTLE_S:g}
    case "$(qicli call ALServiceManager.isServiceRunning $name 2>&1)" in *[Tt]rue*) echo $name; exit 0;; esac
  fi
done
exit 3
"""

START_BY_HAND = f"""
nohup python2 "$FOLDER" >~/{UUID}.log 2>&1 </dev/null &
echo $! >~/{UUID}.pid
sleep {SETTLE_S:g}
tail -n 5 ~/{UUID}.log
kill -0 "$(cat ~/{UUID}.pid)"
"""


Say = Callable[[str], None]


class DeployError(RuntimeError):
    """A step failed for good; the text is a sentence with what to do."""


class Said(NamedTuple):
    """What a script on the robot came to."""

    code: int
    text: str


class Robot:
    """A NAO that ssh reaches, usable as a context manager.

    identity      an ssh key, or None where a person types the password
    known_hosts   where its ssh key is kept: taken at first sight, refused when it has changed
    say           is told every step, in a sentence
    """

    def __init__(self, address: str, user: str, port: int, identity: str | None, known_hosts: Path, say: Say):
        self._address, self._user, self._port = address, user, port
        self._say = say
        self._folder = tempfile.TemporaryDirectory(prefix="nao-")
        shared = ("ControlMaster=auto", f"ControlPath={self._folder.name}/ssh", "ControlPersist=60")
        trust = (f"UserKnownHostsFile={known_hosts.resolve()}", "StrictHostKeyChecking=accept-new")
        # An old NAO has no newer kind of key than ssh-rsa.
        options = (*shared, *trust, "HostKeyAlgorithms=+ssh-rsa", f"ConnectTimeout={REACH_S:.0f}")
        self._ssh = ["ssh", "-p", str(port), *(word for option in options for word in ("-o", option))]
        self._ssh += ["-i", identity, "-o", "BatchMode=yes"] if identity else []
        self._ssh += [f"{user}@{address}"]

    def __enter__(self) -> "Robot":
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*self._ssh[:-1], "-O", "exit", self._ssh[-1]], capture_output=True)
        self._folder.cleanup()

    def pc_address(self) -> str:
        """This PC's own address on the way to the robot."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
                way.connect((self._address, NAOQI_PORT))  # sends nothing: it asks for the way
                return way.getsockname()[0]
        except OSError as error:
            raise DeployError(
                f"{self._address} cannot be reached ({error.strerror or error}); is it the robot's address? "
                "The robot says it when its chest button is pressed once."
            ) from None

    def pair(self, pc: str, folder: str | None = None) -> str:
        """Tell the app in `folder`, or where it is found, the PC's public key; gives the robot's.

        Raises DeployError.
        """
        if folder is None:
            self._reach()
            said = self._run(FIND)
            if said.code:
                raise DeployError("there is no app on this robot yet: deploy brings it, and pairs it too.")
            folder = last_line(said.text)
        said = self._run(f'python2 "{folder}" --pair {pc}')
        key = re.search(r"[0-9a-f]{64}", said.text)
        if said.code or not key:
            raise DeployError(f"the robot could not be paired: {last_line(said.text)}")
        return key[0]

    def deploy(self, package: Path, bits: int | None, server: str, pair: Callable[[str], None]) -> bool:
        """Install and start `package`, made for a Python of so many bits; whether it runs.

        pair   is called with the folder that it is in, before it is started
        Raises DeployError where it cannot be installed.
        """
        self._reach()
        self._examine_python(bits)
        self._copy(package)
        if "stopped" in self._run(STOP).text:
            self._say("The copy that ran there before is stopped.")
        folder, by_naoqi = self._install(build_of(package))
        pair(folder)
        self._let_the_doctor_look(folder)
        return self._start(folder, by_naoqi, server)

    def _reach(self) -> None:
        try:
            socket.create_connection((self._address, self._port), REACH_S).close()
        except OSError as error:
            raise DeployError(
                f"nothing answers at {self._address} port {self._port} ({error.strerror or error}); is the "
                "robot on, in the same network, and is this its address?"
            ) from None
        said = self._run("echo hello")
        if said.code:
            raise DeployError(f"ssh could not log in as {self._user}: {last_line(said.text)}")
        self._say(f"{self._address} answers, and {self._user} is logged in.")

    def _examine_python(self, wanted_bits: int | None) -> None:
        said = self._run(PYTHON)
        words = last_line(said.text).split(None, 3)
        if said.code or len(words) < 4 or not words[0].startswith("2.7."):
            raise DeployError(
                f"the robot's python2 is no Python 2.7: {last_line(said.text)} Is this a NAO V5 or V6?"
            )
        release, bits, widest, has = words
        if widest != "10ffff":
            raise DeployError(
                f"the robot's Python {release} keeps narrow characters; pyzmq's wheel needs the wide ones."
            )
        if has != "qi":
            raise DeployError(f"the robot's Python {release} has {has}; NAOqi's own Python is needed.")
        if wanted_bits not in (None, int(bits)):
            raise DeployError(
                f"the robot's Python {release} has {bits} bits and the package is for {wanted_bits}; give "
                "--machine i686 for 32, x86_64 for 64."
            )
        self._say(f"Its Python is {release} with {bits} bits, with qi.")

    def _copy(self, package: Path) -> None:
        began_s = time.monotonic()
        said = self._run(f"cat >~/{UUID}.pkg", package.read_bytes())
        if said.code:
            raise DeployError(
                f"the package could not be copied: {last_line(said.text)} Is the robot's disk full?"
            )
        took_s = time.monotonic() - began_s
        self._say(f"{package.name} ({package.stat().st_size / 1e6:.1f} MB) is copied, in {took_s:.1f} s.")

    def _install(self, build: str) -> tuple[str, bool]:
        """(folder on the robot, whether NAOqi's PackageManager did it)."""
        said = self._run(f"WANTED={build}\n{INSTALL}")
        if said.code == 0:
            self._say(f"NAOqi's PackageManager has installed it in {last_line(said.text)}.")
            return last_line(said.text), True
        why = last_line(said.text)
        said = self._run(UNPACK)
        if said.code:
            raise DeployError(f"the package could not be unpacked: {last_line(said.text)}")
        self._say(f"PackageManager was no help ({why}), so it is unpacked in {last_line(said.text)}.")
        return last_line(said.text), False

    def _let_the_doctor_look(self, folder: str) -> None:
        said = self._run(f'python2 "{folder}" --doctor')
        self._say("The doctor on the robot says:")
        self._say("\n".join("  " + line for line in said.text.splitlines()))

    def _start(self, folder: str, by_naoqi: bool, server: str) -> bool:
        said = self._run(START_SERVICE) if by_naoqi else Said(3, "")
        if said.code == 0:
            name = last_line(said.text)
            self._say(f"It runs, as NAOqi's service {name}, and asks {server}.")
            self._say(f"To stop it: ssh {self._ssh[-1]} qicli call ALServiceManager.stopService {name}")
            return True
        if by_naoqi:
            self._say("ALServiceManager did not start it, so it is started by hand.")
        said = self._run(f'FOLDER="{folder}"\n{START_BY_HAND}')
        if said.code:
            self._say(f"It did not start; it said:\n{said.text}")
            return False
        self._say(f"It runs and asks {server}; what it says goes to ~/{UUID}.log on the robot.")
        self._say(f"To stop it: ssh {self._ssh[-1]} 'kill $(cat {UUID}.pid)'")
        return True

    def _run(self, script: str, stdin: bytes | None = None) -> Said:
        """Run a shell script on the robot, or a command that takes `stdin`; all it printed comes back."""
        words = [*self._ssh, script] if stdin is not None else [*self._ssh, "sh", "-s"]
        whole = f"{{\n{script}\n}} </dev/null\n"  # read to its end before it begins: no step eats the next one
        try:
            done = subprocess.run(
                words,
                input=whole.encode() if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=STEP_S,
            )
        except FileNotFoundError:
            raise DeployError("there is no ssh on this PC; install an OpenSSH client.") from None
        except subprocess.TimeoutExpired:
            raise DeployError(f"a step on the robot has not ended after {STEP_S:g} s.") from None
        return Said(done.returncode, done.stdout.decode("utf-8", "replace").strip())


def build_of(package: Path) -> str:
    """The fingerprint that a package bears."""
    with zipfile.ZipFile(package) as archive:
        return archive.read(BUILD).decode()


def last_line(text: str) -> str:
    """The last line of what a program said, as a sentence."""
    return text.strip().splitlines()[-1].strip() if text.strip() else "it said nothing."
