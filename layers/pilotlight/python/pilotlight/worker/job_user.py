"""Whom jobs run as: for each slot a user of its own, who has no privileges and no name.

The worker and all that it lives on are root's. A user is a number and needs no entry in
/etc/passwd: nothing is set up for as many as there are slots, also where older code did the setup.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotlight.worker.home import Home

# The first slot's, of user and group. Nobody's: useradd gives smaller ones to people and, to their
# containers, 100,000 and above; systemd uses none from 65,536 to 524,287 (its UIDS-GIDS).
FIRST_ID = 70_000
NAME = "pilotlight-job"  # for programs that ask for one, such as Python's getpass
CAP_SETGID, CAP_SETUID = 6, 7  # capabilities(7)
OURS = Path("/proc/self")


@dataclass(frozen=True)
class JobUser:
    """`home` stays when a process ends or the instance sleeps, for what a handler downloads."""

    id: int
    home: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return {"HOME": str(self.home), "USER": NAME, "LOGNAME": NAME}


def job_user(home: Home, slot: int, ours: Path = OURS) -> JobUser | None:
    """The user of a slot, counted from 0. None where the kernel lets us be nobody but who we are.

    That is never so on an instance, whose systemd starts the worker as root of the whole system.
    """
    user_id = FIRST_ID + slot
    try:
        status = (ours / "status").read_text(encoding="utf-8", errors="replace")
        uid_map = (ours / "uid_map").read_text(encoding="ascii")
    except FileNotFoundError:  # not Linux
        return None
    if not (may_change_user(status) and has_user(uid_map, user_id)):
        return None
    return JobUser(user_id, home.job_homes / str(slot))


def may_change_user(status: str) -> bool:
    """Whether a process with this status (proc(5)) may become another user."""
    [effective] = (line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    needed = 1 << CAP_SETGID | 1 << CAP_SETUID
    return int(effective, 16) & needed == needed


def has_user(uid_map: str, user_id: int) -> bool:
    """Whether a namespace with this map (user_namespaces(7)) has such a user."""
    ranges = (map(int, line.split()) for line in uid_map.splitlines())
    return any(first <= user_id < first + count for first, _outside, count in ranges)
