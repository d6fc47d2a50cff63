"""A stateful search command on splunklib that adds a field and writes an audit line."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))

from splunklib.searchcommands import Configuration, Option, StreamingCommand, dispatch


@Configuration(distributed=False)
class Toy(StreamingCommand):
    dest = Option(require=True)

    def stream(self, records):
        audit = Path(os.environ["SPLUNK_HOME"], "var", "log", "splunk", "copydicom_audit.log")
        for record in records:
            record["status"] = f"sent to {self.dest}"
            with audit.open("a") as log:
                log.write(f'2024-03-01T10:00:00Z dest="{self.dest}"\n')
            yield record


dispatch(Toy, sys.argv, sys.stdin, sys.stdout, __name__)
