"""Scores by a model server that speaks the KServe v2 protocol (gRPC), as Triton does; and what without it.

Client   one server, one network in it. It is used once it has proved itself: ready, with the inputs and outputs
         that the zoo promises, and saying of the drawn face (models/golden.py) what the network's card says.
Away     from an answer that is late, missing or wrong until it has proved itself anew. In between the network
         of this PC scores, and nobody waits; a thread of its own looks whether the server is back.
Wrong    what is not finite or of another shape is no reading, and is told as such.
Why gRPC, and tritonclient: its deadline holds for a whole call (a socket's only for each of its pieces), any
number of threads may use it, it connects again by itself, and raw tensors belong to that form of the protocol.
It remembers no face, and sends nothing but crops and the drawn face.
"""

import os
import threading
from collections.abc import Callable

import numpy as np

from config.contract import EMOTIONS, MAX_FACES, ContractError
from config.settings import KServeSettings
from models import golden
from models.crop import SIDE_PX

WANTED = {  # tensor: what the network says of it, beside how many faces
    "faces": ("FP32", (1, SIDE_PX, SIDE_PX)),
    "scores": ("FP32", (len(EMOTIONS),)),
}
QUICK_S = 1.0  # for a question about the server itself, and so for how long nobody is told of its silence
LOOK_S = 1.0  # between two looks whether it is back
CHANNEL = {  # of gRPC's own settings
    "grpc.enable_http_proxy": 0,
    "grpc.min_reconnect_backoff_ms": 1000,  # how long one try to connect may take
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
}


class KServeError(ValueError):
    """The model server cannot be used; the sentence says why and what to do."""


class UnansweredError(KServeError):
    """It has not answered in time, cannot be reached, or says that it cannot answer."""


class Client:
    """One network of one server.

    name    the network there
    card    of our own network, whose golden scores it must give
    """

    def __init__(self, chosen: KServeSettings, name: str, card: dict):
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it tells of each try to connect
        from tritonclient import grpc

        self._grpc = grpc
        self._client = grpc.InferenceServerClient(chosen.address, channel_args=list(CHANNEL.items()))
        self._deadline_s = chosen.deadline_s
        self._name = name
        self._card = card
        self.where = f"the model server at {chosen.address}"

    def scores(self, faces: np.ndarray, within_s: float | None = None) -> np.ndarray:
        """(N, 7) float32 of `faces` (N, 1, 48, 48) float32, N >= 1.

        Raises UnansweredError, also after the deadline, or within_s; KServeError where the answer is wrong.
        """
        within_s = within_s or self._deadline_s
        asked = self._grpc.InferInput("faces", list(faces.shape), "FP32")
        asked.set_data_from_numpy(faces)
        wanted = [self._grpc.InferRequestedOutput("scores")]
        answer = self._call("infer", within_s, self._name, [asked], outputs=wanted)
        try:
            scores = answer.as_numpy("scores")
        except Exception:  # of many kinds, by how its bytes do not fit what it says of them
            scores = None
        if scores is None or scores.shape != (len(faces), len(EMOTIONS)) or scores.dtype != np.float32:
            came = "no such tensor" if scores is None else f"{scores.dtype} {scores.shape}"
            raise KServeError(
                f"{self.where} must give scores, float32 {(len(faces), len(EMOTIONS))}; {came} came."
            )
        if not np.isfinite(scores).all():
            raise KServeError(f"{self.where} gave numbers that are not finite.")
        return scores

    def check(self) -> None:
        """Have it prove itself. Raises UnansweredError, KServeError."""
        if not self._call("is_server_ready", QUICK_S):
            raise UnansweredError(f"{self.where} is not ready.")
        if not self._call("is_model_ready", QUICK_S, self._name):
            raise KServeError(
                f"{self.where} has no network {self._name!r} that is ready; put it there, or give its name as "
                "kserve.model."
            )
        known = self._call("get_model_metadata", QUICK_S, self._name)
        for kind, tensors in (("faces", known.inputs), ("scores", known.outputs)):
            self._check_tensor(kind, tensors)
        many = np.repeat(golden.face(), MAX_FACES, axis=0)  # as many as a picture may have
        off = golden.differs(self.scores(many, QUICK_S), self._card)  # its first answers may be slow
        if off is not None:
            raise KServeError(
                f"{self.where} says something else of the drawn face than the card of our network, by "
                f"{off:.3g}; at most {golden.TOLERANCE:g} is allowed. Its network {self._name!r} is another "
                "one: put the model.onnx of reader.model there, or choose the network that it has."
            )
        self.scores(golden.face())

    def _check_tensor(self, name: str, tensors) -> None:
        """Raises KServeError where the network has no such input or output, or needs another input too."""
        wanted, shape = WANTED[name]
        came = {tensor.name: (tensor.datatype, tuple(tensor.shape)) for tensor in tensors}
        is_fitting = name in came and came[name][0] == wanted and came[name][1][1:] == shape
        if not is_fitting or (name == "faces" and len(came) > 1):
            has = ", ".join(f"{one} {kind} {list(size)}" for one, (kind, size) in came.items()) or "nothing"
            raise KServeError(
                f"{self.where} has a network {self._name!r} that is none of ours: needed is {name} {wanted} "
                f"{[-1, *shape]}; it has {has}. Put the model.onnx of reader.model there."
            )

    def _call(self, what: str, within_s: float, *words, **more):
        """A call of the library, with its errors as ours."""
        try:
            return getattr(self._client, what)(*words, client_timeout=within_s, **more)
        except self._grpc.InferenceServerException as error:
            status, text = error.status() or "", " ".join(error.message().split())
            if "DEADLINE_EXCEEDED" in status:
                raise UnansweredError(f"{self.where} has not answered within {within_s:g} s.") from None
            if "UNAVAILABLE" in status or "CANCELLED" in status:
                raise UnansweredError(f"{self.where} cannot be reached.") from None
            raise UnansweredError(f"{self.where} answers with an error: {text}.") from None

    def close(self) -> None:
        self._client.close()


