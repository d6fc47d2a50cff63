"""Pixels that look like anatomy, drawn from ellipses in plain Python: the bench needs no numpy.

Positions and radii are fractions of the image; values are stored values (CT: Hounsfield units + 1024).
"""

from __future__ import annotations

import functools
import math
import operator
import random
import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Ellipse(NamedTuple):
    x: float
    y: float
    rx: float
    ry: float
    value: int


def draw(
    shapes: Iterable[Ellipse], size: int, *, background: int = 0, grain: int = 12, bits: int = 16
) -> bytes:
    """A square image, little endian: the shapes one over the other, under noise and a slight gradient.

    Both add to the values, at most three times ``grain``; what does not fit into 8 or 16 bits is an error.
    """
    canvas = array("H", [background]) * (size * size)
    for shape in shapes:
        _fill(canvas, size, shape)
    values = map(operator.add, canvas, _texture(size, grain))
    if bits == 8:
        return bytes(values)
    image = array("H", values)
    if sys.byteorder == "big":
        image.byteswap()
    return image.tobytes()


def _fill(canvas: array[int], size: int, shape: Ellipse) -> None:
    if shape.rx <= 0 or shape.ry <= 0:
        return
    first = max(0, math.floor((shape.y - shape.ry) * size))
    last = min(size - 1, math.ceil((shape.y + shape.ry) * size))
    for row in range(first, last + 1):
        height = ((row + 0.5) / size - shape.y) / shape.ry
        if abs(height) >= 1:
            continue
        half = shape.rx * math.sqrt(1 - height * height)
        left, right = (min(size, max(0, round((shape.x + side * half) * size))) for side in (-1, 1))
        canvas[row * size + left : row * size + right] = array("H", [shape.value]) * (right - left)


@functools.cache
def _texture(size: int, grain: int) -> Sequence[int]:
    noise = random.Random(f"texture {size} {grain}").randbytes(size * size)
    return [byte * grain // 128 + (index // size) * grain // size for index, byte in enumerate(noise)]


def head(level: float, *, scalp: int, bone: int, brain: int, fluid: int) -> list[Ellipse]:
    """An axial slice; ``level`` runs from 0 at the base of the skull to 1 at its top."""
    width = 0.40 * math.sqrt(1 - (level * 0.8) ** 2)
    return [
        Ellipse(0.5, 0.5, width, width * 1.18, scalp),
        Ellipse(0.5, 0.5, width * 0.96, width * 1.14, bone),
        Ellipse(0.5, 0.5, width * 0.86, width * 1.04, brain),
        Ellipse(0.46, 0.47, width * 0.10, width * 0.35 * (1 - level), fluid),
        Ellipse(0.54, 0.47, width * 0.10, width * 0.35 * (1 - level), fluid),
    ]


def trunk(level: float) -> list[Ellipse]:
    """An axial CT slice; ``level`` runs from 0 in the chest to 1 in the pelvis, where no lung is left."""
    lung = 0.17 * (1 - level)
    shapes = [Ellipse(0.5, 0.5, 0.45, 0.30, 930), Ellipse(0.5, 0.5, 0.42, 0.27, 1070)]
    if lung > 0.03:
        shapes += [Ellipse(x, 0.47, lung, lung * 1.2, 180) for x in (0.28, 0.72)]
        shapes.append(Ellipse(0.54, 0.45, 0.09, 0.09, 1140))
    else:
        shapes += [Ellipse(x, 0.56, 0.06, 0.05, 1500) for x in (0.22, 0.78)]
    return [*shapes, Ellipse(0.5, 0.66, 0.06, 0.05, 1700), Ellipse(0.5, 0.55, 0.025, 0.025, 1230)]


def upright(*, soft: int, air: int, bone: int) -> list[Ellipse]:
    """A frontal view of the chest: a topogram or a radiograph."""
    ribs = [Ellipse(x, 0.25 + 0.09 * n, 0.15, 0.012, bone) for n in range(5) for x in (0.31, 0.69)]
    return [
        Ellipse(0.5, 0.6, 0.46, 0.58, soft),
        Ellipse(0.31, 0.45, 0.15, 0.30, air),
        Ellipse(0.69, 0.45, 0.15, 0.30, air),
        *ribs,
        Ellipse(0.56, 0.56, 0.14, 0.16, bone),
        Ellipse(0.5, 0.5, 0.04, 0.50, bone),
    ]


def joint(level: float, *, bone: int, soft: int, fluid: int) -> list[Ellipse]:
    """A knee or a stack of vertebrae, as a coronal or sagittal MR slice."""
    wide = 0.14 + 0.05 * math.sin(math.pi * level)
    return [
        Ellipse(0.5, 0.5, 0.34, 0.49, soft),
        *(Ellipse(0.5, 0.12 + 0.19 * n, wide, 0.075, bone) for n in range(5)),
        *(Ellipse(0.5, 0.215 + 0.19 * n, wide * 0.9, 0.02, fluid) for n in range(4)),
        Ellipse(0.74, 0.5, 0.03, 0.42, fluid),
    ]


def breast(side: str, view: str) -> list[Ellipse]:
    """A mammogram: the breast hangs from the chest wall at the left or right edge."""
    wall = 0.0 if side == "L" else 1.0
    inward = 1 if side == "L" else -1
    shapes = [
        Ellipse(wall, 0.5, 0.62, 0.42, 1500),
        Ellipse(wall + inward * 0.2, 0.5, 0.24, 0.24, 2400),
        Ellipse(wall + inward * 0.28, 0.44, 0.05, 0.06, 3000),
    ]
    return [*shapes, Ellipse(wall, 0.02, 0.25, 0.2, 3300)] if view == "MLO" else shapes


def vessel(filled: float) -> list[Ellipse]:
    """An angiogram: ``filled`` tells how far the contrast has run down a winding artery and its branch."""
    path = [(0.5 + 0.18 * math.sin(3.5 * t), 0.08 + 0.84 * t, 0.035 - 0.018 * t) for t in _steps(60)]
    branch = [(0.66 + 0.2 * t, 0.45 + 0.35 * t, 0.02 - 0.008 * t) for t in _steps(30)]
    running = path[: round(60 * filled)] + branch[: max(0, round(60 * filled) - 30)]
    return [Ellipse(0.5, 0.5, 0.7, 0.6, 170), *(Ellipse(x, y, r, r, 60) for x, y, r in running)]


def _steps(count: int) -> list[float]:
    return [step / count for step in range(count)]
