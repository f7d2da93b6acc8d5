"""Between the front door and Ray Serve: frames come in by ZeroMQ, go to a replica, and answers go back.

    python -m inference_server.ray_bridge ipc:///tmp/nao-emotion-x/1      only the server starts it

Words    stdin    first line: {"reader": its settings, "ray": its settings}; its end ends the bridge
         stdout   one word, as JSON: {"model", "runtime"} when replicas answer, or {"failed": why they cannot}
Wire     as ray_front.py says. What is here is the handle of the application, and nothing of any robot.
Cluster  that at ray.address; where there is none, one of this machine, which ends with the bridge. Usage
         statistics are off. Bytes and texts go to the replicas, and come back; Ray carries them in its own way.
"""

import asyncio
import json
import logging
import os
import secrets
import sys

import zmq
import zmq.asyncio

from config.settings import RaySettings, ReaderSettings
from inference_server.ray_front import BUSY, LOST, READ, RayError
from inference_server.workers import cores

GIVE_UP_S = 20.0  # for an answer of one replica; the front door has long had the frame read elsewhere
TRIES = 3  # for one frame, each at another replica where one has died
STORE_BYTES = 128 * 1024 * 1024  # of a cluster of our own; frames are too small to need it
FAILED = 2
GONE = ("NOT_STARTED", "DEPLOY_FAILED", "DELETING")  # states of an application that will not come up by itself
UP_S = 120.0  # for a replica to be there
CHOSEN = {  # of Ray's own settings, where nobody else has chosen
    "RAY_raylet_start_wait_time_s": f"{UP_S:.0f}",  # on a busy machine; else Ray gives up after half a minute
    "RAY_agent_register_timeout_ms": f"{UP_S * 1e3:.0f}",
}
log = logging.getLogger("inference_server")


def main() -> None:
    """Reach the application that stdin describes, say so, and carry frames until stdin ends."""
    logging.basicConfig(format="%(message)s", level="WARNING")
    words = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever Ray prints is no word to the server
    told = json.loads(sys.stdin.readline())
    reader, chosen = ReaderSettings(**told["reader"]), RaySettings(**told["ray"])
    try:
        handle, about = connect(reader, chosen)
    except RayError as error:
        os.write(words, json.dumps({"failed": str(error)}).encode())
        sys.exit(FAILED)
    asyncio.run(carry(handle, sys.argv[1], lambda: os.write(words, json.dumps(about).encode())))
    import ray

    ray.shutdown()


def connect(reader: ReaderSettings, chosen: RaySettings):
    """The application's handle, and {"model", "runtime"}; begun where it is not there. Raises RayError."""
    most = max(chosen.most_replicas or 0, chosen.replicas)
    reach(chosen.address, max(cores(), most) + 1)
    import ray

    handle, about = open_app(reader, chosen)
    if about["reader"] != reader.model_dump(mode="json"):
        raise RayError(
            f"the cluster's application {chosen.app!r} reads with other settings ({about['model']}); end it "
            f"with `serve delete {chosen.app}`, or give another name as ray.app."
        )
    replicas = f"{chosen.replicas}" + (f" to {most}" if most > chosen.replicas else "")
    runtime = f"{about['runtime']}, Ray {ray.__version__}, {replicas} replica{'s' * (most > 1)}"
    return handle, {"model": about["model"], "runtime": runtime}


def reach(address: str | None, room: int) -> None:
    """Have Ray connect to the cluster, or begin one of this machine with so many cores. Raises RayError."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    for name, value in CHOSEN.items():
        os.environ.setdefault(name, value)
    if address is None:  # nobody else is to reach a cluster of our own
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    own = {"num_cpus": room, "object_store_memory": STORE_BYTES, "include_dashboard": False}
    import ray

    try:
        ray.init(address, **quiet) if address else ray.init("local", **own, **quiet)
    except Exception as error:  # of many kinds, by how it cannot be reached
        where = address or "a cluster of this machine"
        raise RayError(
            f"{where} cannot be reached ({_short(error)}); is it up? `ray status` says so."
        ) from None
    logging.getLogger("ray").setLevel("ERROR")
    logging.getLogger("ray.serve").setLevel("ERROR")


def open_app(reader: ReaderSettings, chosen: RaySettings):
    """The handle of the application, and what its replicas say of themselves. Raises RayError."""
    from ray import serve

    from inference_server import ray_reader

    try:
        serve.start(proxy_location="Disabled", logging_config={"log_level": "ERROR"})
        there = serve.status().applications.get(chosen.app)
        if there and there.status not in GONE:
            handle = serve.get_app_handle(chosen.app)
        else:
            app = ray_reader.build({"reader": reader.model_dump(), **chosen.model_dump()})
            target = serve.RunTarget(app, name=chosen.app, route_prefix=None)
            (handle,) = serve.run_many([target], wait_for_applications_running=False)  # one replica is enough
        return handle, handle.about.remote().result(timeout_s=UP_S)
    except Exception as error:  # also whatever a replica raises when it cannot begin
        raise RayError(f"the application {chosen.app!r} did not come up ({_short(error)}).") from None


def _short(error: Exception) -> str:
    """An error's first line, for people."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


async def carry(handle, address: str, begun) -> None:
    """Answer what comes at `address` until stdin ends; begun() is called when it may come."""
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    context = zmq.asyncio.Context()
    socket = context.socket(zmq.DEALER)
    socket.bind(address)
    loop.add_reader(sys.stdin.fileno(), over.set)
    begun()
    asking: set[asyncio.Task] = set()
    ended = asyncio.ensure_future(over.wait())
    while not over.is_set():
        coming = asyncio.ensure_future(socket.recv_multipart())
        await asyncio.wait([coming, ended], return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            break
        one = asyncio.create_task(answer(handle, socket, coming.result()))
        asking.add(one)
        one.add_done_callback(asking.discard)
    for one in asking:
        one.cancel()
    socket.close(linger=0)
    context.term()


async def answer(handle, socket, message: list[bytes]) -> None:
    """Have one frame read, by another replica where the first has died."""
    from ray.serve.exceptions import BackPressureError

    robot_id, came_s, *rest = message
    answered = [LOST]
    for _ in range(TRIES):
        try:
            reading = handle.read.remote((robot_id.decode(), float(came_s), *rest))
            answered = [READ, *await asyncio.wait_for(reading, GIVE_UP_S)]
            break
        except BackPressureError:
            answered = [BUSY]
            break
        except Exception as error:  # Ray's own, and whatever a replica raises
            log.warning("server: Ray could not read a frame of %s: %s", robot_id.decode(), type(error).__name__)
    await socket.send_multipart([robot_id, *answered])


if __name__ == "__main__":
    main()
