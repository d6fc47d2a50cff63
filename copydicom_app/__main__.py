"""``python -m copydicom_app`` is the command ``copydicom``."""

import sys

from copydicom_app.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
