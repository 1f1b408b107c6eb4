"""Managed nodes: which instances Systems Manager knows, finds by target and reports as online."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from local.services.pages import page
from local.services.ssm_errors import SsmError

# "Valid states are: Running, Pending, Stopped, and Stopping" (SSM model, InvalidInstanceId).
_VALID_STATES = frozenset({"pending", "running", "stopping", "stopped"})
_REPORTED_STATES = frozenset({"pending", "running", "stopping"})
AGENT_VERSION = "3.3.3050.0"  # any from 3.3.2746.0 on knows interpolationType ENV_VAR


@dataclass(frozen=True, slots=True)
class Node:
    """An EC2 instance as Systems Manager sees it. `state` is EC2's."""

    instance_id: str
    state: str
    private_ip: str
    host_name: str
    tags: Mapping[str, str]


class Instances(Protocol):
    """EC2's instances."""

    def node(self, instance_id: str) -> Node | None: ...

    def nodes(self) -> Iterable[Node]: ...


class Agents(Protocol):
    """Their agents; raises KeyError for no instance of these."""

    def agent_registered(self, instance_id: str) -> bool: ...

    def agent_online(self, instance_id: str) -> bool: ...

    def agent_pinged_at(self, instance_id: str) -> float:
        """When a registered agent was last heard of, in epoch seconds."""
        ...


class ManagedNodes:
    """The nodes of one account and region."""

    def __init__(self, instances: Instances, agents: Agents, account_id: str) -> None:
        self._instances = instances
        self._agents = agents
        self._account_id = account_id

    def targets(self, request: Mapping[str, Any]) -> list[str]:
        """The ids that SendCommand's InstanceIds and Targets mean, in order.

        A named instance must be a managed node, running or not; a tag simply finds those that are.
        Raises SsmError InvalidInstanceId, DuplicateInstanceId, ValidationException.
        """
        named = list(request.get("InstanceIds") or [])
        if len(set(named)) < len(named):
            raise SsmError(
                "DuplicateInstanceId", "You can't specify an instance ID more than once."
            )
        targets = request.get("Targets") or []
        if not named and not targets:
            raise SsmError("ValidationException", "Give InstanceIds or Targets.")
        invalid = [i for i in named if not self._is_valid(self._instances.node(i))]
        if invalid:
            raise SsmError(
                "InvalidInstanceId",
                f"Instances [[{', '.join(invalid)}]] not in a valid state for account "
                f"{self._account_id}",
            )
        found = self._found(targets) if targets else []
        return list(dict.fromkeys([*named, *found]))

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeInstanceInformation: leaves out what is stopped or terminated (SSM model)."""
        filters = [(f["Key"], f["Values"]) for f in request.get("Filters") or []]
        filters += [
            (f["key"], f["valueSet"]) for f in request.get("InstanceInformationFilterList") or []
        ]
        nodes = [n for n in self._candidates(filters) if self._is_reported(n)]
        described = [(n, self._entry(n)) for n in sorted(nodes, key=lambda n: n.instance_id)]
        entries = [e for n, e in described if all(_matches(n, e, *f) for f in filters)]
        items, token = page(entries, request, default_size=10)
        return {"InstanceInformationList": items} | ({"NextToken": token} if token else {})

    def _candidates(self, filters: Sequence[tuple[str, Sequence[str]]]) -> Iterable[Node]:
        """Those that a filter names by id; else everybody."""
        named = dict(filters).get("InstanceIds")
        if named is None:
            return self._instances.nodes()
        found = map(self._instances.node, dict.fromkeys(named))
        return [node for node in found if node is not None]

    def _found(self, targets: Sequence[Mapping[str, Any]]) -> list[str]:
        nodes = [n for n in self._instances.nodes() if self._is_valid(n)]
        return [n.instance_id for n in nodes if all(_is_target(n, t) for t in targets)]

    def _is_valid(self, node: Node | None) -> bool:
        return (
            node is not None
            and node.state in _VALID_STATES
            and self._agents.agent_registered(node.instance_id)
        )

    def _is_reported(self, node: Node) -> bool:
        return node.state in _REPORTED_STATES and self._agents.agent_registered(node.instance_id)

    def _entry(self, node: Node) -> dict[str, Any]:
        online = self._agents.agent_online(node.instance_id)
        return {
            "InstanceId": node.instance_id,
            "PingStatus": "Online" if online else "ConnectionLost",
            "LastPingDateTime": round(self._agents.agent_pinged_at(node.instance_id), 3),
            "AgentVersion": AGENT_VERSION,
            "IsLatestVersion": True,
            "PlatformType": "Linux",
            "PlatformName": "Amazon Linux",
            "PlatformVersion": "2023",
            "ResourceType": "EC2Instance",
            "IPAddress": node.private_ip,
            "ComputerName": node.host_name,
        }


def _is_target(node: Node, target: Mapping[str, Any]) -> bool:
    key, values = target.get("Key", ""), target.get("Values") or []
    if key.lower() == "instanceids":
        return node.instance_id in values
    if key.startswith("tag:"):
        return node.tags.get(key[4:]) in values
    if key == "tag-key":
        return any(value in node.tags for value in values)
    raise SsmError(
        "InvalidParameters", f"The target key {key} is not InstanceIds, tag:KEY or tag-key."
    )


def _matches(node: Node, entry: Mapping[str, Any], key: str, values: Sequence[str]) -> bool:
    if key in ("InstanceIds", "PingStatus", "AgentVersion", "ResourceType", "PlatformTypes"):
        member = {"InstanceIds": "InstanceId", "PlatformTypes": "PlatformType"}.get(key, key)
        return entry[member] in values
    if key.startswith("tag:"):
        return node.tags.get(key[4:]) in values
    if key == "tag-key":
        return any(value in node.tags for value in values)
    raise SsmError("InvalidFilterKey", f"The filter key {key} is not valid.")
