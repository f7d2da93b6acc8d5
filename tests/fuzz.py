"""Rubbish for all that reads what others wrote, until it breaks: python -m tests.fuzz MINUTES [TARGET]

Each target runs in a process of its own for its share of the time, guided by which lines it reaches (atheris).
A target may refuse with its own error and nothing else; what breaks it is left in build/fuzz as crash-*. At the
end it says how often each was run and what broke. `make test` holds the same laws with hypothesis, in seconds.
"""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[1]
OUT = HERE / "build" / "fuzz"


def frame_header(data: bytes) -> None:
    from config import contract

    try:
        contract.decode_frame([contract.VERSION, data, b"\xff\xd8"])
        contract.decode_reading([contract.VERSION, data])
    except contract.ContractError:
        pass


def message(data: bytes) -> None:
    from config import contract

    parts = data.split(b"\x00\x01")[:5]
    for decode in (contract.decode_frame, contract.decode_reading):
        try:
            decode(parts)
        except contract.ContractError:
            pass


def image(data: bytes) -> None:
    from config.contract import ContractError, Frame
    from inference_server.decode import decode

    width, height = (data[0] % 64 + 1, data[1] % 64 + 1) if len(data) > 1 else (1, 1)
    try:
        decode(Frame(1, 0.0, width, height, "jpeg", "", None, None, None, data[2:]))
    except ContractError:
        pass


def jpeg_header(data: bytes) -> None:
    from config.contract import ContractError
    from inference_server.decode import jpeg_size

    try:
        jpeg_size(b"\xff\xd8" + data)
    except ContractError:
        pass


def settings(data: bytes) -> None:
    from config import settings

    path = OUT / f"{os.getpid()}.yaml"
    path.write_bytes(data)
    try:
        settings.load(path)
    except settings.SettingsError:
        pass


def sheet(data: bytes) -> None:
    from behaviors import sheets
    from behaviors.keyframes import BehaviorError

    path = OUT / f"{os.getpid()}.yaml"
    path.write_bytes(data)
    try:
        sheets.read_sheet(path)
    except BehaviorError:
        pass


TARGETS = {target.__name__: target for target in (frame_header, message, image, jpeg_header, settings, sheet)}
MODULES = ("config", "behaviors", "inference_server.decode")  # whose lines guide it


def seeds(target: str) -> list[bytes]:
    """What it begins with: good ones, from the tests' and the project's own files."""
    golden = [path.read_bytes() for path in (HERE / "tests" / "data" / "golden").glob("*.bin")]
    if target in ("frame_header", "message"):
        return golden + [part for data in golden for part in re.findall(rb"\{.*\}", data)]
    if target in ("image", "jpeg_header"):
        return [data[data.index(b"\xff\xd8") :] for data in golden if b"\xff\xd8" in data]
    if target == "settings":
        return [(HERE / "config" / "default.yaml").read_bytes()]
    return [path.read_bytes() for path in sorted((HERE / "behaviors").rglob("nod.yaml"))]


def fuzz(target: str, seconds: int) -> None:
    """Run one target; ends the process."""
    import atheris

    with atheris.instrument_imports(include=[*MODULES]):
        for module in ("config.contract", "config.settings", "behaviors.sheets", "inference_server.decode"):
            importlib.import_module(module)
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (folder / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-max_len=4096", f"-artifact_prefix={OUT}/{target}-"]
    atheris.Setup([sys.argv[0], str(folder), "-print_final_stats=1", *limits], TARGETS[target])
    atheris.Fuzz()


def main() -> None:
    minutes, names = float(sys.argv[1]), sys.argv[2:] or list(TARGETS)
    OUT.mkdir(parents=True, exist_ok=True)
    seconds, total, broke = max(1, int(minutes * 60 / len(names))), 0, []
    for name in names:
        program = [sys.executable, "-c", f"from tests.fuzz import fuzz; fuzz({name!r}, {seconds})"]
        done = subprocess.run(program, cwd=HERE, capture_output=True, text=True)
        found = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
        count = int(found[1]) if found else 0
        total += count
        ended = "" if found and not done.returncode else "  BROKE"
        print(f"{name:<14} {count:>12,} executions in {seconds} s{ended}", flush=True)
        if done.returncode or not found:
            broke.append(name)
            print("\n".join(done.stderr.splitlines()[-25:]))
    print(f"{total:,} executions; broke: {', '.join(broke) or 'nothing'}")
    sys.exit(1 if broke else 0)


if __name__ == "__main__":
    main()
