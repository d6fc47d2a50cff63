"""The direction of dependencies, read from the imports; and files that say the same thing say the same."""

import ast
import configparser
import dataclasses
import functools
import json
import re
from pathlib import Path

import pytest

from copydicom_app import __version__
from copydicom_app.models import Server

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "copydicom_app"
HTTP = ("transport.py", "asking.py", "refusal.py", "splunk/client.py", "splunk/hec.py")
# What the command line and the library take from splunk/, when they need it: nothing there wants splunklib.
OF_SPLUNK = {f"copydicom_app.splunk.{name}" for name in ("client", "envelopes", "hec")}
PURE = (
    *(
        "addresses",
        "models",
        "errors",
        "times",
        "tags_event",
        "events",
        "privacy",
        "codes",
        "structured_report",
        "nested_report",
    ),
    *sorted(f"dose/{path.stem}" for path in PACKAGE.glob("dose/*.py")),
)
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@functools.cache
def imports(module: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def conf(path: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    text = (ROOT / path).read_text().replace("\\\n", " ")
    parser.read_string(text)
    return parser


def test_there_are_modules_to_look_at() -> None:
    assert "splunk/modular_input.py" in MODULES


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("splunk/")])
def test_the_core_knows_nothing_of_splunk(module: str) -> None:
    allowed = OF_SPLUNK if module in ("library.py", "ends.py") else set()
    known = {name for name in imports(module) if name.startswith(("splunklib", "copydicom_app.splunk"))}
    assert not known - allowed


def stand_alone() -> set[str]:
    """The modules that are not in the Splunk app."""
    source = (ROOT / "packaging/build.py").read_text()
    (names,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STAND_ALONE"
    )
    assert all(list(ROOT.glob(name)) for name in names), "a name that is no file (any more)"
    return {
        path.relative_to(PACKAGE).as_posix() for name in names for path in ROOT.glob(name) if path.is_file()
    }


def needs(module: str) -> set[str]:
    """The modules of the package that one imports."""
    found = {name for name in imports(module) if name.startswith("copydicom_app.")}
    paths = {name.removeprefix("copydicom_app.").replace(".", "/") + ".py" for name in found}
    return paths & set(MODULES)


def test_nothing_in_the_splunk_app_needs_a_module_or_library_that_it_does_not_bring() -> None:
    left_out = stand_alone()
    for module in (
        set(MODULES) - left_out - {"__init__.py"}
    ):  # that one imports when asked, or for a type checker
        assert not needs(module) & left_out, module
        assert not {"click", "rich", "pydicom"} & {name.split(".")[0] for name in imports(module)}, module


def test_the_stand_alone_commands_need_no_splunklib() -> None:
    for module in stand_alone():
        todo, seen = {module}, set()
        while todo:
            one = todo.pop()
            seen.add(one)
            assert not {name for name in imports(one) if name.startswith("splunklib")}, f"{module} by {one}"
            todo |= needs(one) - seen


@pytest.mark.parametrize("module", [m for m in MODULES if m not in HTTP])
def test_only_the_client_and_its_transport_speak_http(module: str) -> None:
    assert not {name for name in imports(module) if name.split(".")[0] in ("http", "urllib3", "requests")}


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_do_no_io_and_have_no_clock_of_their_own(name: str) -> None:
    allowed_time = {"models"}  # the tally measures how long a copy took
    banned = {"os", "io", "socket", "requests", "pathlib", "threading", "logging", "sys"}
    banned |= set() if name in allowed_time else {"time"}
    assert not banned & {imported.split(".")[0] for imported in imports(f"{name}.py")}


@pytest.mark.parametrize(
    "module", [module for module in MODULES if not module.startswith(("splunk/", "cli/"))]
)
def test_the_core_raises_and_does_not_log_or_print(module: str) -> None:
    assert "logging" not in imports(module)
    assert not re.search(r"^\s*print\(", (PACKAGE / module).read_text(), re.MULTILINE)


def test_the_version_is_the_same_everywhere() -> None:
    app = conf("default/app.conf")
    assert app["launcher"]["version"] == app["id"]["version"] == __version__
    assert json.loads((ROOT / "app.manifest").read_text())["info"]["id"]["version"] == __version__


SCRIPTS = [
    ("inputs", "orthanc"),
    ("commands", "copydicom"),
    ("alert_actions", "copydicom_replicate"),
    ("restmap", "script:copydicom_transfer"),
    ("restmap", "script:copydicom_test"),
]


@pytest.mark.parametrize(("path", "stanza"), SCRIPTS)
def test_every_script_says_which_python_it_runs_on(path: str, stanza: str) -> None:
    keys = conf(f"default/{path}.conf")[stanza]
    assert (keys["python.version"], keys["python.required"]) == ("python3", "3.9, 3.13")


