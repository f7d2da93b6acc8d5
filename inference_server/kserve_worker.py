"""A worker (worker.py) whose faces are scored by a model server while that answers in time, else by itself.

    python -m inference_server.kserve_worker ipc:///tmp/nao-emotion-x/1      only the server starts it

Words    stdin    first line: {"reader": its settings, "kserve": its settings}
         stdout   as worker.py says; and {"kserve": ""} when the model server scores from now on, or {"kserve":
                  why} when it does not
It finds, follows and crops faces as every worker does.
"""

import json

from config.settings import KServeSettings, ReaderSettings
from inference_server import worker


def open_(line: str, say):
    """The reader of these settings; say(kserve=...) is called by a thread of its own."""
    from inference_server.kserve import Asker, Client
    from inference_server.runtime import open_reader
    from models import zoo

    told = json.loads(line)
    reader, chosen = ReaderSettings(**told["reader"]), KServeSettings(**told["kserve"])
    client = Client(chosen, chosen.model or reader.model, zoo.read_card(reader.model))
    asker = Asker(client, lambda why: say(kserve=why))
    opened = open_reader(reader, asker)
    opened.runtime += f", or {client.where}"
    return opened


if __name__ == "__main__":
    worker.main(open_)
