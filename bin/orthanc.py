"""Splunk starts this for every `[orthanc://<name>]` of inputs.conf."""

import os
import signal
import sys
from pathlib import Path

# A stop before everything is loaded is a clean end too: nothing was begun. Not sys.exit, whose exception is
# lost where it comes up in a callback, as importing has them.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

APP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(APP), str(APP / "lib")]

from copydicom_app.splunk.modular_input import main  # noqa: E402

if __name__ == "__main__":
    main()
