"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

StackName = Annotated[str, typer.Option(help="Stack that `sam deploy` made.")]
Speed = Annotated[
    float,
    typer.Option(min=0.1, max=100, help="Divides the time that EC2 and CloudWatch take here."),
]
