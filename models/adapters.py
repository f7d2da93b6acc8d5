"""Labelled faces from the layouts in which data sets are given away, each as its owners pack it.

    FER2013             fer2013.csv, icml_face_data.csv or PNG sheets (models/data.py), or Kaggle's folders
    RAF-DB basic        EmoLabel/list_patition_label.txt, Image/aligned/train_00001_aligned.jpg
    CK+                 cohn-kanade-images/S005/001/*.png, Emotion/S005/001/*_emotion.txt
    CK+48               CK+48/anger/S010_004_00000017.png
    KDEF                AF01/AF01ANS.JPG
    AffectNet           train_set/images/0.jpg, train_set/annotations/0_exp.npy, val_set likewise
    class folders       [train|val|test/]happy/anything.png

This file reads; it never changes, copies or downloads anything. A picture that cannot be used is left out and
named, with the reason; the rest is read. Only CK+ and KDEF show more than a face, which is then looked for.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.contract import EMOTIONS
from models import data, folders
from models.crop import crop_face
from models.data import DataError, Faces

MARGIN = 0.9  # side of the crop over the box's longer side, as the shipped networks are served
HELD_BACK = 5  # where the owners have no parts, each fifth person, else each fifth picture of a class, judges
PARTS = {
    **{"train": "Training", "training": "Training", "train_set": "Training"},
    **{"val": "PublicTest", "valid": "PublicTest", "validation": "PublicTest", "val_set": "PublicTest"},
    "test": "PrivateTest",
}
OFFICIAL = {name.lower(): name for name in data.SPLITS}  # as Kaggle's files begin: PublicTest_1234.jpg in test/

RAF_DB = ("surprised", "fearful", "disgusted", "happy", "sad", "angry", "neutral")  # its numbers 1 to 7
CK = ("neutral", "angry", "contempt", "disgusted", "fearful", "happy", "sad", "surprised")  # 0 to 7
AFFECTNET = ("neutral", "happy", "sad", "surprised", "fearful", "disgusted", "angry", "contempt")  # 0 to 7
KDEF = {  # the letters behind the person in a file's name
    **{"AF": "fearful", "AN": "angry", "DI": "disgusted", "HA": "happy"},
    **{"NE": "neutral", "SA": "sad", "SU": "surprised"},
}
KDEF_NAME = re.compile(r"[AB]([FM]\d\d)([A-Z]{2})(FL|HL|S|HR|FR)$", re.IGNORECASE)
KDEF_VIEWS = ("HL", "S", "HR")  # half left, straight, half right; of full profiles half a face is hidden
CK48_NAME = re.compile(r"(S\d{3})_\d{3}_\d{8}$")
CK_LAST = 3  # of a sequence the last frames show the emotion at its height, the first one none

Finder = Callable[[np.ndarray], Sequence[float] | None]  # gray (H, W) uint8 -> box_px of the face, None without


class Picture(NamedTuple):
    """One labelled file: where it is, its emotion (in our words, or one that is not ours), its part ("": the
    owners have none), who it shows ("": not told), and whether it shows a face alone."""

    path: Path
    emotion: str
    part: str = ""
    person: str = ""
    ready: bool = True


class Listed(NamedTuple):
    """What a folder promises: the layout's name, its pictures, and sentences on what does not fit together."""

    layout: str
    pictures: list[Picture]
    flaws: list[str]


class Read(NamedTuple):
    """What could be read: faces (n, 48, 48), the picture of each, and what is wrong with the others."""

    layout: str
    faces: Faces
    pictures: list[Picture]
    flaws: list[str]


# The layouts: each gives what is in a folder, or None where the folder is not laid out so


def raf_db(root: Path) -> Listed | None:
    for base in (root, root / "basic"):
        labels = next(base.glob("EmoLabel/list_pa*tition_label.txt"), None)
        if labels:
            break
    else:
        return None
    pictures, flaws = [], []
    for line in labels.read_text().splitlines():
        name, _, code = line.strip().partition(" ")
        if not code.strip().isdigit() or not 1 <= int(code) <= len(RAF_DB):
            flaws.append(f"{labels.name}: the line {line!r} is no name and a number of 1 to 7.")
            continue
        path = base / "Image" / "aligned" / f"{Path(name).stem}_aligned.jpg"
        pictures.append(Picture(path, RAF_DB[int(code) - 1], PARTS.get(name.partition("_")[0], "")))
    listed = {picture.path.name for picture in pictures}
    flaws += [
        f"{path}: no label in {labels.name}."
        for path in sorted((base / "Image" / "aligned").glob("*.jpg"))
        if path.name not in listed
    ]
    return Listed("RAF-DB", pictures, flaws)


