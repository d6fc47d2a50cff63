"""Colours that can be told apart on white and on Splunk's dark ground, by people who see colours differently too.

All are of middle lightness, so one set serves both themes.
"""

from __future__ import annotations

BLUE, ORANGE, GREEN, RED = "#3D87C9", "#DB8A1D", "#2A9D8F", "#D1495B"
PURPLE, ROSE, OLIVE, GREY = "#8A72C8", "#C46BA8", "#A19A2C", "#8A94A0"
SERIES = [BLUE, ORANGE, GREEN, PURPLE, RED, OLIVE, ROSE, GREY]

# One modality, one colour, in every view.
MODALITIES = {
    "CT": BLUE,
    "XA": RED,
    "RF": ROSE,
    "MG": GREEN,
    "DX": PURPLE,
    "CR": "#B09FE0",
    "MR": ORANGE,
    "NM": OLIVE,
    "PT": "#7D7A1E",
    "US": "#5FA8A0",
    "OT": GREY,
    "SR": "#6B7885",
}

GOOD, WARN, BAD = GREEN, ORANGE, RED


def behind_text(colour: str) -> str:
    """The colour as the ground of a cell: so thin that text on it can be read, on white and on black."""
    return f"{colour}59"
