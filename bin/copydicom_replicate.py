"""Splunk starts this for the alert action `copydicom_replicate`."""

import sys
from pathlib import Path

APP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(APP), str(APP / "lib")]

from copydicom_app.splunk.alert_action import main  # noqa: E402

if __name__ == "__main__":
    main()
