"""Real inputs, mutated: what the tests feed the targets with, where `make fuzz` is guided by what is reached."""

from __future__ import annotations

from tests.fuzz.target import Target

CHANGE_BYTES = 4


def mutated(target: Target, recipe: bytes) -> bytes:
    """What a recipe makes of a seed: each four bytes of it are one change. A shorter recipe changes less.

    One recipe in four is the input itself, so that there are bytes of any kind as well.
    """
    first, changes = recipe[:1] or b"\0", recipe[1:]
    if first[0] % 4 == 3:
        return changes
    data = target.seeds[first[0] // 4 % len(target.seeds)]
    for at in range(0, len(changes) - CHANGE_BYTES + 1, CHANGE_BYTES):
        data = _changed(target, data, changes[at : at + CHANGE_BYTES])
    return data


def _changed(target: Target, data: bytes, change: bytes) -> bytes:
    kind, place, length, which = change[0] % 4, change[1] % (len(data) + 1), change[2] % 8, change[3]
    match kind:
        case 0:
            return data[:place] + data[place + length + 1 :]
        case 1:
            return data[:place] + bytes([which]) + data[place + length :]
        case 2:
            other = target.seeds[which % len(target.seeds)]
            return data[:place] + other[max(0, place - length) :]
        case _:
            return data[:place] + target.words[which % len(target.words)] + data[place + length :]
