"""What an operator types: `pilotlight COMMAND`."""

import typer

app = typer.Typer(no_args_is_help=True, help="A pilot light for PyTorch workers.")
