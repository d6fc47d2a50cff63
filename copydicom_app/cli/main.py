"""The command ``copydicom``: its subcommands, its exit codes, and errors without secrets.

0  all well
1  some failed, or it was stopped before its end
2  wrong arguments or settings
3  a server cannot be reached, is another than was meant, or refuses the login
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Optional

import click

from copydicom_app._version import __version__
from copydicom_app.addresses import without_anything_like_logins
from copydicom_app.cli.checking import check
from copydicom_app.cli.completion import completion
from copydicom_app.cli.copying import conditional_replicate, replicate
from copydicom_app.cli.dose import dose
from copydicom_app.cli.indexing import replicate_tags
from copydicom_app.cli.report import say
from copydicom_app.cli.servers import without_secrets
from copydicom_app.errors import ConfigurationError, CopydicomError, WrongServerError
from copydicom_app.parallel import StoppedError

WRONG, FAILED, UNREACHABLE = 2, 1, 3


class _Verbs(click.Group):
    """Takes ``replicate-tags`` for ``replicate_tags`` too."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> Optional[click.Command]:
        return super().get_command(ctx, cmd_name.replace("-", "_"))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="copydicom")
def copydicom() -> None:
    """Copy images between Orthanc servers, and their tags and doses into Splunk.

    Servers are given by a URL, http://user:password@host:8042, or by a name that the config file explains. A
    password is better given in the environment (COPYDICOM_SRC_PASSWORD, COPYDICOM_DEST_PASSWORD,
    COPYDICOM_INDEX_PASSWORD, COPYDICOM_HEC_TOKEN) or in a file that the config file names: a command line can
    be seen by others on the machine.

    Exit codes: 0 all well, 1 some failed, 2 wrong arguments, 3 a server cannot be reached.
    """


for command in (replicate, replicate_tags, conditional_replicate, dose, check, completion):
    copydicom.add_command(command)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command line; the exit code."""
    try:
        code = copydicom.main(arguments, prog_name="copydicom", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.Abort:
        say("stopped")
        return FAILED
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        if context is not None:
            say(f"{context.get_usage()}\nTry '{context.command_path} --help'.\n")
        say(f"Error: {without_anything_like_logins(error.format_message())}")
        return WRONG
    except CopydicomError as error:
        say(f"Error: {error}")
        return exit_code(error)
    except (StoppedError, KeyboardInterrupt):
        say("stopped")
        return FAILED
    except BrokenPipeError:
        # Who read our output has gone; Python would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception:
        trace = without_anything_like_logins(traceback.format_exc())
        say(f"Error: this should not happen; please report it.\n{without_secrets(trace)}")
        return FAILED


def exit_code(error: CopydicomError) -> int:
    """What an error that ends everything means to a schedule."""
    if isinstance(error, ConfigurationError) and not isinstance(error, WrongServerError):
        return WRONG
    return UNREACHABLE
