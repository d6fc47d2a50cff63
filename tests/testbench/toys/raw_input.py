"""A modular input without splunklib that breaks one rule, the one that its parameter `mode` names."""

import signal
import sys
import time
import xml.etree.ElementTree as ET

SCHEME = """<scheme><title>Raw</title><description>d</description><streaming_mode>xml</streaming_mode>
<use_external_validation>true</use_external_validation><use_single_instance>false</use_single_instance>
<endpoint><args><arg name="mode"><data_type>string</data_type></arg></args></endpoint></scheme>"""
HEAD = '<event stanza="raw_input://x" unbroken="1"><time>1700000000.5</time><index>dicom</index>'
EVENT = HEAD + "%s<done/></event>"


def event(text):
    return EVENT % f"<data>{text}</data>"


def out(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def validate():
    items = ET.parse(sys.stdin).getroot()
    mode = items.findtext("item/param")
    if mode == "silent_refusal":
        return 1
    if mode == "wrong":
        out("<error><message>the mode is wrong</message></error>")
        return 1
    if mode == "wrong_but_zero":
        out("<error><message>the mode is wrong</message></error>")
    return 0


def run():
    stanza = ET.parse(sys.stdin).getroot().find("configuration/stanza")
    mode = {param.get("name"): param.text for param in stanza}["mode"]
    if mode == "nothing":
        return 0
    if mode == "stray_before":
        print("hello")
    stopped = []
    if mode == "stop_cleanly":
        signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    out("<stream>" + event("one"))
    if mode == "stop_cleanly":
        while not stopped:
            time.sleep(0.01)
    if mode == "wait":
        time.sleep(60)
    wrong = {
        "stray_between": "hello",
        "no_data": EVENT % "",
        "bad_time": event("x").replace("1700000000.5", "yesterday"),
        "control": event("a\x01b"),
        "bad_xml": "<event><data>a & b</data></event>",
        "unknown_child": event("x").replace("<done/>", "<colour>red</colour><done/>"),
        "unknown_index": event("x").replace("dicom", "nowhere"),
        "too_long": event("x" * 10001),
        "two_lines": "<event><data>a\nb</data></event>",
        "fragments": event("first ").replace("<done/>", "") + event("second"),
    }.get(mode, "")
    out(wrong + event("two"))
    if mode != "unclosed":
        out("</stream>")
    if mode == "stray_after":
        print("bye")
    if mode == "log_without_level":
        print("something happened", file=sys.stderr)
    if mode == "fails":
        print("ERROR the server is gone", file=sys.stderr)
    return 3 if mode in ("exit_code", "fails") else 0


if "--scheme" in sys.argv:
    out(SCHEME)
elif "--validate-arguments" in sys.argv:
    sys.exit(validate())
else:
    sys.exit(run())
