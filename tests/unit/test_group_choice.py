"""Who leaves first."""

from __future__ import annotations

from local.group.activities import Activity
from local.group.choice import choose_leaving
from local.group.instance import Instance, Launched
from local.group.settings import Placement
from local.group.states import LAUNCH, LifecycleState


def instance(name: str, zone: str, template_version: int, launched_at: float) -> Instance:
    return Instance(
        Launched(name, template_version=template_version),
        Placement(zone, f"{zone}-id", f"subnet-{zone}"),
        launched_at,
        LAUNCH,
        Activity("a", "", (), 0.0),
        LifecycleState.IN_SERVICE,
    )


MEMBERS = [
    instance("a-old-template", "a", 1, 300.0),
    instance("a-oldest", "a", 2, 100.0),
    instance("a-newest", "a", 2, 400.0),
    instance("b", "b", 1, 50.0),
]


def chosen(count: int, *policies: str, now: float = 1000.0) -> list[str]:
    sizes = {"a": 3, "b": 1}
    return [
        leaving.instance_id
        for leaving in choose_leaving(MEMBERS, count, sizes.__getitem__, policies, now)
    ]


def test_the_fullest_zone_gives_first_whatever_the_policy() -> None:
    assert chosen(1, "OldestInstance") == ["a-oldest"]
    assert chosen(1, "Default") == ["a-old-template"]


def test_the_default_policy_takes_the_oldest_template_then_the_oldest_instance() -> None:
    assert chosen(2, "Default") == ["a-old-template", "a-oldest"]


def test_zones_are_balanced_as_members_leave() -> None:
    assert chosen(4, "NewestInstance") == ["a-newest", "a-old-template", "a-oldest", "b"]


def test_closest_to_the_next_hour_counts_from_the_launch() -> None:
    assert chosen(1, "ClosestToNextInstanceHour", now=3950.0) == ["a-newest"]


def test_there_are_never_more_chosen_than_there_are() -> None:
    assert len(chosen(9, "Default")) == len(MEMBERS)
