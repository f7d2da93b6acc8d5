"""Expressions as data: which muscles an expression uses, and what each muscle moves in the face.

The muscles are the action units of the Facial Action Coding System (Ekman and Friesen 1978), by their
numbers. This file knows no pixels and no time, and asks no network anything.

Lengths are in face units: half the width of the face, about 70 mm. x points to the picture's right, y down,
the pupils lie at y = 0. Strengths of folds and of action units run from 0 (none) to about 1.
"""

# The face at rest. Lids, lips and brows are curves that these numbers bend; the folds are reliefs.
REST = {
    "brow_inner_y": -0.195,  # inner end, middle and outer end of a brow
    "brow_middle_y": -0.252,
    "brow_outer_y": -0.188,
    "brow_inner_x": 0.20,
    "lid_upper": 0.062,  # from the pupil's height to the edge of each lid
    "lid_lower": 0.058,
    "lid_droop": 0.0,  # how far the outer half of the upper lid hangs
    "gaze_y": 0.0,  # height of the pupils
    "corner_x": 0.39,  # corner of the mouth, its y from the mouth's line
    "corner_y": 0.0,
    "lips_up": 0.0,  # how far the edges of the lips leave the mouth's line in its middle
    "lips_down": 0.0,
    "lips_round": 0.0,  # 0: the opening is pointed at the corners, 1: it is an ellipse
    "upper_lip": 0.088,  # thickness of the lips
    "lower_lip": 0.125,
    "jaw": 0.0,  # how far the chin has sunk
    "cheek": 0.0,  # the folds
    "smile_fold": 0.0,
    "sneer_fold": 0.0,
    "crow_feet": 0.0,
    "lid_bag": 0.0,
    "forehead": 0.0,
    "forehead_inner": 0.0,
    "frown": 0.0,
    "nose_wrinkle": 0.0,
    "corner_fold": 0.0,
    "chin": 0.0,
}

# What each action unit adds at full strength.
ACTIONS = {
    "AU1 inner brow raiser": {"brow_inner_y": -0.20, "brow_middle_y": -0.03, "forehead_inner": 1.0},
    "AU2 outer brow raiser": {"brow_middle_y": -0.13, "brow_outer_y": -0.14, "forehead": 1.0},
    "AU4 brow lowerer": {
        "brow_inner_y": 0.13,
        "brow_middle_y": 0.10,
        "brow_outer_y": 0.02,
        "brow_inner_x": -0.09,
        "frown": 1.0,
    },
    "AU5 upper lid raiser": {"lid_upper": 0.060, "lid_lower": 0.012},
    "AU6 cheek raiser": {
        "cheek": 0.8,
        "crow_feet": 1.0,
        "lid_lower": -0.020,
        "lid_upper": -0.012,
        "lid_bag": 0.8,
    },
    "AU7 lid tightener": {"lid_upper": -0.016, "lid_lower": -0.022, "lid_bag": 0.4},
    "AU9 nose wrinkler": {
        "nose_wrinkle": 1.0,
        "sneer_fold": 0.8,
        "brow_inner_y": 0.06,
        "lips_up": 0.02,
        "upper_lip": -0.015,
    },
    "AU10 upper lip raiser": {"lips_up": 0.07, "sneer_fold": 0.8, "cheek": 0.3},
    "AU12 lip corner puller": {
        "corner_x": 0.14,
        "corner_y": -0.15,
        "smile_fold": 1.0,
        "cheek": 0.5,
        "upper_lip": -0.028,
        "lower_lip": -0.020,
    },
    "AU15 lip corner depressor": {"corner_y": 0.13, "corner_x": 0.02, "corner_fold": 1.0},
    "AU16 lower lip depressor": {"lips_down": 0.10, "lower_lip": -0.03},
    "AU17 chin raiser": {"chin": 1.0, "lower_lip": 0.015, "jaw": -0.03},
    "AU20 lip stretcher": {"corner_x": 0.13, "corner_y": 0.05, "upper_lip": -0.02, "lower_lip": -0.03},
    "AU23 lip tightener": {"upper_lip": -0.045, "lower_lip": -0.055, "corner_x": -0.03},
    "AU25 lips part": {"lips_up": 0.055, "lips_down": 0.095},
    "AU26 jaw drop": {"lips_down": 0.14, "lips_up": 0.02, "jaw": 0.13},
    "AU27 mouth stretch": {
        "lips_down": 0.31,
        "lips_up": 0.03,
        "jaw": 0.27,
        "corner_x": -0.15,
        "corner_y": 0.11,
        "lips_round": 1.0,
        "lower_lip": -0.02,
    },
    "AU43 eyes close": {"lid_upper": -0.05, "lid_droop": 0.03, "gaze_y": 0.03},
    "AU45 blink": {"lid_upper": -0.125, "lid_lower": -0.006},
}

# Which action units make an expression: the usual ones of FACS, as strong as it took to be clear to the eye
# and to classifiers, tried over muscles alone. Disgust (9, 10, 4, 17) was tried too and left out: to the eye
# it is one, but classifiers took it for anger.
EXPRESSIONS = {
    "neutral": {},
    "happy": {"AU6": 1.0, "AU12": 1.0, "AU25": 1.0},
    "surprised": {"AU1": 1.0, "AU2": 1.0, "AU5": 1.0, "AU27": 0.9},
    "sad": {"AU1": 1.2, "AU4": 0.6, "AU6": 0.6, "AU15": 1.2, "AU17": 1.0, "AU43": 0.6},
    "angry": {
        "AU4": 1.3,
        "AU5": 0.5,
        "AU7": 1.0,
        "AU9": 0.8,
        "AU10": 0.8,
        "AU16": 1.0,
        "AU25": 1.0,
        "AU26": 1.5,
    },
    "fearful": {"AU1": 1.0, "AU2": 0.6, "AU4": 0.5, "AU5": 1.0, "AU20": 1.0, "AU26": 0.7},
}

_MOVES = {name.split()[0]: moves for name, moves in ACTIONS.items()}


def pose(units: dict[str, float]) -> dict[str, float]:
    """The face's shape, all keys of REST, for strengths of action units such as {"AU12": 0.5}."""
    shape = dict(REST)
    for unit, strength in units.items():
        for name, change in _MOVES[unit].items():
            shape[name] += strength * change
    return shape


def blend(weights: dict[str, float]) -> dict[str, float]:
    """Strengths of action units for a mixture of expressions, such as {"happy": 0.3}."""
    units: dict[str, float] = {}
    for expression, weight in weights.items():
        for unit, strength in EXPRESSIONS[expression].items():
            units[unit] = units.get(unit, 0.0) + weight * strength
    return units
