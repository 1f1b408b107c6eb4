"""What an operator types: `pilotlight COMMAND`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

MODULES = {
    "simulate": "simulate",
    "compare": "compare",
    "advise": "advise",
    "convert": "convert",
    "submit": "submit",
    "job": "job_command",
    "logs": "job_logs",
    "dead-letters": "dead_letters_command",
    "replay": "dead_letters_command",
    "churn": "churn.command",
    "hostile": "churn.command",
    "demo": "embedded_commands",
    "origin": "embedded_commands",
    "interrupt": "embedded_commands",
    "status": "status",
}
"""Where in this package the function of each command is, in the order in which help lists them."""


class Commands(TyperGroup):
    """Imports a command when it is asked for: `simulate` needs no SDK, which takes longer to import
    than many a simulation to run."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*MODULES, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """None where there is no command of that name."""
        if cmd_name not in MODULES:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"cli.{MODULES[cmd_name]}")
        command = _app()
        command.command(cmd_name)(getattr(module, cmd_name.replace("-", "_")))
        return typer.main.get_command(command)


def _app(**settings: Any) -> typer.Typer:
    return typer.Typer(
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode="markdown",
        **settings,
    )


app = _app(
    cls=Commands,
    no_args_is_help=True,
    help="A pilot light for PyTorch workers: asleep at the cost of a disk, at work in seconds.\n\n"
    "demo, origin, interrupt, churn and hostile run on an AWS embedded in this computer. The other "
    "commands go to whatever the SDK is set to: AWS_PROFILE and AWS_DEFAULT_REGION name an "
    "account, AWS_ENDPOINT_URL `make cloud`.",
)


@app.callback()
def pilotlight() -> None:
    """Makes of them commands of one program, whatever their number."""
