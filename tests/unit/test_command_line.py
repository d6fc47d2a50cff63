"""The command line by itself: its help, its arguments, its config file, its words."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from copydicom_app import retry
from copydicom_app.cli.main import copydicom, main
from copydicom_app.cli.options import Moment
from copydicom_app.cli.report import Report, line, progress_line
from copydicom_app.cli.servers import Servers
from copydicom_app.errors import ConfigurationError
from copydicom_app.gauge import Gauge
from copydicom_app.models import Outcome, Status

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/command-line.md").read_text()
VERBS = ("replicate", "replicate_tags", "conditional_replicate", "dose", "check", "completion")
SECRET = "not/to be@said?#%"
DEAD = "http://orthanc:a-pass-word@127.0.0.1:9"


class Ran(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command line in this process, with no environment and no config file but those of the test."""
    for name in [name for name in os.environ if name.startswith("COPYDICOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(retry, "_SECONDS", (0.0, 0.0))

    def run(*arguments: str) -> Ran:
        code = main(arguments)
        said = Ran(code, *capsys.readouterr())
        assert "a-pass-word" not in said.out + said.err
        assert "Traceback" not in said.err
        return said

    return run


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_each_command_names_examples_and_the_environment(verb: str, run: Run) -> None:
    done = run(verb, "--help")
    assert done.code == 0
    assert re.search(r"Examples:\n +(eval|copydicom)", done.out)
    command = copydicom.commands[verb]
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "help":
            assert option.help, f"--{option.name} says nothing"
            assert option.envvar == "COPYDICOM_" + option.opts[0][2:].replace("-", "_").upper()
            assert str(option.envvar) in re.sub(r"\s+", "", done.out)


def test_help_lists_the_commands_and_the_page_all_options() -> None:
    options = {
        name
        for command in copydicom.commands.values()
        for option in command.params
        if isinstance(option, click.Option)
        for name in option.opts
        if name.startswith("--") and name != "--help"
    }
    table = PAGE.split("\n## Options\n")[1].split("\n## ")[0]
    shown = {
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(--[\w-]+)`", row.split("|")[1])
    }
    assert shown == options
    assert (
        set(re.findall(r"^\| `copydicom (\w+)", PAGE, re.MULTILINE)) == set(VERBS) == set(copydicom.commands)
    )


def test_the_top_help_tells_of_exit_codes_and_passwords(run: Run) -> None:
    done = run("--help")
    assert "3 a server cannot be reached" in re.sub(r"\s+", " ", done.out)
    assert "COPYDICOM_SRC_PASSWORD" in done.out
    assert run("--version").out.startswith("copydicom, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("replicate", "--src", DEAD),
        ("replicate", DEAD, "--src", DEAD, "--dest", DEAD),
        (DEAD,),
        ("replicate", f"--scr={DEAD}", "--dest", DEAD),
        ("replicate", "--src", DEAD, "--dest", "http://orthanc:a-pass-word/x@127.0.0.1:9"),
        ("replicate", "--src", DEAD, "--dest", "ftp://orthanc:a-pass-word@127.0.0.1:9"),
        ("replicate", "--src", DEAD, "--dest", "http://orthanc:a-pass-word@127.0.0.1:99999"),
        ("replicate", "--src", DEAD, "--dest", f"{DEAD}?a-pass-word"),
        ("replicate", "--src", DEAD, "--dest", DEAD),
        ("replicate", "--src", DEAD, "--dest", "nowhere"),
        ("replicate", "--src", DEAD, "--dest", DEAD, "--level", DEAD),
        ("replicate", "--src", DEAD, "--dest", DEAD, "--since", DEAD),
        ("replicate", "--src", DEAD, "--dest", DEAD, "--jobs", "0"),
        ("replicate_tags", "--src", DEAD, "--index", DEAD),
        ("replicate_tags", "--src", DEAD, "--hec", DEAD),
        ("replicate_tags", "--src", DEAD, "--out", "-", "--hec", DEAD),
        ("replicate_tags", "--src", DEAD, "--out", "-", "--json"),
        ("replicate_tags", "--src", DEAD, "--out", "/no/such/folder/events"),
        ("conditional_replicate", "--src", DEAD, "--index", DEAD, "--dest", DEAD),
        ("dose", f"{DEAD}/patients"),
        ("dose", "orthanc:a-pass-word@127.0.0.1:9"),
        ("dose", f"orthanc:a-pass-word@127.0.0.1:9/instances/{'-'.join(['0' * 8] * 5)}"),
        ("replicate", "--src", "orthanc:a-pass-word@127.0.0.1:9", "--dest", DEAD),
        ("orthanc:a-pass-word@127.0.0.1:9",),
        ("dose", "/no/such/file"),
        ("dose", __file__),
    ],
)
def test_wrong_arguments_end_with_2_and_say_no_password(arguments: tuple[str, ...], run: Run) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("replicate", "--src", DEAD, "--dest", "http://other:a-pass-word@127.0.0.1:10"),
        ("replicate_tags", "--src", DEAD, "--out", "-"),
        ("check", "--src", DEAD, "--dest", "http://127.0.0.1:10"),
        ("dose", f"{DEAD}/instances/{'-'.join(['0' * 8] * 5)}"),
    ],
)
def test_a_server_that_cannot_be_reached_ends_with_3_and_says_what_to_look_at(
    arguments: tuple[str, ...], run: Run
) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (3, "")
    assert "server '127.0.0.1:9' (127.0.0.1) cannot be reached; check that Orthanc runs there" in done.err


