"""The report of a replay: one HTML file that a browser shows without any other, in light and dark.

It draws what findings.py gathered and says what the network's card says of it. It reads no file but its own
style, and loads no network. Every text from outside is escaped.
"""

import math
from collections.abc import Iterable
from html import escape
from pathlib import Path

from behaviors.mood import Episode
from config.contract import EMOTIONS
from inference_server.findings import LEVELS, NOBODY, UNDECIDED, Findings, SessionFindings

# emotion: colour in light, colour in dark; those of the monitor
COLOURS = {
    "happy": ("#d99408", "#f2b53c"),
    "angry": ("#df5347", "#ee6256"),
    "disgusted": ("#739f35", "#86b049"),
    "fearful": ("#9a69da", "#ab80e2"),
    "sad": ("#4f83ea", "#5f92f2"),
    "surprised": ("#1fa3a8", "#38bdc1"),
    "neutral": ("#858c98", "#949ba7"),
}
WIDE, TALL, LANE = 1000, 160, 18  # of the drawings, in their own units
ROWS = 200  # of a table; the rest stands in the csv
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # nothing is fetched, nothing runs
MEANING = (
    "The scores say how much a face looks like those that people called happy, sad and so on in photographs. "
    "They do not say what somebody feels. In the European Union, inferring emotions in workplaces and in "
    "education is prohibited except for medical or safety reasons (Regulation 2024/1689, Art. 5(1)(f))."
)
FLAWS = {
    "dark": "too dark",
    "small": "too small",
    "profile": "turned aside",
    "blurred": "blurred",
}

LABELS = {"fer2013": "its own labels", "ferplus": "labels of FER+"}

STYLE = Path(__file__).with_name("report.css")


def html(found: Findings, card: dict | None = None) -> str:
    """The report as a page; `card` is the network's card.yaml."""
    parts = [
        _head(found),
        _timeline(found),
        _shares(found),
        _episodes(found.episodes),
        _confidence(found),
        _session(found.session) if found.session else "",
        _network(found.model, card) if card else "",
        f"<footer><p>{escape(MEANING)}</p></footer>",
    ]
    return page(found.source, "\n".join(parts))


def page(title: str, body: str) -> str:
    """A whole HTML file around `body`, which is HTML already."""
    light, dark = ("\n".join(f"--{e}: {COLOURS[e][i]};" for e in EMOTIONS) for i in (0, 1))
    style = STYLE.read_text("utf-8").replace("LIGHT", light).replace("DARK", dark)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def of_session(of: SessionFindings) -> list[str]:
    """The session in a few lines of text, for the summary."""
    lines = [f"session of {of.about.get('started', '?')}, {of.robot_id}: {of.about.get('purpose', '')}"]
    if of.same or of.other or of.unknown:
        lines.append(f"read again: {_same(of)}")
    delays = [r.delay_s for r in of.reactions if r.delay_s is not None]
    if delays:
        late = _face_delay(of)
        lines.append(
            f"reactions: {len(of.reactions)}, {_median(delays):.2f} s after the mood began"
            + (f" and {late:.2f} s after the face showed it" if late is not None else "")
            + " (medians)"
        )
    if of.missed:
        lines.append(f"{of.missed} events are missing: the disk was too slow")
    if of.more_robots:
        lines.append(f"also in it: {', '.join(sorted(of.more_robots))}; give one with --robot")
    return lines


def _same(of: SessionFindings) -> str:
    text = f"{of.same} of {of.same + of.other} readings the same to the last bit"
    return text + (f"; {of.unknown} more cannot be compared, their beginning is missing" if of.unknown else "")


# ---- parts -------------------------------------------------------------------------------------------


def _head(found: Findings) -> str:
    seen = found.with_face / found.frames
    felt = {mood: s for mood, s in found.felt_s.items() if mood in EMOTIONS}
    most = max(felt, key=felt.get, default=None)
    figures = {
        "Length": clock(found.seconds),
        "Pictures read": f"{found.frames}" + (f" ({found.broken} broken)" if found.broken else ""),
        "A face in": f"{seen:.1%}",
        "Most faces at once": found.most_faces,
        "Longest mood": f"{most} ({_share(felt[most], found.felt_s.total())})" if most else "none",
        "Episodes": len(found.episodes),
    }
    said = f'<p class="aside">Read with the network {escape(found.model)}</p>'
    return f"<h1>{escape(found.source)}</h1>\n{said}\n{_facts(figures)}"


