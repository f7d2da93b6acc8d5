"""The forms in which NAOqi takes joints, angles, times and controls, brought into one form each.

Every function here gives a checked value or raises Refused; none touches a robot.
"""

from . import body, paths
from .service import Refused, as_list, number


def joints_of(names) -> list[str]:
    """The joints that a name, a chain or a list of these stands for; raises Refused for an unknown one."""
    joints = []
    for name in as_list(names):
        if name in body.JOINTS:
            joints.append(name)
        elif name in body.CHAINS:
            joints.extend(body.CHAINS[name])
        else:
            raise Refused(f"unknown joint or chain: {name!r}.")
    return joints


def chain_of(name) -> str:
    """The name of a chain; raises Refused for an unknown one."""
    if name not in body.CHAINS:
        raise Refused(f"unknown chain: {name!r}.")
    return name


def arms_of(name) -> str:
    """The name of an arm or of both; raises Refused for anything else."""
    if name not in ("Arms", "LArm", "RArm"):
        raise Refused(f"only Arms, LArm and RArm are protected, not {name!r}.")
    return name


def pairs_of(config) -> list[tuple]:
    """(name, value) pairs out of a configuration, [[name, value], ...]; raises Refused for anything else."""
    pairs = as_list(config)
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise Refused(f"a configuration is [[name, value], ...], not {config!r}.")
    return [(pair[0], pair[1]) for pair in pairs]


def fraction_of(value) -> float:
    """A share of the top speed, ]0..1]; raises Refused for anything else."""
    fraction = number(value, "the fraction of the top speed")
    if not 0 < fraction <= 1:
        raise Refused(f"the fraction of the top speed must lie in ]0..1], not {value!r}.")
    return fraction


def targets_of(names, angles) -> dict[str, float]:
    """{joint: angle} out of names and as many angles."""
    joints, angles = joints_of(names), as_list(angles)
    if len(joints) != len(angles):
        raise Refused(f"{len(joints)} joints need {len(joints)} angles; {len(angles)} came.")
    return {joint: number(angle, "an angle") for joint, angle in zip(joints, angles, strict=True)}


def stiffnesses_of(names, values) -> dict[str, float]:
    """{joint: stiffness} out of names and one value or as many values."""
    joints, values = joints_of(names), as_list(values)
    values = values * len(joints) if len(values) == 1 else values
    if len(joints) != len(values):
        raise Refused(f"{len(joints)} joints need 1 or {len(joints)} stiffnesses; {len(values)} came.")
    for value in values:
        if not 0 <= number(value, "a stiffness") <= 1:
            raise Refused(f"a stiffness must lie in 0..1, not {value!r}.")
    return {joint: float(value) for joint, value in zip(joints, values, strict=True)}


def per_joint(values, count: int, what: str) -> list[list]:
    """One list per joint out of the forms that NAOqi takes: one value, a flat list, a list of lists."""
    values = as_list(values)
    if any(isinstance(value, (list, tuple)) for value in values):
        lists = [as_list(value) for value in values]
    elif count == 1:
        lists = [values]
    elif len(values) == 1:
        lists = [values] * count
    else:
        lists = [[value] for value in values]
    if len(lists) != count:
        raise Refused(f"{count} joints need {count} lists of {what}; {len(lists)} came.")
    return lists


def check_times(joint: str, angles: list, times: list):
    """Raise Refused unless there are as many rising times above 0 as angles."""
    if len(angles) != len(times):
        raise Refused(f"{joint}: {len(angles)} angles came with {len(times)} times.")
    before = 0.0
    for time_s in times:
        if number(time_s, "a time") <= before:
            raise Refused(f"{joint}: times must be above 0 and rise; {time_s!r} came after {before!r}.")
        before = time_s


def key_of(time_s: float, control) -> paths.Key:
    """A Key out of a control: an angle, or [angle, handle, handle], a handle being [type, seconds, radians]."""
    angle, *handles = as_list(control)
    pairs = [(number(h[1], "a handle's time"), number(h[2], "a handle's angle")) for h in handles]
    return paths.Key(float(time_s), number(angle, "an angle"), *pairs[:2])
