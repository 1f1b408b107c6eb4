"""0. Neither the worker nor its threads die of an error that nobody meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World


def code_raises_nothing(world: World) -> Iterator[str]:
    yield from world.defects
