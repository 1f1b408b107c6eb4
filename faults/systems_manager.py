"""Systems Manager: the embedded AWS's own Run Command in virtual time, over a run's guests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from faults.bus import Bus
from faults.clients import Answer
from faults.machines import Machines
from faults.tasks import Tasks
from local.instances.machine import Completed
from local.services import run_command
from local.services.run_command import Delays, RunCommand
from local.services.run_command_api import RunCommandApi
from local.services.ssm_document_store import DocumentStore
from local.services.ssm_nodes import ManagedNodes, Node

READINESS, DRAIN = "pilotlight-readiness", "pilotlight-drain"
# As in the template: the script bounds itself well before.
EXECUTION_SECONDS = "7200"


class SystemsManager:
    """`parameter` tells the workers' settings as they are deployed."""

    def __init__(
        self, tasks: Tasks, bus: Bus, machines: Machines, parameter: Callable[[], str]
    ) -> None:
        self._machines = machines
        self._parameter_now = parameter
        documents = DocumentStore("123456789012", tasks.clock.now)
        for name, script in ((READINESS, "readiness"), (DRAIN, "drain")):
            documents.create({"Name": name, "Content": _document(script)})
        self._nodes = ManagedNodes(self, self, "123456789012")
        self._ids = count(1)
        self._runs = RunCommand(
            self,
            tasks.clock,
            lambda body: tasks.spawn(body, "command"),  # type: ignore[arg-type]
            bus.publish,
            self,
            lambda it: f"arn:aws:ec2:us-east-1:123456789012:instance/{it}",
            Delays(),
        )
        self._api = RunCommandApi(self._runs, documents, self._nodes)

    def answers(self) -> Mapping[str, Answer]:
        return {
            "SendCommand": self._api.send,
            "GetCommandInvocation": self._api.get_invocation,
            "ListCommandInvocations": self._api.list_invocations,
            "DescribeInstanceInformation": self._nodes.describe,
            "GetParameter": self._parameter,
        }

    def _parameter(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Of the workers; there is no other."""
        return {"Parameter": {"Name": request["Name"], "Value": self._parameter_now()}}

    @contextmanager
    def counted_ids(self) -> Iterator[None]:
        """Commands are numbered instead of named at random: the same run again has the same."""
        module: Any = run_command
        original = module.uuid
        module.uuid = SimpleNamespace(uuid4=lambda: UUID(int=next(self._ids)))
        try:
            yield
        finally:
            module.uuid = original

    # Agents, as Run Command asks them

    def agent_registered(self, instance_id: str) -> bool:
        return self._machines.guests[instance_id].agent.registered

    def agent_online(self, instance_id: str) -> bool:
        guest = self._machines.guests.get(instance_id)
        return guest is not None and guest.online

    def agent_pinged_at(self, instance_id: str) -> float:
        guest = self._machines.guests[instance_id]
        guest.ping()
        return guest.agent.last_ping_at

    def run(
        self,
        instance_id: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
        timeout_seconds: float,  # noqa: ARG002  the scripts bound themselves
    ) -> Completed:
        guest = self._machines.guests.get(instance_id)
        if guest is None:
            raise ConnectionError(instance_id)
        return guest.run_command(argv[-1], environment)

    # Instances, as targets are found

    def node(self, instance_id: str) -> Node | None:
        guest = self._machines.guests.get(instance_id)
        if guest is None:
            return None
        state = self._machines.states[instance_id].value
        return Node(instance_id, state, "10.0.0.1", "worker", guest.tags)

    def nodes(self) -> Iterable[Node]:
        found = map(self.node, list(self._machines.guests))
        return [node for node in found if node is not None]

    def write(self, group: str, stream: str, text: str) -> None:
        """Outputs go nowhere else: no document asks for it."""


def _document(script: str) -> str:
    timeout = {"type": "String", "default": "60", "interpolationType": "ENV_VAR"}
    inputs = {"timeoutSeconds": EXECUTION_SECONDS, "runCommand": [script]}
    return json.dumps(
        {
            "schemaVersion": "2.2",
            "parameters": {"timeoutSeconds": timeout | {"allowedPattern": "^[0-9]{1,5}$"}},
            "mainSteps": [{"action": "aws:runShellScript", "name": script, "inputs": inputs}],
        }
    )
