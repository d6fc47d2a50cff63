"""The bench with a real Splunk: what `compose.yaml` runs, and what `verify_on_splunk.py` asks.

    prepare    before Splunk starts: passwords that nobody has used before, the package where Splunk finds it
    fill       once all servers are up: the hospital, servers and their passwords, an input, an operator
    rest       splunkd's REST API; every failure is one sentence that says what to do
    searches   every search that the app and its documents show, as it would be run
    compare    two tables of rows: what differs, and what is only written differently
    at_work    the input, the command, the alert action and the endpoints, as a person uses them
    report     what was found, for a person and as JSON

Nothing here knows the stand-in: it is asked through the same REST API.
"""
