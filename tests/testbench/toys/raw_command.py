"""A search command without splunklib that breaks one rule, the one that `mode=` names."""

import json
import os
import re
import sys
import time
from pathlib import Path

reader, writer = sys.stdin.buffer, sys.stdout.buffer


def read():
    line = reader.readline()
    if not line:
        sys.exit(0)
    lengths = re.match(rb"chunked 1.0,(\d+),(\d+)\n", line)
    return json.loads(reader.read(int(lengths[1]))), reader.read(int(lengths[2]))


def write(metadata, body=b"", raw=None, extra=0, flush=True):
    text = raw if raw is not None else json.dumps(metadata).encode()
    writer.write(b"chunked 1.0,%d,%d\n" % (len(text), len(body) + extra) + text + body)
    if flush:
        writer.flush()


getinfo, _ = read()
info = getinfo["searchinfo"]
mode = dict(arg.split("=", 1) for arg in info["args"]).get("mode", "")
if mode == "print":
    print("loading", flush=True)
reply = {"type": "unheard-of" if mode == "type" else "stateful"}
if mode == "refuse":
    write({"type": "stateful", "inspector": {"messages": [["ERROR", "no such server"]]}})
    sys.exit(1)
if mode in ("held_back", "index_dropped"):
    reply["required_fields"] = ["ID"]
if mode == "tell":
    preview, restart = getinfo["preview"], getinfo["streaming_command_will_restart"]
    told = f"{info['raw_args']} {info['args']} {info['username']} {info['sid']} {preview} {restart}"
    told += (
        f" {sorted(p.name for p in Path(info['dispatch_dir']).iterdir())} {Path.cwd()} {sorted(os.environ)}"
    )
    reply["inspector"] = {"messages": [["INFO", told]]}
write(reply, b"a,__mv_a\n1,\n" if mode == "getinfo_body" else b"")
number = 0
while True:
    request, body = read()
    number += 1
    finished = {"finished": request["finished"]}
    if mode == "bad_json":
        write(finished, body, raw=b"{finished}")
    elif mode == "short":
        write(finished, body, extra=7)
        sys.exit(0)
    elif mode == "no_reply":
        sys.exit(0)
    elif mode == "slow":
        time.sleep(60)
    elif mode == "early":
        write({"finished": True}, body)
        sys.exit(0)
    elif mode == "never_finished":
        write({"finished": False}, body)
    elif mode == "drop_row":
        write(finished, b"\n".join(body.split(b"\n")[:-2]) + b"\n" if body.count(b"\n") > 1 else body)
    elif mode == "swap":
        write(finished, body.replace(b"\n1,", b"\n0,").replace(b"\n3,", b"\n1,").replace(b"\n0,", b"\n3,"))
    elif mode == "drop_field":
        write(finished, body.replace(b"name,__mv_name", b"other,__mv_other"))
    elif mode == "flatten":
        write(finished, body.replace(b"$a$$b$;$c$", b""))
    elif mode == "ragged":
        write(finished, body + b"1,2,3\n")
    elif mode == "index_dropped":
        write(finished, body.replace(b"_chunked_idx", b"_lost"))
    elif mode == "error_exit":
        write({"finished": True, "inspector": {"messages": [["ERROR", "the disk is full"]]}})
        sys.exit(1)
    elif mode == "twice":
        write(finished, body, flush=False)  # both in one piece, so that neither comes late
        write(finished, body)
    else:
        write(finished, body)
    if request["finished"]:
        if mode == "exit_code":
            sys.exit(3)
        if mode == "epilogue":
            print("done")
