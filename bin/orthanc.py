"""Splunk starts this for every `[orthanc://<name>]` of inputs.conf."""

import sys
from pathlib import Path

APP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(APP), str(APP / "lib")]

from copydicom_app.splunk.modular_input import main  # noqa: E402

if __name__ == "__main__":
    main()