def ck_sequences(root: Path) -> Listed | None:
    images, labels = root / "cohn-kanade-images", root / "Emotion"
    if not images.is_dir() or not labels.is_dir():
        return None
    pictures, flaws = [], []
    for path in sorted(labels.glob("S*/*/*_emotion.txt")):
        person, sequence = path.parts[-3:-1]
        frames = sorted((images / person / sequence).glob("*.png"))
        if len(frames) <= CK_LAST:
            flaws.append(f"{path}: its sequence has {len(frames)} frames; needed are {CK_LAST + 1}.")
            continue
        try:
            emotion = CK[int(float(path.read_text()))]
        except (ValueError, IndexError):
            flaws.append(f"{path}: holds {path.read_text().strip()!r}, needed is a number of 0 to 7.")
            continue
        shown = [(frames[0], "neutral"), *((frame, emotion) for frame in frames[-CK_LAST:])]
        pictures += [Picture(frame, name, "", person, ready=False) for frame, name in shown]
    return Listed("CK+", pictures, flaws)


def kdef(root: Path) -> Listed | None:
    paths = [path for path in sorted(root.rglob("*")) if path.suffix.lower() in folders.SUFFIXES]
    named = [(path, KDEF_NAME.fullmatch(path.stem)) for path in paths]
    if not any(match for _, match in named):
        return None
    pictures, flaws = [], []
    for path, match in named:
        if not match or match[2].upper() not in KDEF:
            flaws.append(f"{path}: is not named as in KDEF (AF01ANS.JPG).")
        elif match[3].upper() in KDEF_VIEWS:
            pictures.append(Picture(path, KDEF[match[2].upper()], "", match[1].upper(), ready=False))
    return Listed("KDEF", pictures, flaws)


def affectnet(root: Path) -> Listed | None:
    parts = [root / name for name in ("train_set", "val_set") if (root / name / "annotations").is_dir()]
    if not parts:
        return None
    pictures, flaws = [], []
    for part in parts:
        for path in sorted((part / "images").iterdir(), key=lambda path: (len(path.name), path.name)):
            label = part / "annotations" / f"{path.stem}_exp.npy"
            try:
                code = int(np.load(label).item())
                pictures.append(Picture(path, AFFECTNET[code], PARTS[part.name]))
            except (OSError, ValueError, IndexError):
                flaws.append(f"{path}: {label.name} is missing or holds no number of 0 to 7.")
    return Listed("AffectNet", pictures, flaws)


def class_folders(root: Path) -> Listed | None:
    inside = [child for child in sorted(root.iterdir()) if child.is_dir()]
    if len(inside) == 1 and not is_class(inside[0]) and inside[0].name.lower() not in PARTS:
        return class_folders(inside[0])  # as unpacked: one folder around it all
    parts = [(child, part_of(child)) for child in inside if part_of(child)]
    parts = parts or [(root, "")]
    if not any(is_class(child) for folder, _ in parts for child in folder.iterdir()):
        return None
    pictures, flaws = [], []
    for folder, part in parts:
        for child in sorted(path for path in folder.iterdir() if path.is_dir()):
            emotion = EMOTIONS[folders.NAMES[child.name.lower()]] if is_class(child) else child.name.lower()
            for path in sorted(child.iterdir()):
                if path.suffix.lower() not in folders.SUFFIXES:
                    flaws.append(f"{path}: no picture ({', '.join(folders.SUFFIXES)}).")
                    continue
                person = CK48_NAME.match(path.stem)
                own = OFFICIAL.get(path.stem.partition("_")[0].lower(), part)
                pictures.append(Picture(path, emotion, own, person[1] if person else ""))
    kaggle = any(picture.path.stem.partition("_")[0].lower() in OFFICIAL for picture in pictures)
    known = bool(pictures) and all(picture.person for picture in pictures)
    layout = "FER2013 folders" if kaggle else "CK+48" if known else "class folders"
    return Listed(layout, pictures, flaws)


def part_of(path: Path) -> str | None:
    return (PARTS | OFFICIAL).get(path.name.lower())


