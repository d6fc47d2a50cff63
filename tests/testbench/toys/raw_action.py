"""An alert action that writes what it got to stderr, or breaks the rule that its setting names."""

import csv
import gzip
import json
import sys

payload = json.load(sys.stdin)
with gzip.open(payload["results_file"], "rt") as file:
    rows = list(csv.DictReader(file))
mode = payload["configuration"]["mode"]
sys.stderr.write(
    "INFO " + json.dumps([sys.argv[1:], len(rows), payload["owner"], payload["configuration"]]) + "\n"
)
if mode == "print":
    print("hello")
if mode == "silent":
    sys.exit(1)
if mode == "slow":
    import time

    time.sleep(60)
