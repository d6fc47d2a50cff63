"""Units of dose reports, as vendors spell them, converted to the units in our field names. Pure.

The standard fixes one UCUM unit for each concept (PS3.16), but files hold `Gym2`, `dGy.cm2` and `mGycm`
too. A unit that is not listed here converts to nothing: a dose that is wrong by a factor is worse than
none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Optional

from copydicom_app.codes import Code

_GY = {"gy": 1e3, "cgy": 10.0, "dgy": 100.0, "mgy": 1.0, "ugy": 1e-3, "ngy": 1e-6}
_SV = {"sv": 1e3, "msv": 1.0, "usv": 1e-3, "nsv": 1e-6}
_MM = {"m": 1e3, "dm": 100.0, "cm": 10.0, "mm": 1.0, "um": 1e-3}
_SECOND = {
    "h": 3600.0,
    "min": 60.0,
    "s": 1.0,
    "sec": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "d": 86400.0,
}
_BQ = {"bq": 1e-6, "kbq": 1e-3, "mbq": 1.0, "gbq": 1e3, "tbq": 1e6, "ci": 37e3, "mci": 37.0, "uci": 0.037}
_AREA = {"m2": 1e4, "dm2": 100.0, "cm2": 1.0, "mm2": 1e-2}
_PER_SECOND = {
    "/s",
    "1/s",
    "s-1",
    "hz",
    "pulse/s",
    "pulses/s",
    "frame/s",
    "frames/s",
    "fps",
    "pps",
    "p/s",
    "f/s",
}

# Unit of our field: {spelling in the file: factor}. Spellings: lower case, no dots, spaces, braces.
_FACTORS: dict[str, dict[str, float]] = {
    "mGy": _GY,
    "mSv": _SV,
    "mm": {**_MM, "mmal": 1.0},
    "cm": {unit: factor / 10 for unit, factor in _MM.items()},
    "m": {unit: factor / 1000 for unit, factor in _MM.items()},
    "s": _SECOND,
    "ms": {**{unit: factor * 1000 for unit, factor in _SECOND.items()}, "msec": 1.0},
    "cm2": _AREA,
    "MBq": _BQ,
    "kV": {"kv": 1.0, "kvp": 1.0, "v": 1e-3},
    "mA": {"ma": 1.0, "a": 1e3, "ua": 1e-3},
    "mA.s": {"mas": 1.0, "uas": 1e-3, "as": 1e3, "nas": 1e-6},
    "mGy.cm": {
        gray + length: gray_factor * length_factor / 10
        for gray, gray_factor in _GY.items()
        for length, length_factor in _MM.items()
    },
    "Gy.cm2": {
        gray + area: gray_factor / 1e3 * area_factor
        for gray, gray_factor in _GY.items()
        for area, area_factor in _AREA.items()
    },
    "deg": {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0, "rad": 57.29577951308232},
    "1/s": dict.fromkeys(_PER_SECOND, 1.0),
    "N": {"n": 1.0, "dan": 10.0, "kn": 1e3},
    "kPa": {"kpa": 1.0, "pa": 1e-3, "hpa": 0.1, "mbar": 0.1},
    "%": {"%": 1.0, "percent": 1.0},
    "kg": {"kg": 1.0, "g": 1e-3},
    "kg/m2": {"kg/m2": 1.0},
    "cm3": {"cm3": 1.0, "ml": 1.0, "mm3": 1e-3, "l": 1e3},
    "Bq/mol": {
        "bq/mol": 1.0,
        "bq/mmol": 1e3,
        "kbq/mmol": 1e6,
        "mbq/mol": 1e6,
        "mbq/mmol": 1e9,
        "gbq/mmol": 1e12,
    },
    "mmol/l": {"mmol/l": 1.0, "umol/l": 1e-3, "mg/dl": 1 / 18.016},  # glucose: 180.16 g/mol
    "mSv/mGycm": {"msv/mgycm": 1.0, "msv/(mgycm)": 1.0, "msvmgy-1cm-1": 1.0},
}
# Written where a number has no unit; an annotation in braces is one too (UCUM, 9).
_NO_UNIT = {"1", "", "no units", "ratio", "events", "event", "{ratio}", "x-ray sources", "n/a", "none"}


def convert(value: float, unit: Optional[Code], target: str) -> Optional[float]:
    """`value` in the unit `target` of a field; None when the file's unit cannot be converted to it.

    >>> convert(1.5e-6, Code("Gym2", "UCUM"), "Gy.cm2"), convert(1.0, Code("R", "UCUM"), "mGy")
    (0.015, None)
    """
    found = factor(unit.value if unit else "", unit.meaning if unit else "", target)
    return None if found is None else tidy(value * found)


@lru_cache(maxsize=4096)
def factor(unit: str, meaning: str, target: str) -> Optional[float]:
    """What a value in `unit` is multiplied by; the unit's meaning counts only where its code is unknown."""
    if target in ("", "1"):
        # A count or a ratio: vendors annotate it as they like, but a real unit would make it something else.
        known = any(
            _plain(unit) in factors for factors in _FACTORS.values() if factors is not _FACTORS["1/s"]
        )
        return None if known else 1.0
    factors = _FACTORS[target]
    for spelling in (unit, meaning):
        if _plain(spelling) in factors:
            return factors[_plain(spelling)]
    return None


def has_no_unit(unit: Optional[Code]) -> bool:
    """Whether the file gives a number without a unit."""
    return unit is None or _plain(unit.value) in _NO_UNIT


def tidy(value: float) -> float:
    """Twelve significant digits: what the file said, without the dust of binary multiplication."""
    return float(f"{value:.12g}")


def _plain(spelling: str) -> str:
    text = spelling.strip().lower()
    if text.startswith("{") and text.endswith("}"):
        return text
    for old, new in (("µ", "u"), ("μ", "u"), ("²", "2"), ("³", "3"), ("^", ""), ("{", ""), ("}", "")):
        text = text.replace(old, new)
    return text.replace(".", "").replace("*", "").replace("·", "").replace(" ", "")
