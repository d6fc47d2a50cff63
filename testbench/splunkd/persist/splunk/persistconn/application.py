"""The base class of persistent REST handlers. splunkd makes one object a process and calls `handle`."""


class PersistentServerConnectionApplication:
    """`handle` gets a request as JSON text and returns a dict with `status`, `payload` and `headers`."""

    def handle(self, in_string):
        raise NotImplementedError
