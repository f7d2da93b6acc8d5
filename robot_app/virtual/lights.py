"""ALLeds: the lamps of the robot, each with a colour that fades. It shows them to nobody; tests ask `colour`.

Eyes, chest and feet have colours, ears and the top of the head are blue. A later command takes over a lamp from
an earlier one. The times of fadeListRGB count from its beginning.
"""

from typing import NamedTuple

from .service import Refused, Service, Task, as_list, number, offered, word

COLOURS = {
    "white": 0xFFFFFF,
    "red": 0xFF0000,
    "green": 0x00FF00,
    "blue": 0x0000FF,
    "yellow": 0xFFFF00,
    "magenta": 0xFF00FF,
    "cyan": 0x00FFFF,
}

# The part of an eye that each of its eight lamps is in.
EYE_PARTS = {"Top": (0, 1, 7), "Bottom": (3, 4, 5), "External": (0, 1, 2, 3), "Internal": (4, 5, 6, 7)}


def _groups() -> dict[str, tuple[str, ...]]:
    """Names of groups, and their lamps."""
    eyes = {side: tuple(f"FaceLed{side}{n}" for n in range(8)) for side in ("Right", "Left")}
    ears = {side: tuple(f"{side}Ear{n}" for n in range(1, 11)) for side in ("Right", "Left")}
    brain = tuple(f"Brain{n}" for n in range(12))
    groups = {
        "FaceLeds": eyes["Right"] + eyes["Left"],
        "EarLeds": ears["Right"] + ears["Left"],
        "BrainLeds": brain,
        "BrainLedsFront": brain[0:4],
        "BrainLedsMiddle": brain[4:8],
        "BrainLedsBack": brain[8:12],
        "ChestLeds": ("ChestLed",),
        "FeetLeds": ("LeftFootLed", "RightFootLed"),
        "LeftFootLeds": ("LeftFootLed",),
        "RightFootLeds": ("RightFootLed",),
    }
    for side, lamps in eyes.items():
        groups[f"{side}FaceLeds"] = lamps
        groups[f"{side}EarLeds"] = ears[side]
        for part, numbers in EYE_PARTS.items():
            groups[f"FaceLeds{side}{part}"] = tuple(lamps[n] for n in numbers)
            groups[f"FaceLeds{part}"] = groups.get(f"FaceLeds{part}", ()) + groups[f"FaceLeds{side}{part}"]
    for n in range(8):
        groups[f"FaceLed{n}"] = (eyes["Right"][n], eyes["Left"][n])
    groups["AllLeds"] = tuple(lamp for name in ("FaceLeds", "EarLeds", "BrainLeds", "ChestLeds", "FeetLeds")
                              for lamp in groups[name])  # fmt: skip
    return groups


GROUPS = _groups()
BLUE_ONLY = {*GROUPS["EarLeds"], *GROUPS["BrainLeds"]}
AT_START = {lamp: 0x0000FF if "Ear" in lamp or "Brain" in lamp else 0xFFFFFF for lamp in GROUPS["AllLeds"]}


def _keys() -> dict[str, tuple[str, str]]:
    """ALMemory's keys of the lamps of eyes and ears, and (lamp, colour) of each."""
    keys = {}
    for side in ("Left", "Right"):
        for n in range(8):
            for colour in ("Red", "Green", "Blue"):
                key = f"Device/SubDeviceList/Face/Led/{colour}/{side}/{45 * n}Deg/Actuator/Value"
                keys[key] = (f"FaceLed{side}{n}", colour)
        for n in range(10):
            key = f"Device/SubDeviceList/Ears/Led/{side}/{36 * n}Deg/Actuator/Value"
            keys[key] = (f"{side}Ear{n + 1}", "Blue")
    return keys


KEYS = _keys()


class Fade(NamedTuple):
    """One lamp on its way: colours as (red, green, blue) 0..255, times in s."""

    begin: tuple
    end: tuple
    since_s: float
    duration_s: float

    def at(self, now_s: float) -> tuple:
        part = 1.0 if self.duration_s <= 0 else min(max((now_s - self.since_s) / self.duration_s, 0.0), 1.0)
        return tuple(a + part * (b - a) for a, b in zip(self.begin, self.end, strict=True))