def _facts(figures: dict, kind: str = "") -> str:
    rows = (f"<div><dt>{escape(k)}</dt><dd>{escape(str(v))}</dd></div>" for k, v in figures.items())
    return f"<dl{kind}>{''.join(rows)}</dl>"


def _timeline(found: Findings) -> str:
    length_s = max(found.seconds, found.timeline.width_s)
    width_s = found.timeline.width_s
    lanes = [
        ("In the face", scores_svg(found, length_s)),
        ("Mood", moods_svg(found.episodes, length_s)),
        ("Unsure", _unsure_svg(found, length_s)),
    ]
    if found.session:
        plays = [(r.at_s, r.behaviour) for r in found.session.reactions]
        lanes.append(("Plays", _moments_svg(plays, length_s)))
        if found.session.marks:
            lanes.append(("Marked", _moments_svg(found.session.marks, length_s)))
    drawn = "\n".join(lane(name, svg) for name, svg in lanes)
    words = (
        f"Seven scores of the attended face, the mean of each {width_s:.3g} s, stacked to 100 %; "
        "empty where there was no face. Below, the mood: the same scores, smoothed, once one led for a while."
    )
    under = f"{ticks(length_s)}\n{key()}\n<figcaption>{words}</figcaption>"
    return f"<h2>Timeline</h2>\n<figure>{drawn}\n{under}</figure>"


def lane(name: str, svg: str) -> str:
    """A drawing over time, with its name."""
    return f'<div class="lane"><span>{name}</span><div class="chart">{svg}</div></div>'


def scores_svg(found: Findings, length_s: float) -> str:
    """The scores over time as stacked bars, one run of bars an emotion."""
    columns, width_s = found.timeline.columns(), found.timeline.width_s
    ends = [min(c.start_s, length_s) for c in columns[1:]] + [length_s]
    paths = {emotion: [] for emotion in EMOTIONS}
    for column, end_s in zip(columns, ends, strict=True):
        if column.scores is None:
            continue
        left = WIDE * column.start_s / length_s
        right = WIDE * min(end_s, column.start_s + max(4 * width_s, 1.0)) / length_s
        top = 0.0
        for emotion, score in zip(EMOTIONS, column.scores, strict=True):
            tall = TALL * score
            paths[emotion].append(f"M{left:.1f} {top:.1f}H{right:.1f}V{top + tall:.1f}H{left:.1f}Z")
            top += tall
    drawn = (
        f'<path fill="var(--{e})" d="{"".join(d)}"><title>{e}</title></path>' for e, d in paths.items() if d
    )
    return _svg(TALL, "".join(drawn), "Scores over time")


def moods_svg(episodes: Iterable[Episode], length_s: float) -> str:
    """The moods over time as a band."""
    scale = WIDE / length_s
    drawn = "".join(
        f'<rect x="{scale * e.start_s:.1f}" width="{scale * (e.end_s - e.start_s):.1f}" height="{LANE}" '
        f'fill="var(--{e.emotion})"><title>{_span(e)}</title></rect>'
        for e in episodes
    )
    return _svg(LANE, drawn, "Moods over time")


def _unsure_svg(found: Findings, length_s: float) -> str:
    wide = WIDE * found.timeline.width_s / length_s
    drawn = "".join(
        f'<rect x="{WIDE * c.start_s / length_s:.1f}" width="{wide:.1f}" height="{LANE}" '
        f'fill="var(--muted)" opacity="{c.unsure:.2f}"/>'
        for c in found.timeline.columns()
        if c.unsure
    )
    return _svg(LANE, drawn, "Where the network was unsure")


def _moments_svg(moments: list[tuple[float, str]], length_s: float) -> str:
    drawn = "".join(
        f'<rect x="{WIDE * at_s / length_s:.1f}" width="3" height="{LANE}" fill="var(--ink)">'
        f"<title>{at_s:.2f} s: {escape(text)}</title></rect>"
        for at_s, text in moments
    )
    return _svg(LANE, drawn, "Moments")