class Asker:
    """Asks a client while it can be asked, and has its return looked for meanwhile; until close().

    tell    tell(why) each time something has changed: "" it answers, else a sentence why it does not
    look_s  between two looks whether it is back

    A single late answer is told to nobody: only what a look LOOK_S later confirms.
    """

    def __init__(self, client: Client, tell: Callable[[str], None], look_s: float = LOOK_S):
        self._client = client
        self._tell = tell
        self._look_s = look_s
        self._told: str | None = None
        self._is_there = False
        self._away, self._over = threading.Event(), threading.Event()
        self._away.set()
        self._thread = threading.Thread(target=self._look_after, name="kserve", daemon=True)
        self._thread.start()

    def __call__(self, faces: np.ndarray) -> np.ndarray | None:
        """Its scores of `faces`, or None, at once or after the deadline: it has none in time.

        Raises ContractError "internal" where its answer is wrong.
        """
        if not self._is_there:
            return None
        try:
            return self._client.scores(faces)
        except UnansweredError:
            self._leave()
            return None
        except KServeError as error:
            self._leave()
            raise ContractError("internal", str(error)) from None

    def _leave(self) -> None:
        self._is_there = False
        self._away.set()

    def _look_after(self) -> None:
        """Look at once in the beginning, later LOOK_S after it was lost and then every LOOK_S."""
        while not self._over.is_set():
            try:
                self._client.check()
                why = ""
            except KServeError as error:
                why = str(error)
            if not why:
                self._away.clear()
                self._is_there = True
            if why != self._told:
                self._told = why
                self._tell(why)
            self._away.wait()
            self._over.wait(self._look_s)

    def close(self) -> None:
        self._over.set()
        self._away.set()
        self._thread.join()
        self._client.close()
