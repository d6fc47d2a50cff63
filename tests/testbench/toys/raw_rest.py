"""A persistent REST handler that keeps the rules, or breaks the one that the request names."""

import json
import sys

from splunk.persistconn.application import PersistentServerConnectionApplication


class Echo(PersistentServerConnectionApplication):
    def __init__(self, command_line, command_arg):
        super().__init__()

    def handle(self, in_string):
        request = json.loads(in_string)
        mode = request.get("payload", "")
        if mode == "print":
            print("hello")
        if mode == "raise":
            raise ValueError(mode)
        if mode == "exit":
            sys.exit(3)
        return {"status": 200, "payload": request, "headers": {"Cache-Control": "no-store"}}