def _svg(tall: int, drawn: str, name: str) -> str:
    shape = f'viewBox="0 0 {WIDE} {tall}" preserveAspectRatio="none" height="{tall}"'
    return f'<svg {shape} role="img" aria-label="{name}">{drawn}</svg>'


def ticks(length_s: float) -> str:
    """Times under a timeline, from its beginning to its end."""
    return f'<div class="ticks">{"".join(f"<span>{clock(length_s * i / 4)}</span>" for i in range(5))}</div>'


def key() -> str:
    """Which colour is which emotion."""
    items = (f'<li><i style="background: var(--{e})"></i>{e}</li>' for e in EMOTIONS)
    return f'<ul class="key">{"".join(items)}</ul>'


def _shares(found: Findings) -> str:
    total_s, faces = found.felt_s.total(), found.attended.total()
    rows = []
    for mood in (*EMOTIONS, UNDECIDED, NOBODY):
        felt_s = found.felt_s[mood]
        colour = f"var(--{mood})" if mood in EMOTIONS else "var(--line)"
        share = felt_s / total_s if total_s else 0.0
        bar = f'<i style="width: {share:.1%}; background: {colour}"></i>' if felt_s else ""
        leads = _share(found.attended[mood], faces) if mood in EMOTIONS else ""
        cells = f'<td class="number">{_share(felt_s, total_s)}</td><td class="number">{felt_s:.1f} s</td>'
        rows.append(f'<tr><td>{mood}</td><td class="bar">{bar}</td>{cells}<td class="number">{leads}</td></tr>')
    head = _head_row("mood", "!", "#share of time", "#time", "#highest score in")
    return f'<h2>Share of each emotion</h2>\n<div class="wide"><table>{head}{"".join(rows)}</table></div>'


def _episodes(episodes: list[Episode]) -> str:
    if not episodes:
        return "<h2>Episodes</h2>\n<p>No mood was held for long enough.</p>"
    rows = [
        f'<tr><td class="number">{e.start_s:.2f} s</td><td class="number">{e.end_s:.2f} s</td>'
        f'<td class="number">{e.end_s - e.start_s:.2f} s</td><td>{e.emotion}</td>'
        f'<td class="number">{e.confidence:.0%}</td></tr>'
        for e in episodes[:ROWS]
    ]
    head = _head_row("#from", "#to", "#for", "mood", "#confidence")
    return f'<h2>Episodes</h2>\n<div class="wide"><table>{head}{"".join(rows)}</table></div>{_rest(episodes)}'


def _rest(rows: list) -> str:
    more = len(rows) - ROWS
    return f'<p class="aside">{more} more stand in the tables beside this file.</p>' if more > 0 else ""


def _confidence(found: Findings) -> str:
    faces, most = sum(found.levels), max(found.levels) or 1
    wide = WIDE / LEVELS
    bars = "".join(
        f'<rect x="{i * wide + 2:.0f}" y="{TALL - 20 - (TALL - 30) * n / most:.1f}" width="{wide - 4:.0f}" '
        f'height="{(TALL - 30) * n / most:.1f}" fill="var(--muted)">'
        f"<title>{i / LEVELS:.0%} to {(i + 1) / LEVELS:.0%}: {_share(n, faces)} of the faces</title></rect>"
        for i, n in enumerate(found.levels)
    )
    words = "The attended face's highest score in each picture, from 0 % (left) to 100 %; seven alike are 14 %."
    figures = {"Unsure": _share(found.unsure, faces)}
    figures |= {f"Picture {FLAWS.get(flaw, flaw)}": _share(n, faces) for flaw, n in found.flaws.most_common()}
    chart = f'<div class="chart">{_svg(TALL - 20, bars, "Highest scores")}</div>'
    figure = f"<figure>{chart}<figcaption>{words}</figcaption></figure>"
    return f"<h2>Confidence and quality</h2>\n{figure}\n{_facts(figures)}"