class Leds(Service):
    """ALLeds. Colours are 0xRRGGBB, intensities 0..1, times s."""

    name = "ALLeds"

    def __init__(self, nao):
        super().__init__(nao)
        self._made = {}
        self._fades = {lamp: Fade(_rgb(c), _rgb(c), 0.0, 0.0) for lamp, c in AT_START.items()}
        self._holder = {}  # lamp: the task that last took it

    def colour(self, name: str) -> int:
        """What a group or lamp shows now, 0xRRGGBB: the mean of its lamps."""
        with self.lock:
            now = [self._fades[lamp].at(self.nao.lived_s) for lamp in self._lamps(name)]
        red, green, blue = (round(sum(c) / len(now)) for c in zip(*now, strict=True))
        return red << 16 | green << 8 | blue

    def level(self, lamp: str, colour: str) -> float:
        """How bright one colour ("Red", "Green" or "Blue") of a lamp is now, 0..1."""
        with self.lock:
            return self._fades[lamp].at(self.nao.lived_s)[("Red", "Green", "Blue").index(colour)] / 255

    def _lamps(self, name):
        groups = {**GROUPS, **self._made}
        if name in groups:
            return groups[name]
        if name in AT_START:
            return (name,)
        raise Refused(f"unknown group or lamp {name!r}; listGroups names the groups.")

    def _play(self, method, name, steps):
        """A task that takes the lamps of a group through `steps`: (colour, when it is reached, s)."""
        lamps = self._lamps(name)
        began_s = self.nao.lived_s
        task = Task(method)
        for lamp in lamps:
            self._holder[lamp] = task

        def go(colour, from_s, to_s):
            if task.how is None:
                for lamp in lamps:
                    if self._holder[lamp] is task:
                        now = self._fades[lamp].at(self.nao.lived_s)
                        self._fades[lamp] = Fade(now, _of(lamp, colour), began_s + from_s, to_s - from_s)

        before_s = 0.0
        for index, (colour, reached_s) in enumerate(steps):
            begin = (colour, before_s, max(reached_s, before_s))
            if index == 0:
                go(*begin)
            else:
                self.nao.at(began_s + before_s, lambda begin=begin: go(*begin))
            before_s = max(reached_s, before_s)
        task.when_ended(lambda task: self._freeze(task, lamps))
        self.nao.at(began_s + before_s, task.end)
        return task

    def _freeze(self, task, lamps):
        """A task that was stopped leaves its lamps as they are at this moment."""
        if task.how != "done":
            for lamp in lamps:
                if self._holder[lamp] is task:
                    now = self._fades[lamp].at(self.nao.lived_s)
                    self._fades[lamp] = Fade(now, now, self.nao.lived_s, 0.0)

    def _set(self, name, colour):
        for lamp in self._lamps(name):
            self._holder[lamp] = None
            self._fades[lamp] = Fade(_of(lamp, colour), _of(lamp, colour), self.nao.lived_s, 0.0)

    @offered(arities=(3, 5))
    def fadeRGB(self, name, *colour_and_duration):
        """(name, 0xRRGGBB | colour name, s), or (name, red, green, blue, s) with 0..1."""
        *colour, duration_s = colour_and_duration
        colour = _named(colour[0]) if len(colour) == 1 else _mixed(colour)
        return self._play("fadeRGB", name, [(colour, _duration(duration_s))])

    @offered
    def fade(self, name, intensity, duration_s):
        """To a share of white."""
        share = _intensity(intensity)
        return self._play("fade", name, [(_mixed((share, share, share)), _duration(duration_s))])

    @offered
    def fadeListRGB(self, name, colours, times_s):
        """Through colours, each reached at its time."""
        if not isinstance(colours, (list, tuple)) or not isinstance(times_s, (list, tuple)):
            raise Refused("a list of colours and a list of times are needed.")
        if len(colours) != len(times_s) or not colours:
            raise Refused(f"{len(colours)} colours came with {len(times_s)} times.")
        steps = [(_named(c), _duration(t)) for c, t in zip(colours, times_s, strict=True)]
        return self._play("fadeListRGB", name, steps)

    @offered
    def on(self, name):
        """Full light at once."""
        self._set(name, 0xFFFFFF)

    @offered
    def off(self, name):
        """No light at once."""
        self._set(name, 0x000000)

    @offered
    def setIntensity(self, name, intensity):
        """A share (0..1) of white at once."""
        share = _intensity(intensity)
        self._set(name, _mixed((share, share, share)))

    @offered
    def getIntensity(self, name):
        """[mean brightness 0..1 of the group's lamps]."""
        now_s, lamps = self.nao.lived_s, self._lamps(name)
        levels = [sum(self._fades[lamp].at(now_s)) / (255 * _colours(lamp)) for lamp in lamps]
        return [sum(levels) / len(levels)]

    @offered
    def reset(self, name):
        """Back to the colours at the start."""
        for lamp in self._lamps(name):
            self._set(lamp, AT_START[lamp])

    @offered
    def rotateEyes(self, colour, turn_s, duration_s):
        """A light that turns in the eyes; here the eyes show its colour and end dark."""
        return self._play("rotateEyes", "FaceLeds", [(_named(colour), 0.0), (0x000000, _duration(duration_s))])

    @offered
    def rasta(self, duration_s):
        """Green, yellow, red."""
        third_s = _duration(duration_s) / 3
        steps = [(0x00FF00, third_s), (0xFFFF00, 2 * third_s), (0xFF0000, 3 * third_s)]
        return self._play("rasta", "FaceLeds", steps)

    @offered
    def randomEyes(self, duration_s):
        """Colours without meaning; here the eyes end white."""
        return self._play("randomEyes", "FaceLeds", [(0xFFFFFF, _duration(duration_s))])

    @offered
    def listGroups(self):
        """The names of all groups."""
        return [*GROUPS, *self._made]

    @offered
    def listGroup(self, name):
        """The lamps of a group."""
        return list(self._lamps(name))

    @offered
    def createGroup(self, name, members):
        """A group of lamps or groups under a new name."""
        lamps = tuple(lamp for member in as_list(members) for lamp in self._lamps(member))
        if not lamps:
            raise Refused(f"the group {name!r} needs a lamp or a group at least.")
        self._made[word(name, "the name")] = lamps