def test_each_option_may_come_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYDICOM_SRC", DEAD)
    monkeypatch.setenv("COPYDICOM_DEST", "http://127.0.0.1:10")
    monkeypatch.setenv("COPYDICOM_DRY_RUN", "1")
    assert run("replicate").code == 3
    monkeypatch.setenv("COPYDICOM_LEVEL", "everything")
    done = run("replicate")
    assert done.code == 2
    assert "--level" in done.err


@pytest.mark.parametrize("verb", ["replicate-tags", "conditional-replicate"])
def test_a_hyphen_is_as_good_as_an_underscore(verb: str, run: Run) -> None:
    assert run(verb, "--help").out.startswith(f"Usage: copydicom {verb} ")


def config(tmp_path: Path, text: str) -> Servers:
    path = tmp_path / "servers.conf"
    path.write_text(text)
    return Servers(path)


def test_a_name_is_explained_by_the_config_file_and_its_password_comes_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    servers = config(
        tmp_path,
        f"[pacs]\nbase_url = https://pacs.example:8042/\nusername = me\npassword_file = {secret}\n"
        "timezone = Europe/Berlin\nmax_connections = 7\nverify_tls = 0\nroles = a, b\n",
    )
    found = servers.find("pacs", "src")
    assert (found.name, found.base_url, found.username, found.password) == (
        "pacs",
        "https://pacs.example:8042",
        "me",
        SECRET,
    )
    assert (found.timezone, found.max_connections, found.verify_tls) == ("Europe/Berlin", 7, False)
    monkeypatch.setenv("COPYDICOM_PASSWORD_PACS", "by name")
    assert servers.find("pacs", "src").password == "by name"
    monkeypatch.setenv("COPYDICOM_SRC_PASSWORD", "by role")
    assert servers.find("pacs", "src").password == "by role"
    assert servers.find("http://me@127.0.0.1:8042", "src").password == "by role"
    monkeypatch.setenv("COPYDICOM_HEC_TOKEN", "token")
    assert servers.find("http://127.0.0.1:8088", "hec").password == "token"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[pacs]\nbase_url = http://x\npassword = geheim\n",
            "must hold no password; move it to a file of its own",
        ),
        ("[pacs]\nbase_url = http://me:geheim@x\n", "base_url holds a login"),
        ("[pacs]\nbase_url = pacs:8042\n", "is no http:// or https:// address"),
        ("[pacs]\nbase_url = http://x\nmax_connections = geheim?\n", "must be a number"),
        ("[pacs]\nbase_url = http://x\nverify_tls = perhaps\n", "must be true or false"),
        ("[pacs]\nbase_url = http://x\nurl = y\n", "'url' is not known"),
        ("geheim\n", "line 1 is neither a stanza"),
        ("[other]\nbase_url = http://x\n", r"'pacs' is not in .*known there: other"),
        ("[pacs]\nbase_url = http://x\nusername = me\npassword_file = /no/such\n", "cannot be read"),
    ],
)
def test_a_config_file_that_is_wrong_is_told_with_the_way_out(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem) as raised:
        config(tmp_path, text).find("pacs", "src")
    assert "geheim" not in str(raised.value).replace("not 'geheim?'", "")


@pytest.mark.skipif(os.name != "posix", reason="rights of files")
def test_a_password_that_others_may_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    servers = config(tmp_path, f"[pacs]\nbase_url = http://x\nusername = me\npassword_file = {secret}\n")
    with pytest.raises(ConfigurationError, match="chmod 600") as raised:
        servers.find("pacs", "src")
    assert SECRET not in str(raised.value)
    secret.chmod(stat.S_IRUSR)
    assert servers.find("pacs", "src").password == SECRET


