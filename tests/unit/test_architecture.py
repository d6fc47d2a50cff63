"""The direction of dependencies, read from the imports; and files that say the same thing say the same."""

import ast
import configparser
import json
import re
from pathlib import Path

import pytest

from copydicom_app import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "copydicom_app"
PURE = ("models", "errors", "times", "simplify")
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


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
    assert not {name for name in imports(module) if name.startswith(("splunklib", "copydicom_app.splunk"))}


@pytest.mark.parametrize("module", [module for module in MODULES if module != "orthanc.py"])
def test_only_the_client_imports_requests(module: str) -> None:
    assert not {name for name in imports(module) if name.split(".")[0] == "requests"}


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_do_no_io_and_have_no_clock_of_their_own(name: str) -> None:
    allowed_time = {"models"}  # the tally measures how long a copy took
    banned = {"os", "io", "socket", "requests", "pathlib", "threading", "logging", "sys"}
    banned |= set() if name in allowed_time else {"time"}
    assert not banned & {imported.split(".")[0] for imported in imports(f"{name}.py")}


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("splunk/")])
def test_the_core_raises_and_does_not_log_or_print(module: str) -> None:
    assert "logging" not in imports(module)
    assert not re.search(r"^\s*print\(", (PACKAGE / module).read_text(), re.MULTILINE)


def test_the_version_is_the_same_everywhere() -> None:
    app = conf("default/app.conf")
    assert app["launcher"]["version"] == app["id"]["version"] == __version__
    assert json.loads((ROOT / "app.manifest").read_text())["info"]["id"]["version"] == __version__


@pytest.mark.parametrize(("path", "stanza"), [("inputs", "orthanc"), ("commands", "copydicom")])
def test_every_script_says_which_python_it_runs_on(path: str, stanza: str) -> None:
    keys = conf(f"default/{path}.conf")[stanza]
    assert (keys["python.version"], keys["python.required"]) == ("python3", "3.9, 3.13")


def test_every_argument_of_the_input_is_in_its_spec_and_the_other_way_round() -> None:
    from copydicom_app.splunk.modular_input import ARGUMENTS

    spec = (ROOT / "README/inputs.conf.spec").read_text()
    assert set(re.findall(r"^(\w+) = ", spec, re.MULTILINE)) == set(ARGUMENTS)


def test_every_key_of_a_server_is_in_its_spec() -> None:
    spec = set(
        re.findall(r"^(\w+) = ", (ROOT / "README/copydicom_servers.conf.spec").read_text(), re.MULTILINE)
    )
    used = set(re.findall(r'stanza\.get\("(\w+)"', (PACKAGE / "splunk/config.py").read_text()))
    assert used == spec


def test_every_option_of_the_command_is_in_searchbnf_and_in_its_docstring() -> None:
    from copydicom_app.splunk.search_command import CopydicomCommand

    options = set(CopydicomCommand().options) - {
        "logging_configuration",
        "logging_level",
        "record",
        "show_configuration",
    }
    syntax = conf("default/searchbnf.conf")["copydicom-command"]["syntax"]
    assert set(re.findall(r"(\w+)=", syntax)) == options
    assert set(re.findall(r"(\w+)=<", CopydicomCommand.__doc__ or "")) == options


def test_no_file_is_sent_through_a_proxy_or_with_anothers_login() -> None:
    assert "trust_env = False" in (PACKAGE / "orthanc.py").read_text()
