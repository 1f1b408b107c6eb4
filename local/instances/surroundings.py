"""What boxes share of this computer, found out once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.instances.disk import CODE
from local.instances.enclosure import Enclosure, choose_enclosure
from local.instances.environment import paths_named, pip_cache
from local.instances.interpreters import interpreters, own_interpreter

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    environment: Mapping[str, str]
    """This computer's own."""
    enclosure: Enclosure
    interpreters: Mapping[str, str]
    """Python version ("3.11") -> path of the host's interpreter."""


def look_around(host: Mapping[str, str]) -> Surroundings:
    """Ask this computer; takes a second where there are many Pythons. `host` is its environment."""
    cache = pip_cache(host)
    cache.mkdir(parents=True, exist_ok=True)
    path = host.get("PATH", "")
    pythons = interpreters(path)
    own = {Path(sys.prefix), own_interpreter().prefix}  # the environment that runs this, its base
    prefixes = own | {each.prefix for each in pythons.values()}
    visible = sorted({*prefixes, *paths_named(host), CODE / "local"})
    enclosure = choose_enclosure(cache, visible, path, log.warning)
    executables = {version: str(each.executable) for version, each in pythons.items()}
    return Surroundings(host, enclosure, executables)
