"""How much memory the processes of a session hold, as the kernel counts it (proc(5))."""

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def session_memory_bytes(session_id: int, proc: Path = PROC) -> int:
    """The sum of their proportional set sizes: a page shared by three counts a third for each.

    Data loaders that were forked share most of what they hold; to add up their resident sizes
    would count it once for each of them. A process that ends meanwhile counts nothing.
    """
    return sum(_proportional_bytes(folder) for folder in _members(session_id, proc))


def _members(session_id: int, proc: Path) -> Iterator[Path]:
    for folder in proc.glob("[0-9]*"):
        stat = _read(folder / "stat")
        # After the name, which may hold spaces and brackets: state, parent, group, session.
        fields = stat.rpartition(")")[2].split()
        if len(fields) > 3 and int(fields[3]) == session_id:
            yield folder


def _proportional_bytes(folder: Path) -> int:
    for line in _read(folder / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