def test_every_argument_of_the_input_is_in_its_spec_and_the_other_way_round() -> None:
    from copydicom_app.splunk.modular_input import ARGUMENTS

    spec = (ROOT / "README/inputs.conf.spec").read_text()
    assert set(re.findall(r"^(\w+) = ", spec, re.MULTILINE)) == set(ARGUMENTS)


def keys_of_spec(name: str) -> set[str]:
    return set(re.findall(r"^(\w+) = ", (ROOT / "README" / name).read_text(), re.MULTILINE))


def test_every_key_of_servers_and_profiles_is_in_its_spec() -> None:
    source = (PACKAGE / "splunk/config.py").read_text()
    used = set(re.findall(r'stanza\.get\("(\w+)"', source)) | set(re.findall(r'"(\w+)", stanza\b', source))
    assert used <= keys_of_spec("copydicom_servers.conf.spec") | keys_of_spec("copydicom_profiles.conf.spec")
    server_keys = {field.name for field in dataclasses.fields(Server)} - {"name", "password"}
    assert server_keys == keys_of_spec("copydicom_servers.conf.spec")


def test_every_option_of_the_command_is_in_readme_docs_and_search_assistant() -> None:
    from copydicom_app.splunk.options import Options

    syntax = conf("default/searchbnf.conf")["copydicom-command"]["syntax"]
    description = conf("default/searchbnf.conf")["copydicom-command"]["description"]
    options = {field.name for field in dataclasses.fields(Options)}
    assert set(re.findall(r"(\w+)=", syntax)) == options
    assert set(re.findall(r"(?:^|\\p\\\s+)(\w+):", description)) == options
    (sentence,) = re.findall(r"The options of the command are ([^;]+);", (ROOT / "README.md").read_text())
    assert set(re.findall(r"`(\w+)`", sentence)) == options
    table = (ROOT / "docs/copydicom.md").read_text().split("\n## Options\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == options


def test_every_parameter_of_the_alert_action_is_in_its_conf_specs_and_page() -> None:
    from copydicom_app.splunk.alert_action import NAME, PARAMETERS

    wanted = set(PARAMETERS)
    stanza = conf("default/alert_actions.conf")[NAME]
    assert {key.removeprefix("param.") for key in stanza if key.startswith("param.")} == wanted
    spec = (ROOT / "README/alert_actions.conf.spec").read_text()
    assert set(re.findall(r"^param\.(\w+) = ", spec, re.MULTILINE)) == wanted
    spec = (ROOT / "README/savedsearches.conf.spec").read_text()
    assert set(re.findall(rf"^action\.{NAME}\.param\.(\w+) = ", spec, re.MULTILINE)) == wanted
    page = (ROOT / f"default/data/ui/alerts/{NAME}.html").read_text()
    assert set(re.findall(rf'name="action\.{NAME}\.param\.(\w+)"', page)) == wanted
    assert set(re.findall(r'<label class="control-label" for="(\w+)"', page)) == set(
        re.findall(r' id="(\w+)"', page)
    )


def test_every_capability_of_the_app_is_in_its_spec_and_no_role_imports_another() -> None:
    from copydicom_app.splunk.config import CONFIGURE_CAPABILITY, COPY_CAPABILITY, INPUTS_CAPABILITY

    authorize = conf("default/authorize.conf")
    ours = {name for name in authorize.sections() if name.startswith("capability::")}
    assert ours == {
        f"capability::{name}" for name in (COPY_CAPABILITY, CONFIGURE_CAPABILITY, INPUTS_CAPABILITY)
    }
    spec = (ROOT / "README/authorize.conf.spec").read_text()
    assert ours == set(re.findall(r"^\[(capability::\w+)\]", spec, re.MULTILINE))
    roles = {name for name in authorize.sections() if name.startswith("role_")}
    assert roles == {
        f"role_{name}" for name in ("admin", "sc_admin", "copydicom_operator", "copydicom_admin")
    }
    assert not [role for role in roles if "importroles" in authorize[role]]
    assert dict(authorize["role_copydicom_operator"]) == {COPY_CAPABILITY: "enabled"}


def test_only_what_the_set_up_page_needs_is_reached_from_a_browser() -> None:
    exposed = conf("default/web.conf")
    assert {exposed[name]["pattern"]: exposed[name]["methods"] for name in exposed.sections()} == {
        "copydicom/test": "POST",
        "copydicom/server": "POST",
        "data/inputs/orthanc": "GET,POST",
        "data/inputs/orthanc/*": "GET,POST,DELETE",
        "data/inputs/orthanc/*/*": "POST",
    }


@pytest.mark.parametrize("sourcetype", ["dicom:dose:event", "dicom:dose:study"])
def test_the_aliases_of_dose_events_name_fields_that_exist(sourcetype: str) -> None:
    from copydicom_app.dose.fields import FIELDS

    aliases = re.findall(r"(\w+) AS (\w+)", conf("default/props.conf")[sourcetype]["fieldalias-dicom"])
    assert len(aliases) > 10
    assert {ours for ours, _ in aliases} <= {field.name for field in FIELDS}
