"""The box's systemd: which units exist and are enabled, and what `systemctl` asks of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from local.instances.guest.box import Box
from local.instances.guest.processes import Processes
from local.instances.guest.service import Service
from local.instances.guest.units import Unit, UnitError, read_unit

NOT_ACTIVE = 3  # systemctl(1): exit status "program is not running"
NOT_FOUND = 4  # systemctl(1): exit status "no such unit"


class Systemd:
    """Services by unit name. Only units in /etc/systemd/system and /run/systemd/system exist."""

    def __init__(self, box: Box, processes: Processes) -> None:
        self._box = box
        self._processes = processes
        self._services: dict[str, Service] = {}

    async def start_enabled(self) -> None:
        """What reaching multi-user.target starts: every unit in a target's .wants folder."""
        links = sorted(self._box.units.glob("*.target.wants/*.service"))
        await asyncio.gather(*(self._start_at_boot(link.name) for link in links))

    async def stop_all(self, grace_seconds: float) -> None:
        """Stop every service at once, as a shutdown does."""
        await asyncio.gather(*(service.stop(grace_seconds) for service in self._services.values()))

    def service(self, name: str) -> Service:
        """The service of a unit, read again from disk unless it runs. Raises UnitError."""
        unit = self.unit(name)
        service = self._services.get(unit.name)
        if service is None:
            service = self._services[unit.name] = Service(unit, self._box, self._processes)
        elif service.state in ("inactive", "failed"):
            service.unit = unit
        return service

    def unit(self, name: str) -> Unit:
        """The unit as it is on disk, drop-ins included. Raises UnitError when there is none."""
        full = name if "." in name else f"{name}.service"
        if not full.endswith(".service"):
            raise UnitError(f"Unit {full}: only .service units are provided here.")
        folders = (self._box.units, self._box.run / "systemd/system")
        paths = [folder / full for folder in folders if (folder / full).is_file()]
        if not paths:
            raise UnitError(f"Unit {full} could not be found.")
        drop_ins = sorted(path for folder in folders for path in folder.glob(f"{full}.d/*.conf"))
        return read_unit(full, "\n".join(path.read_text() for path in [paths[0], *drop_ins]))

    def enable(self, names: Iterable[str]) -> list[str]:
        """Link units into their targets, and into place when given by path; lines to print."""
        said: list[str] = []
        for name in names:
            unit = self.unit(self._placed(name, said))
            for target in unit.wanted_by:
                link = self._box.units / f"{target}.wants" / unit.name
                said += _linked(link, self._box.units / unit.name)
            if not unit.wanted_by:
                said.append(f"{unit.name} has no [Install] section: nothing to enable.")
        return said

    def disable(self, names: Iterable[str]) -> list[str]:
        """Remove a unit's links; lines to print."""
        said = []
        for name in names:
            for link in sorted(self._box.units.glob(f"*.wants/{_full(name)}")):
                link.unlink()
                said.append(f"Removed {link}.")
        return said

    def enabled(self, name: str) -> bool:
        return any(self._box.units.glob(f"*.wants/{_full(name)}"))

    def _placed(self, name: str, said: list[str]) -> str:
        """The unit's name; given by path from elsewhere it is linked into place first."""
        path = Path(name)
        if not path.is_absolute():
            return name
        if not path.is_file():
            raise UnitError(f"Failed to enable unit: File {name} does not exist.")
        if path.parent != self._box.units:
            said += _linked(self._box.units / path.name, path)
        return path.name

    async def _start_at_boot(self, name: str) -> None:
        try:
            await self.service(name).start()
        except (UnitError, OSError) as error:
            journal = self._box.journal(name)
            journal.parent.mkdir(parents=True, exist_ok=True)
            with journal.open("a") as output:
                output.write(f"{error}\n")


def _full(name: str) -> str:
    base = Path(name).name
    return base if "." in base else f"{base}.service"


def _linked(link: Path, target: Path) -> list[str]:
    if link.is_symlink() or link.exists():
        return []
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    return [f"Created symlink {link} -> {target}."]
