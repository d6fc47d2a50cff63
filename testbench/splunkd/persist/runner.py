"""Runs one persistent REST handler for the stand-in: requests on stdin, replies on stdout, in turn.

    python runner.py <bin folder of the app> <module.Class>

A message is its length in bytes, a line break, and JSON. Runs on every Python that Splunk bundles, so it is
written for 3.9. splunkd's own driver speaks another protocol here; the handler sees the same of both.
"""

import importlib
import json
import sys
import traceback


def main():
    folder, handler = sys.argv[1:]
    module, _, name = handler.rpartition(".")
    sys.path.insert(0, folder)
    application = getattr(importlib.import_module(module), name)("runner.py", handler)
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        request = sys.stdin.buffer.read(int(line)).decode("utf-8")
        try:
            reply = application.handle(request)
        except Exception:
            traceback.print_exc()
            reply = None
        data = json.dumps(reply).encode()
        sys.stdout.flush()  # what the handler printed breaks the stream, as it would in splunkd
        sys.stdout.buffer.write(b"%d\n" % len(data) + data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
