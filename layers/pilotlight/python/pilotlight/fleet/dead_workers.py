"""Workers that are protected from scale-in, and dead: nothing else would ever take them away."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pilotlight.fleet.group import Group

# The agent reports every 5 minutes; three reports in a row did not come.
SILENT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Agent:
    """An instance's SSM Agent (DescribeInstanceInformation); it may not have reported yet."""

    ping_status: str
    last_ping_at: datetime | None


class Agents(Protocol):
    def of(self, instance_ids: Iterable[str]) -> Mapping[str, Agent]:
        """By instance id; an instance that SSM does not list is missing. One call per 50."""
        ...


def find_dead(group: Group, agents: Mapping[str, Agent], now: datetime) -> list[str]:
    """The protected InService instances whose agent has been silent for long.

    An instance that is stopped or gone is not ours to judge: the group's own health check
    replaces it. When most agents fall silent together it is SSM that is away, not the workers,
    and nobody is judged.
    """
    protected = protected_workers(group)
    dead = [instance_id for instance_id in protected if _is_silent(agents.get(instance_id), now)]
    return [] if len(dead) > max(1, len(protected) // 2) else dead


def protected_workers(group: Group) -> list[str]:
    return [it.instance_id for it in group.members if it.is_in_service and it.is_protected]


def _is_silent(agent: Agent | None, now: datetime) -> bool:
    if agent is None or agent.last_ping_at is None:
        return False
    return agent.ping_status == "ConnectionLost" and now - agent.last_ping_at > SILENT
