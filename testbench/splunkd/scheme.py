"""The scheme by which a modular input introduces itself.

Source: dev.splunk.com, "Modular inputs: define a scheme for introspection", and
`inputs.conf.spec`: an input without its stanza in the app's `README/inputs.conf.spec` is not loaded.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from testbench.splunkd.violations import Violations

_FLAGS = ("use_external_validation", "use_single_instance", "required_on_edit", "required_on_create")
_DATA_TYPES = ("string", "number", "boolean")


@dataclass(frozen=True)
class Argument:
    name: str
    data_type: str
    required_on_create: bool


@dataclass(frozen=True)
class Scheme:
    """What `--scheme` printed."""

    title: str
    description: str
    arguments: tuple[Argument, ...]
    use_external_validation: bool
    use_single_instance: bool


def parse_scheme(text: bytes, violations: Violations) -> Scheme | None:
    """The scheme, or None with a violation when it is no `<scheme>` document."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        violations.add(f"--scheme printed no XML ({error}): {text[:80]!r}")
        return None
    if root.tag != "scheme":
        violations.add(f"--scheme printed <{root.tag}>, not <scheme>")
        return None
    if not root.findtext("title"):
        violations.add("the scheme has no title")
    if root.findtext("streaming_mode", "simple") != "xml":
        violations.add("the scheme's streaming_mode is not xml")
    for flag in _FLAGS:
        for element in root.iter(flag):
            if (element.text or "").strip().lower() not in ("true", "false", "0", "1"):
                violations.add(f"<{flag}> is {element.text!r}, not true or false")
    arguments = tuple(_argument(element, violations) for element in root.iterfind("endpoint/args/arg"))
    names = [argument.name for argument in arguments]
    for name in sorted({name for name in names if names.count(name) > 1}):
        violations.add(f"the scheme has the argument {name!r} twice")
    return Scheme(
        root.findtext("title", ""),
        root.findtext("description", ""),
        arguments,
        _true(root, "use_external_validation"),
        _true(root, "use_single_instance"),
    )


def check_spec(app_dir: Path, name: str, scheme: Scheme, violations: Violations) -> None:
    """The input's stanza and every argument must be in `README/inputs.conf.spec`."""
    path = app_dir / "README" / "inputs.conf.spec"
    text = path.read_text("utf-8") if path.is_file() else ""
    _, found, after = text.partition(f"[{name}://")
    if not found:
        violations.add(
            f"README/inputs.conf.spec has no stanza [{name}://...]: splunkd would not load the input"
        )
        return
    stanza = after.partition("\n[")[0]
    for argument in scheme.arguments:
        if not re.search(rf"^{re.escape(argument.name)}\s*=", stanza, re.MULTILINE):
            violations.add(f"README/inputs.conf.spec does not name {argument.name!r} under [{name}://...]")


def _argument(element: ET.Element, violations: Violations) -> Argument:
    name = element.get("name", "")
    if not name:
        violations.add("an argument of the scheme has no name")
    data_type = element.findtext("data_type", "string")
    if data_type not in _DATA_TYPES:
        violations.add(f"the argument {name!r} has the data_type {data_type!r}")
    return Argument(name, data_type, _true(element, "required_on_create"))


def _true(element: ET.Element, flag: str) -> bool:
    return element.findtext(flag, "false").strip().lower() in ("true", "1")
