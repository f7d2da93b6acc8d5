"""The Ray Serve application: replicas that read frames and keep nothing between two of them.

Why Serve, and not an actor for each robot: where a robot's faces were travels with its frames, so a replica
may read anybody's. Then Serve's own means do what is needed: it sends a frame where the fewest wait, adds
replicas under load, replaces dead ones, and refuses what would wait too long. An actor for each robot would
tie a robot to one process, and lose its faces with it.

Batches   frames of different robots that wait at a replica are read in one go: their faces go through the
          network together. A frame never waits for others to come.
Config    `build` makes the application, also for a file of Serve: import_path inference_server.ray_reader:build
It knows no sockets and no front door. Whoever imports this file has Ray installed.
"""

import asyncio
import logging

from ray import serve

from config import settings
from config.contract import ContractError, decode_frame, encode_reading, refusal
from config.settings import ReaderSettings

log = logging.getLogger("inference_server")

WAITING = 2  # batches at a replica: one being read, one next
QUEUED = 16  # frames that wait for any replica, of one front door; those beyond are answered "busy"
HEALTH_S = 1.0  # between two looks whether a replica lives
BUSY_FOR_EACH = 1.0  # frames at a replica, beyond which another is started, where more are allowed

Ask = tuple[str, float, bytes, bytes, bytes, bytes]  # robot_id, came_s, memory, version, header, image


class FaceReader:
    """One replica: a Reader, on one core."""

    def __init__(self, reader: dict, batch: int):
        from inference_server.runtime import open_reader

        self._chosen = ReaderSettings(**reader)
        self._reader = open_reader(self._chosen)
        self.read.set_max_batch_size(batch)

    def about(self) -> dict:
        """{"model", "runtime", "reader": its settings}"""
        chosen = self._chosen.model_dump(mode="json")
        return {"model": self._reader.model, "runtime": self._reader.runtime, "reader": chosen}

    def check_health(self) -> None:
        """That it answers at all is its health."""

    @serve.batch(batch_wait_timeout_s=0.0)
    async def read(self, asks: list[Ask]) -> list[list[bytes]]:
        """For each frame [memory, version, header]; Serve calls it with what waits."""
        return await asyncio.to_thread(read_all, self._reader, asks)


def read_all(reader, asks: list[Ask]) -> list[list[bytes]]:
    """The same, without Serve: a fault of ours is an answer with an error, and spoils no other frame."""
    from inference_server.reader import Asked

    asked = [Asked(decode_frame(list(parts)), who, came_s, memory) for who, came_s, memory, *parts in asks]
    try:
        answers = reader.read_many(asked)
    except Exception:
        if len(asks) > 1:
            return [one for ask in asks for one in read_all(reader, [ask])]
        log.exception("server: reading a frame of %s failed", asked[0].robot_id)
        fault = ContractError("internal", "the PC failed while reading this frame; its log says why.")
        answers = [(refusal(fault, asked[0].frame.seq, asked[0].frame.taken_s), asked[0].memory)]
    return [[memory, *encode_reading(reading)] for reading, memory in answers]


def build(args: dict) -> serve.Application:
    """The application. args: keys of the settings' section `ray` and, as "reader", of that; each may lack."""
    known = settings.load()
    reader = known.reader.model_dump() | args.get("reader", {})
    ray = known.ray.model_dump() | {key: value for key, value in args.items() if key != "reader"}
    many = {"num_replicas": ray["replicas"]}
    if (ray["most_replicas"] or 0) > ray["replicas"]:
        scale = {"min_replicas": ray["replicas"], "max_replicas": ray["most_replicas"]}
        many = {"autoscaling_config": {**scale, "target_ongoing_requests": BUSY_FOR_EACH}}
    deployment = serve.deployment(
        FaceReader,
        max_ongoing_requests=WAITING * ray["batch"],
        max_queued_requests=QUEUED,
        health_check_period_s=HEALTH_S,
        graceful_shutdown_timeout_s=HEALTH_S,
        ray_actor_options={"num_cpus": 1},
        logging_config={"log_level": "WARNING", "enable_access_log": False},  # no line for each frame
        **many,
    )
    return deployment.bind(reader, ray["batch"])
