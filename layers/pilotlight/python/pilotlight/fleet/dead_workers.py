"""Instances in service on which no worker works any more: their heartbeats have stopped.

Whatever is in service counts as capacity, and jobs wait for it. Whether it is protected from
scale-in, or its SSM agent lives, says nothing about its worker.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pilotlight.fleet.group import Group
from pilotlight.fleet.heartbeat import RECONCILE, Heartbeat, Heartbeats, following
from pilotlight.fleet.machines import Machines

# Reconcile's own: it passes each minute, and one pass that fails is no gap.
OWN_EVERY = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Silence:
    """`since` is when a heartbeat was due that has not come."""

    instance_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WorkerCare:
    """The ports that judging workers needs, and how long a heartbeat may be overdue."""

    heartbeats: Heartbeats
    machines: Machines
    overdue: timedelta

    def find_dead(self, group: Group, now: datetime) -> list[Silence]:
        """Two calls when all is well, and one of EC2's when somebody is silent."""
        serving = group.in_service
        if not serving:
            return []
        told = self.heartbeats.of([*serving, RECONCILE])
        own = following(told.get(RECONCILE), now, OWN_EVERY)
        self.heartbeats.send(RECONCILE, own)
        silent = list(find_silent(serving, told, own.since, now - self.overdue))
        if not silent:
            return []
        running_since = self.machines.running_since([it.instance_id for it in silent])
        return judge(group, silent, running_since, now - self.overdue)


def find_silent(
    instance_ids: Iterable[str],
    told: Mapping[str, Heartbeat],
    table_since: datetime,
    overdue_before: datetime,
) -> Iterator[Silence]:
    """Those whose next heartbeat was due before then.

    What was due while the table took none, or nobody can tell, is due once it takes them again.
    """
    for instance_id in instance_ids:
        heartbeat = told.get(instance_id)
        since = max(heartbeat.due_at, table_since) if heartbeat else table_since
        if since < overdue_before:
            yield Silence(instance_id, since)


def judge(
    group: Group,
    silent: list[Silence],
    running_since: Mapping[str, datetime],
    overdue_before: datetime,
) -> list[Silence]:
    """Those whose worker is dead, and not merely starting.

    A stopped or terminated instance is left to the group's own health check. When most are silent
    together it may be their way to the table that is gone, and not the workers: one of them is
    replaced, and what comes in its place shows which it is.
    """
    running = [it for it in silent if it.instance_id in running_since]
    dead = [it for it in running if running_since[it.instance_id] < overdue_before]
    if len(dead) <= max(1, len(group.in_service) // 2):
        return dead
    settled = len(dead) == len(running) and len(group.in_service) == len(group.members)
    return dead[:1] if settled else []
