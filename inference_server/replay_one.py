"""One source replayed, whatever it is: opens the network and the source that the settings describe, and reads.

Films, images, folders and webcams go through replay.replay, sessions through replay_session. It decides which;
it reads no picture itself.
"""

from collections.abc import Callable
from pathlib import Path

from config import settings
from config.contract import EMOTIONS
from inference_server import replay_session
from inference_server.film import open_source
from inference_server.findings import Findings
from inference_server.replay import Summary, replay, write
from inference_server.session import is_session
from models import zoo


def settings_for(source: Path, config: Path | None, overrides: list[str]) -> settings.Settings:
    """Of a session those it was recorded with, unless a file of settings is given; raises SettingsError."""
    recorded = replay_session.settings_of(source) if is_session(source) and config is None else []
    return settings.load(config, [*recorded, *overrides])


def replay_one(
    source: Path,
    out: Path,
    options: dict,
    on_frame: Callable[[int], None] = lambda count: None,
    on_count: Callable[[int | None], None] = lambda count: None,
) -> Summary:
    """Replay `source` into the folder `out`.

    options   config, overrides, rate, robot, and film, parquet, seconds as for replay.write
    on_count  hears how many pictures there are, None where that is not known
    Raises FilmError, FormError, SessionError, SettingsError and those of opening a network.
    """
    chosen = settings_for(source, options["config"], options["overrides"])
    mood = chosen.mood.model_dump()
    how = {key: options[key] for key in ("film", "parquet", "seconds")}
    if not is_session(source):
        pictures = open_source(source, options["rate"], colour=options["film"])
        on_count(pictures.count)
        card = zoo.read_card(chosen.reader.model)
        return replay(pictures, source.name, _open(chosen), mood, out, on_frame, card=card, **how)
    on_count(None)
    pictures = replay_session.has_pictures(source)
    model = chosen.reader.model if pictures else replay_session.model_of(source)
    summary = Summary(Findings(source.name, model))
    reader = _open(chosen) if pictures else None
    card = zoo.read_card(model) if model in zoo.names() else None
    readings = replay_session.readings(source, reader, summary, options["robot"])
    return write(readings, summary, mood, out, on_frame, card=card, **how)


def figures(source: Path, out: Path, options: dict) -> dict:
    """The same for many sources: a row of replay_many.FIGURES."""
    found = replay_one(source, out, options).findings
    total_s = found.felt_s.total() or 1.0
    row = {"source": str(source), "seconds": round(found.seconds, 3), "pictures": found.frames}
    row |= {"with_face": found.with_face, "episodes": len(found.episodes)}
    return row | {emotion: round(found.felt_s[emotion] / total_s, 4) for emotion in EMOTIONS}


def _open(chosen):
    from inference_server.runtime import open_reader

    return open_reader(chosen.reader)
