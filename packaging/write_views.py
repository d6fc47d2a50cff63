"""Write the dashboards, `default/data/ui/views/*.xml`, from `packaging/dashboards`.

python packaging/write_views.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "packaging"))

from dashboards import MODULES  # noqa: E402

VIEWS = ROOT / "default" / "data" / "ui" / "views"


def files() -> Iterator[tuple[Path, str]]:
    """Every view: its file, and what it holds."""
    for module in MODULES:
        view = module.view()
        yield VIEWS / f"{view.name}.xml", view.xml()


if __name__ == "__main__":
    VIEWS.mkdir(parents=True, exist_ok=True)
    for path, text in files():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