def is_class(path: Path) -> bool:
    return path.is_dir() and path.name.lower() in folders.NAMES


LAYOUTS = (raf_db, ck_sequences, affectnet, kdef, class_folders)


# Reading


def listed(path: str | Path) -> Listed:
    """What is in a folder, each picture with its part; raises DataError where no layout fits."""
    path = Path(path)
    if not path.is_dir():
        raise DataError(f"data: there is no folder {path}.")
    for layout in LAYOUTS:
        found = layout(path)
        if found:
            return found._replace(pictures=with_parts(found.pictures))
    raise DataError(
        f"data: {path} is laid out like no data set known here; needed are class folders "
        f"({', '.join(sorted(folders.NAMES))}) or one of the layouts named in models/adapters.py."
    )


def with_parts(pictures: list[Picture]) -> list[Picture]:
    """The pictures with a part each. "test" is looked at while training where the owners have no "val"."""
    there = {picture.part for picture in pictures}
    if "PublicTest" not in there and "PrivateTest" in there:
        return [p._replace(part="PublicTest") if p.part == "PrivateTest" else p for p in pictures]
    if there - {""}:
        return pictures
    people = {person: place for place, person in enumerate(sorted({p.person for p in pictures} - {""}))}
    seen: dict[str, int] = {}
    parted = []
    for picture in pictures:
        place = people.get(picture.person, seen.get(picture.emotion, 0))
        seen[picture.emotion] = seen.get(picture.emotion, 0) + 1
        parted.append(picture._replace(part="PublicTest" if place % HELD_BACK == HELD_BACK - 1 else "Training"))
    return parted


def read(path: str | Path, part: str | None = None, find: Finder | None = None) -> Read:
    """All usable pictures of a folder (or of one part); `find` looks for the face where there is more."""
    layout, pictures, flaws = listed(path)
    chosen = [picture for picture in pictures if part in (None, picture.part)]
    images, kept, others = [], [], {}
    for picture in chosen:
        if picture.emotion not in EMOTIONS:
            others[picture.emotion] = others.get(picture.emotion, 0) + 1
            continue
        if not picture.ready:
            find = find or face_finder()
        try:
            images.append(face(picture, find))
            kept.append(picture)
        except DataError as error:
            flaws.append(str(error).removeprefix("data: "))
    flaws += [
        f"{count} pictures of {name!r}, no emotion of ours, are left out." for name, count in others.items()
    ]
    emotion = np.array([EMOTIONS.index(picture.emotion) for picture in kept], int)
    stacked = np.stack(images) if images else np.zeros((0, data.SIDE_PX, data.SIDE_PX), np.uint8)
    return Read(layout, Faces(stacked, emotion, None), kept, flaws)


def load(path: str | Path, part: str, find: Finder | None = None) -> Faces:
    """One part ("Training", "PublicTest", "PrivateTest") of any data set that can be read here."""
    if is_fer2013(path):
        return data.load(path, part)
    found = read(path, part, find)
    if not found.pictures:
        said = " ".join(found.flaws[:3])
        raise DataError(
            f"data: {path} ({found.layout}) has no usable picture in the part {part}. {said}".strip()
        )
    return found.faces


def is_fer2013(path: str | Path) -> bool:
    """Whether it is the official csv file, a folder with it, or a folder of sheets."""
    path = Path(path)
    names = ("fer2013.csv", "icml_face_data.csv", *(f"{name}.png" for name in data.SPLITS.values()))
    return path.is_file() or any((path / name).is_file() for name in names)


def face(picture: Picture, find: Finder | None) -> np.ndarray:
    """The face (48, 48) uint8 of a picture; raises DataError where it cannot be read or shows none."""
    gray = folders.gray(picture.path)
    if picture.ready:
        return crop_face(gray, [0, 0, gray.shape[1], gray.shape[0]])
    box_px = find(gray)
    if box_px is None:
        raise DataError(f"data: {picture.path}: no face was found in it.")
    return crop_face(gray, box_px, MARGIN)


def face_finder() -> Finder:
    """The largest face that the service's own detector finds."""
    from models.mtcnn import Detector

    detector = Detector(min_face_px=80)

    def find(gray: np.ndarray) -> Sequence[float] | None:
        faces = detector.detect(gray)
        return max(faces, key=lambda found: found.box_px[2] * found.box_px[3]).box_px if faces else None

    return find
