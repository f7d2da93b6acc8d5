"""Settings: YAML in, checked and frozen values out, every flaw named at once with file and line.

What each key means stands in default.yaml, beside its default; this file only says what is allowed. It
runs on the PC alone: a robot gets the checked values as JSON (see robot.py).
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config import careful_yaml
from config.contract import EMOTIONS, MAX_NAME

DEFAULT = Path(__file__).with_name("default.yaml")
SHORT = {"model": "reader.model"}  # what --set also understands

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Addresses = Annotated[str, Field(pattern=r"^tcp://[^\s/,]+:\d{1,5}(,tcp://[^\s/,]+:\d{1,5}){0,7}$")]
Emotion = Literal[EMOTIONS]
Policy = Literal["mirror", "empathy"]


class SettingsError(ValueError):
    """The settings cannot be used; the text lists every flaw, one a line."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    listen: Annotated[str, Field(pattern=r"^tcp://[^\s/]+:(\d{1,5}|\*)$")]
    backend: Literal["workers", "ray", "kserve"]
    metrics: Annotated[str, Field(pattern=r"^[^\s/]+:\d{1,5}$")] | None
    workers: Annotated[int, Field(ge=1, le=64)] | None
    keys: str | None
    plain: bool


class RaySettings(Section):
    address: str | None
    app: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    replicas: Annotated[int, Field(ge=1, le=4096)]
    most_replicas: Annotated[int, Field(ge=1, le=4096)] | None
    batch: Annotated[int, Field(ge=1, le=64)]


class KServeSettings(Section):
    address: Annotated[str, Field(pattern=r"^[^\s/:]+:\d{1,5}$")]
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$")] | None
    deadline_s: Annotated[float, Field(ge=0.01, le=1)]


class MonitorSettings(Section):
    host: str
    port: Annotated[int, Field(ge=0, le=65535)]


class ReaderSettings(Section):
    model: str
    runtime: Literal["auto", "onnxruntime", "openvino"]
    min_face_px: Annotated[int, Field(ge=20, le=400)]
    thresholds: Literal["thorough", "reference", "fast"]
    find_within_s: Annotated[float, Field(gt=0, le=10)]
    attend: Literal["nearest", "central", "first", "held"]
    crop_margin: Annotated[float, Field(ge=0.5, le=2)] | None
    dark_below: Annotated[float, Field(ge=0, le=255)]
    small_below_px: Annotated[float, Field(ge=0, le=1000)]
    profile_above: Annotated[float, Field(ge=0, le=10)]
    blurred_below: Annotated[float, Field(ge=0, le=10)]
    unsure_below: Share | None


class RobotSettings(Section):
    server: Addresses
    robot: str
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    camera: Literal["top", "bottom"]
    resolution: Literal["vga", "qvga", "qqvga"]
    fps: Annotated[int, Field(ge=1, le=30)]
    jpeg_quality: Annotated[int, Field(ge=1, le=100)]
    in_flight: Annotated[int, Field(ge=1, le=4)]
    max_age_s: Seconds
    silence_s: Annotated[float, Field(ge=0.2, le=60)]
    language: str
    volume: Share | None
    life: Literal["keep", "pause", "off"]
    naoqi_faces: bool
    when_silent: Literal["finish", "stop"]
    keys: str | None
    plain: bool


class MoodSettings(Section):
    smooth_s: Seconds
    enter: Share
    leave: Share
    dwell_s: Seconds
    absent_s: Seconds

    @model_validator(mode="after")
    def _leave_below_enter(self) -> "MoodSettings":
        if self.leave > self.enter:
            raise ValueError(f"'leave' ({self.leave:g}) must not lie above 'enter' ({self.enter:g})")
        return self


class ReactionSettings(Section):
    cool_down_s: Seconds
    between_s: Seconds
    ignore: tuple[Emotion, ...]
    policy: Policy
    override: dict[Emotion, Policy | tuple[str, ...]]
    full_at: Share
    builtin: bool
    seed: Annotated[int, Field(ge=0, le=1_000_000)]


class MusicSettings(Section):
    player: Literal["off", "robot", "page"]
    folder: str
    after_s: Seconds
    fade_s: Seconds
    volume: Share


