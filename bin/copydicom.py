"""Splunk starts this for `| copydicom`."""

import sys
from pathlib import Path

APP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(APP), str(APP / "lib")]

from copydicom_app.splunk.search_command import main  # noqa: E402

if __name__ == "__main__":
    main()