def _colours(lamp: str) -> int:
    return 1 if lamp in BLUE_ONLY else 3


def _of(lamp: str, colour: int) -> tuple[int, int, int]:
    """What a lamp can show of a colour."""
    return _rgb(colour & 0x0000FF if lamp in BLUE_ONLY else colour)


def _rgb(colour: int) -> tuple[int, int, int]:
    return colour >> 16 & 255, colour >> 8 & 255, colour & 255


def _named(colour) -> int:
    """0xRRGGBB out of a number or a name; what stands above 0xFFFFFF is dropped, as NAOqi drops it."""
    if isinstance(colour, str):
        if colour not in COLOURS:
            raise Refused(f"unknown colour {colour!r}; there are {', '.join(COLOURS)}.")
        return COLOURS[colour]
    return int(number(colour, "a colour")) & 0xFFFFFF


def _mixed(shares) -> int:
    if len(shares) != 3:
        raise Refused(f"red, green and blue are needed; {len(shares)} numbers came.")
    red, green, blue = (round(255 * _intensity(share)) for share in shares)
    return red << 16 | green << 8 | blue


def _intensity(value) -> float:
    share = number(value, "an intensity")
    if not 0 <= share <= 1:
        raise Refused(f"an intensity must lie in 0..1, not {value!r}.")
    return share


def _duration(value) -> float:
    seconds = number(value, "a time")
    if seconds < 0:
        raise Refused(f"a time must not be negative: {value!r}.")
    return seconds