class RecordSettings(Section):
    from_start: bool
    folder: str
    purpose: str
    images: bool
    consent: str
    min_free_mb: Annotated[int, Field(ge=1, le=1_000_000)]

    @model_validator(mode="after")
    def _said_why_and_agreed(self) -> "RecordSettings":
        if self.images and not self.consent.strip():
            raise ValueError("'images' needs 'consent': who agreed to pictures, when, and for what")
        if self.from_start and not self.purpose.strip():
            raise ValueError("'from_start' needs 'purpose': what the recording is for")
        return self


class LslSettings(Section):
    send: bool


class Settings(Section):
    """All settings; each section is read by the end that default.yaml names."""

    server: ServerSettings
    ray: RaySettings
    kserve: KServeSettings
    monitor: MonitorSettings
    reader: ReaderSettings
    robot: RobotSettings
    mood: MoodSettings
    reactions: ReactionSettings
    music: MusicSettings
    record: RecordSettings
    lsl: LslSettings


def load(path: str | Path | None = None, overrides: Iterable[str] = ()) -> Settings:
    """default.yaml, then the file at `path` over it, then `section.key=value` items over both.

    Raises SettingsError with every flaw, each with file and line (or the override) it stands in.
    """
    table, places = _read(DEFAULT)
    if path is not None:
        _lay_over(table, places, *_read(Path(path)))
    for item in overrides:
        _lay_over(table, places, *_from_override(item))
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        flaws = [_sentence(flaw, places) for flaw in error.errors()]
        raise SettingsError("\n".join(flaws)) from None


def _read(path: Path) -> tuple[dict, dict]:
    """A YAML file as plain dicts, and for every (section, key) the file and line it stands in."""
    try:
        text = careful_yaml.read(path)
    except (OSError, ValueError) as error:
        raise SettingsError(f"settings: {path} cannot be read: {error}.") from None
    try:
        table = careful_yaml.load(text) or {}
    except YAMLError as error:
        raise SettingsError(f"settings: {path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(table, Mapping):
        raise SettingsError(f"settings: {path} must hold sections with keys, as default.yaml does.")
    plain, places = {}, {}
    for section, body in table.items():
        places[(section,)] = f"{path}:{table.lc.key(section)[0] + 1}"
        if not isinstance(body, Mapping):
            plain[section] = body
            continue
        plain[section] = dict(body)
        for key in body:
            places[(section, key)] = f"{path}:{body.lc.key(key)[0] + 1}"
    return plain, places


def _from_override(item: str) -> tuple[dict, dict]:
    name, equals, text = item.partition("=")
    section, dot, key = SHORT.get(name.strip(), name.strip()).partition(".")
    if not (equals and dot and key):
        raise SettingsError(f"--set needs section.key=value, as in reader.model=xrs-fer2013; {item!r} came.")
    try:
        value = YAML(typ="safe").load(text)
    except YAMLError:
        raise SettingsError(f"--set {item}: the value is not YAML.") from None
    return {section: {key: value}}, {(section,): f"--set {item}", (section, key): f"--set {item}"}


def _lay_over(table: dict, places: dict, more: dict, more_places: dict) -> None:
    for section, body in more.items():
        if isinstance(body, dict) and isinstance(table.get(section), dict):
            table[section].update(body)
        else:
            table[section] = body
    places.update(more_places)


def _sentence(flaw: dict, places: dict) -> str:
    """One flaw as `where: what is needed; what came`."""
    loc = tuple(str(part) for part in flaw["loc"])
    place = places.get(loc[:2]) or places.get(loc[:1]) or str(DEFAULT)
    name = ".".join(loc)
    if flaw["type"] == "extra_forbidden":
        model = Settings if len(loc) == 1 else Settings.model_fields[loc[0]].annotation
        near = difflib.get_close_matches(loc[-1], model.model_fields, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(model.model_fields)}."
        return f"{place}: there is no setting {name!r}{hint}"
    message = flaw["msg"][0].lower() + flaw["msg"][1:]
    return f"{place}: {name}: {message}; {flaw['input']!r} came."