def test_splunks_own_certificate_is_taken_on_this_machine_only() -> None:
    servers = Servers()
    assert not servers.find("https://admin:x@localhost:8089", "index").verify_tls
    assert servers.find("https://admin:x@splunk.example:8089", "index").verify_tls
    assert servers.find("https://admin:x@localhost:8042", "src").verify_tls


def test_a_moment_is_a_date_or_so_long_ago() -> None:
    convert = Moment().convert
    assert (
        convert("2026-01-31T10:00Z", None, None).isoformat()
        == convert("2026-01-31T10:00+00:00", None, None).isoformat()
        != ""
    )
    assert convert("2026-01-31", None, None).tzinfo is not None
    assert 86_399 < (convert("1d", None, None) - convert("2d", None, None)).total_seconds() < 86_402
    with pytest.raises(click.BadParameter):
        convert("yesterday", None, None)


OUTCOMES = [
    Outcome("a", Status.COPIED, copied=37, bytes=19_000_000),
    Outcome("b", Status.PRESENT, present=1166),
    Outcome("c", Status.FAILED, failed=1, message="server 'x' is full (HTTP 507)"),
]


def test_the_closing_line_is_the_last_and_failures_are_told_as_they_come(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Report(Gauge(), as_json=False, verbose=False, quiet=True) as report:
        assert report.run(OUTCOMES, stopped=lambda: False) == 1
    out, err = capsys.readouterr()
    assert re.fullmatch(r"1204 instances: 37 copied, 1166 present, 1 failed in 0:\d\d\n", out)
    assert err == "failed   c: server 'x' is full (HTTP 507)\n"


def test_lines_of_json_have_standard_output_to_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    with Report(Gauge(), as_json=True, verbose=False, quiet=True) as report:
        assert report.run(OUTCOMES[:2], stopped=lambda: False) == 0
        assert report.run([], stopped=lambda: True) == 1
    out, err = capsys.readouterr()
    assert [json.loads(text) for text in out.splitlines()] == [
        {"ref": "a", "status": "copied", "copied": 37, "bytes": 19_000_000},
        {"ref": "b", "status": "present", "present": 1166, "bytes": 0},
    ]
    assert err.count("1203 instances: 37 copied, 1166 present, 0 failed in") == 2
    assert "stopped before the end" in err


def test_progress_tells_rate_and_time_left() -> None:
    gauge = Gauge()
    gauge.add(12_300)
    assert progress_line(gauge, 30) == "12,300 instances, 410/s"
    gauge.total = 120_400
    assert progress_line(gauge, 30) == "12,300 of 120,400 instances, 410/s, 4:24 left"
    assert line(OUTCOMES[0]) == "copied   a 37 instances, 19.0 MB"


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_with_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    gauge = Gauge()
    with Report(gauge, as_json=False, verbose=False, quiet=False) as report:
        for total in (None, 100, 100, 100):
            gauge.total = total
            gauge.add(20)
            time.sleep(0.3)
        report.tell("server 'x' is away; waiting for it")
    said = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", sys.stderr.getvalue())  # type: ignore[attr-defined]
    assert re.search(r" 80/100 +\d+/s +0:00:0\d +0:00:0\d", said)
    assert "server 'x' is away; waiting for it\n" in said


def test_what_should_not_happen_is_told_without_logins(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **more: object) -> None:
        raise RuntimeError(f"no such thing as {DEAD}/x or the-token")

    monkeypatch.setattr(copydicom, "main", broken)
    monkeypatch.setenv("COPYDICOM_HEC_TOKEN", "the-token")
    assert main(["replicate"]) == 1
    said = capsys.readouterr().err
    assert "please report it" in said
    assert "a-pass-word" not in said
    assert "the-token" not in said


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_a_shell_completes_commands_and_names_of_servers(
    shell: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "_COPYDICOM_COMPLETE" in run("completion", shell).out
    folder = tmp_path / "copydicom"
    folder.mkdir()
    (folder / "servers.conf").write_text("[pacs]\nbase_url = http://x\n[research]\nbase_url = http://y\n")
    monkeypatch.setenv("_COPYDICOM_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "copydicom replicate --src ")
    monkeypatch.setenv("COMP_CWORD", "3" if shell == "zsh" else "")
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    assert {"pacs", "research"} <= set(re.findall(r"\w+", capsys.readouterr().out))
