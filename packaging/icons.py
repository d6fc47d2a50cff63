"""Draw the app's icons, `static/appIcon*.png`, from `packaging/icon.svg` with headless Chromium.

python packaging/icons.py

Splunk wants 36 x 36 and, for fine screens, 72 x 72 pixels; the `Alt` ones stand on the app's dark bar.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"appIcon": 36, "appIcon_2x": 72, "appIconAlt": 36, "appIconAlt_2x": 72}


def main() -> int:
    """Write the four files; 1 without Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("icons: Chromium is not on PATH", file=sys.stderr)
        return 1
    svg = (ROOT / "packaging" / "icon.svg").read_text(encoding="utf-8")
    for name, size in SIZES.items():
        draw(chromium, svg, size, ROOT / "static" / f"{name}.png")
    return 0


def draw(chromium: str, svg: str, size: int, target: Path) -> None:
    """One icon on a transparent ground."""
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "icon.html"
        style = f"<style>*{{margin:0}}svg{{display:block;width:{size}px;height:{size}px}}</style>"
        page.write_text(f"<!doctype html>{style}{svg}", encoding="utf-8")
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--default-background-color=00000000"]
        where = [f"--window-size={size},{size}", f"--screenshot={target}", page.as_uri()]
        subprocess.run([chromium, *options, *where], check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    sys.exit(main())
