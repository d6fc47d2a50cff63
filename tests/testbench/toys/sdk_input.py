"""A modular input on splunklib, as the app has one."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lib"))

from splunklib import client
from splunklib.modularinput import Argument, Event, Scheme, Script


class Input(Script):
    def get_scheme(self):
        scheme = Scheme("Toy")
        scheme.use_external_validation = True
        scheme.add_argument(Argument("server", data_type=Argument.data_type_string, required_on_create=True))
        return scheme

    def validate_input(self, definition):
        if definition.parameters["server"] == "nowhere":
            raise ValueError(f"server 'nowhere' of {definition.metadata['name']} is not known")

    def stream_events(self, inputs, writer):
        uri = inputs.metadata["server_uri"].rpartition(":")
        service = client.connect(
            scheme="http", host="127.0.0.1", port=int(uri[2]), token=inputs.metadata["session_key"],
            owner="nobody", app="copydicom_app", autologin=False,
        )  # fmt: skip
        for name, values in inputs.inputs.items():
            stanza = service.confs["copydicom_servers"][values["server"]]
            mark = Path(inputs.metadata["checkpoint_dir"], "mark")
            for number in range(0 if not mark.exists() else 2, 2):
                tags = {"ID": f"id{number}", "Größe": "ü\x01", "base_url": stanza["base_url"]}
                event = Event(
                    json.dumps(tags), name, f"{1700000000 + number}.250", host="pacs", index=values["index"]
                )
                writer.write_event(event)
            mark.write_text("2")
            writer.log("INFO", "sent=2")


sys.exit(Input().run(sys.argv))
