"""``copydicom completion``: the script that completes commands, options and names of servers in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(
    epilog="\b\nExamples:\n"
    '  eval "$(copydicom completion bash)"                       # in ~/.bashrc\n'
    '  eval "$(copydicom completion zsh)"                        # in ~/.zshrc\n'
    "  copydicom completion fish > ~/.config/fish/completions/copydicom.fish"
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and names of servers in a shell."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "copydicom", "_COPYDICOM_COMPLETE").source())