def _session(of: SessionFindings) -> str:
    delays = [r.delay_s for r in of.reactions if r.delay_s is not None]
    median_s, late_s = of.age_s(0.5), of.age_s(0.95)
    figures = {
        "Began": of.about.get("started", "not known"),
        "Robot": of.robot_id,
        "Purpose": of.about.get("purpose") or "not given",
        "Consent to pictures": of.about.get("consent") or "none; no picture was recorded",
    }
    if median_s is not None:
        figures["Answer's age"] = f"below {median_s * 1e3:.0f} ms in half, {late_s * 1e3:.0f} ms in 95 %"
    if _face_delay(of) is not None:
        figures["From face to behaviour"] = f"{_face_delay(of):.2f} s (median)"
    if delays:
        figures["From mood to behaviour"] = f"{_median(delays):.2f} s (median of {len(delays)})"
    if of.same or of.other or of.unknown:
        figures["Read again"] = _same(of)
    if of.missed:
        figures["Missing"] = f"{of.missed} events; the disk was too slow"
    rows = [
        f'<tr><td class="number">{r.at_s:.2f} s</td><td>{escape(r.behaviour)}</td><td>{escape(r.mood)}</td>'
        f'<td class="number">{_seconds(r.face_delay_s)}</td>'
        f'<td class="number">{"ordered" if r.delay_s is None else _seconds(r.delay_s)}</td></tr>'
        for r in of.reactions[:ROWS]
    ]
    head = _head_row("#at", "behaviour", "mood", "#after the face", "#after the mood")
    table = f'<div class="wide"><table>{head}{"".join(rows)}</table></div>{_rest(of.reactions)}' if rows else ""
    small = ' class="small"'
    facts = "".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in figures.items())
    return f"<h2>The session</h2>\n<dl{small}>{facts}</dl>\n<h2>Reactions</h2>\n" + (
        table or "<p>The robot played nothing.</p>"
    )


def _network(name: str, card: dict) -> str:
    labels = card.get("labels", "fer2013")  # those it was trained for; a card has figures on others too
    measured = card.get("figures", {}).get(f"PublicTest {labels}")
    words = [f"<h2>The network {escape(name)}</h2>", f"<p>{escape(card.get('limits', ''))}</p>"]
    if measured:
        low, high = measured.get("interval", (math.nan, math.nan))
        rows = "".join(
            f'<tr><td>{e}</td><td class="number">{measured["per_class"][e]["recall"]:.1%}</td>'
            f'<td class="number">{measured["per_class"][e]["precision"]:.1%}</td></tr>'
            for e in EMOTIONS
        )
        head = _head_row("", "#found of it", "#right when said")
        words += [
            f"<p>On {measured['images']} photographs (FER2013 PublicTest, {LABELS[labels]}) it named what "
            f"people had named in {measured['accuracy']:.1%} (95 % interval {low:.1%} to {high:.1%}).</p>",
            f'<div class="wide"><table>{head}{rows}</table></div>',
        ]
    return "\n".join(words)


# ---- small things ------------------------------------------------------------------------------------


def clock(time_s: float) -> str:
    """7.5 s, 2:05, 1:02:05."""
    if time_s < 60:
        return f"{time_s:.1f} s"
    whole = round(time_s)
    hours = f"{whole // 3600}:{whole // 60 % 60:02}" if whole >= 3600 else f"{whole // 60}"
    return f"{hours}:{whole % 60:02}"


def _head_row(*names: str) -> str:
    """Of a table; #name stands over numbers, ! over bars."""
    kinds = {"#": ' class="number"', "!": ' class="bar"'}
    cells = (f"<th{kinds.get(name[:1], '')}>{name.lstrip('#!')}</th>" for name in names)
    return f"<tr>{''.join(cells)}</tr>"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _span(e: Episode) -> str:
    return f"{e.emotion}, {e.start_s:.2f} to {e.end_s:.2f} s, {e.confidence:.0%}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _face_delay(of: SessionFindings) -> float | None:
    """The median, or None where there is none."""
    delays = [r.face_delay_s for r in of.reactions if r.face_delay_s is not None]
    return _median(delays) if delays else None


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
