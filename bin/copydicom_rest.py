"""splunkd keeps this running for the REST endpoints of restmap.conf, and calls `handle` for each request."""

import sys
from pathlib import Path

APP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(APP), str(APP / "lib")]

from splunk.persistconn.application import PersistentServerConnectionApplication  # noqa: E402

from copydicom_app.splunk import rest_handler  # noqa: E402


class Transfer(PersistentServerConnectionApplication):
    """`copydicom/transfer`"""

    def __init__(self, command_line, command_arg):
        super().__init__()
        self._handler = rest_handler.Handler(rest_handler.transfer, "transfer")

    def handle(self, in_string):
        return self._handler.handle(in_string)


class Test(PersistentServerConnectionApplication):
    """`copydicom/test`"""

    def __init__(self, command_line, command_arg):
        super().__init__()
        self._handler = rest_handler.Handler(rest_handler.test, "test")

    def handle(self, in_string):
        return self._handler.handle(in_string)


class Server(PersistentServerConnectionApplication):
    """`copydicom/server`"""

    def __init__(self, command_line, command_arg):
        super().__init__()
        self._handler = rest_handler.Handler(rest_handler.server, "server")

    def handle(self, in_string):
        return self._handler.handle(in_string)
