from __future__ import annotations

import pytest

from local.group.clock import VirtualClock
from local.instances.host import Completed
from local.services.run_command import Delays, RunCommand
from local.services.run_command_api import RunCommandApi
from local.services.ssm_document_store import DocumentStore
from local.services.ssm_errors import SsmError
from local.services.ssm_nodes import ManagedNodes, Node

MACHINES = ("i-one", "i-two", "i-three")


class Box:
    """Instances with agents which answer what `replies` says."""

    def __init__(self) -> None:
        self.states = dict.fromkeys(MACHINES, "running")
        self.online = set(MACHINES)
        self.registered = set(MACHINES)
        self.replies: dict[str, object] = {}
        self.ran: list[tuple[str, list[str]]] = []
        self.meanwhile = lambda: None

    def node(self, instance_id):
        state = self.states.get(instance_id)
        return state and Node(instance_id, state, "10.0.0.1", "host", {"fleet": "workers"})

    def nodes(self):
        return [self.node(instance_id) for instance_id in self.states]

    def agent_registered(self, instance_id):
        return instance_id in self.registered

    def agent_online(self, instance_id):
        return instance_id in self.online

    def agent_pinged_at(self, instance_id):
        return 999_000.0

    def run(self, instance_id, argv, environment, timeout_seconds):
        self.ran.append((instance_id, argv))
        self.meanwhile()
        reply = self.replies.get(instance_id, Completed(0, "fine\n", ""))
        if isinstance(reply, Exception):
            raise reply
        return reply


class Cloud:
    def __init__(self) -> None:
        self.clock = VirtualClock(1_000_000.0)
        self.box = Box()
        self.events: list[tuple[str, dict]] = []
        documents = DocumentStore("123456789012", self.clock.now)
        nodes = ManagedNodes(self.box, self.box, "123456789012")
        runs = RunCommand(
            agents=self.box,
            schedule=self.clock,
            start_thread=lambda work: work(),
            emit=lambda source, kind, detail, resources: self.events.append((kind, dict(detail))),
            output_log=self,
            instance_arn=lambda i: f"arn:aws:ec2:us-east-1:123456789012:instance/{i}",
            delays=Delays(),
        )
        self.documents, self.nodes = documents, nodes
        self.api = RunCommandApi(runs, documents, nodes)
        self.logged: dict[tuple[str, str], str] = {}

    def write(self, group, stream, text):
        self.logged[group, stream] = text

    def send(self, *instance_ids, commands=("true",), **request):
        given = {"InstanceIds": list(instance_ids)} if instance_ids else {}
        parameters = {"Parameters": {"commands": list(commands)}}
        body = {"DocumentName": "AWS-RunShellScript"} | given | parameters | request
        return self.api.send(body)["Command"]["CommandId"]

    def invocation(self, command_id, instance_id="i-one", **request):
        return self.api.get_invocation(
            {"CommandId": command_id, "InstanceId": instance_id} | request
        )

    def details(self, command_id):
        invocations = self.api.list_invocations({"CommandId": command_id})["CommandInvocations"]
        return {i["InstanceId"]: i["StatusDetails"] for i in invocations}

    def command(self, command_id):
        return self.api.list_commands({"CommandId": command_id})["Commands"][0]


@pytest.fixture
def cloud():
    return Cloud()


def test_an_invocation_does_not_exist_right_after_send_command(cloud):
    command_id = cloud.send("i-one")
    with pytest.raises(SsmError, match="InvocationDoesNotExist"):
        cloud.invocation(command_id)
    cloud.clock.advance(2)
    assert cloud.invocation(command_id)["Status"] == "Success"


def test_the_last_exit_code_decides_and_events_tell_it(cloud):
    cloud.box.replies["i-one"] = Completed(3, "seen\n", "bad\n")
    command_id = cloud.send("i-one", Comment="ready token WarmPool")
    cloud.clock.advance(2)
    result = cloud.invocation(command_id)
    assert (result["Status"], result["ResponseCode"]) == ("Failed", 3)
    assert result["Comment"] == "ready token WarmPool"
    assert result["StandardErrorContent"] == "bad\nfailed to run commands: exit status 3"
    invocation, command = cloud.events[-2:]
    assert invocation[0] == "EC2 Command Invocation Status-change Notification"
    assert invocation[1]["status"] == "Failed"
    assert set(invocation[1]) == {
        *("command-id", "document-name", "instance-id", "requested-date-time", "status")
    }
    assert command[0] == "EC2 Command Status-change Notification"
    assert command[1]["parameters"] == {"commands": ["true"]}
    assert command[1]["requested-date-time"] == "1970-01-12T13:46:40.000Z"


def test_a_stopped_instance_keeps_its_command_until_it_is_back(cloud):
    cloud.box.states["i-one"] = "stopped"
    cloud.box.online.clear()
    command_id = cloud.send("i-one")
    cloud.clock.advance(60)
    assert cloud.invocation(command_id)["Status"] == "Delayed"
    assert cloud.command(command_id)["Status"] == "InProgress"
    cloud.box.online.add("i-one")
    cloud.clock.advance(10)
    assert cloud.invocation(command_id)["Status"] == "Success"


def test_a_command_that_finds_no_agent_in_time_never_runs(cloud):
    cloud.box.online.clear()
    command_id = cloud.send("i-one", TimeoutSeconds=30)
    cloud.clock.advance(31)
    assert cloud.details(command_id) == {"i-one": "DeliveryTimedOut"}
    assert cloud.command(command_id)["StatusDetails"] == "DeliveryTimedOut"
    cloud.box.online.add("i-one")
    cloud.clock.advance(60)
    assert cloud.box.ran == []
    assert cloud.invocation(command_id)["ResponseCode"] == -1


def test_a_box_that_dies_under_a_command_never_answers(cloud):
    cloud.box.replies["i-one"] = ConnectionError("the box went away")
    command_id = cloud.send("i-one", TimeoutSeconds=30)
    cloud.clock.advance(3600)
    assert cloud.details(command_id) == {"i-one": "InProgress"}
    cloud.clock.advance(31)
    assert cloud.details(command_id) == {"i-one": "DeliveryTimedOut"}


def test_a_script_that_is_late_is_an_execution_timeout(cloud):
    cloud.box.replies["i-one"] = TimeoutError()
    command_id = cloud.send("i-one")
    cloud.clock.advance(2)
    result = cloud.invocation(command_id)
    assert (result["Status"], result["StatusDetails"]) == ("TimedOut", "ExecutionTimedOut")


@pytest.mark.parametrize(
    ("spoil", "accepted"),
    [
        (lambda box: box.registered.discard("i-one"), False),
        (lambda box: box.states.update({"i-one": "shutting-down"}), False),
        (lambda box: box.states.pop("i-one"), False),
        (lambda box: box.states.update({"i-one": "stopped"}), True),
        (lambda box: box.states.update({"i-one": "pending"}), True),
    ],
    ids=["never registered", "shutting-down", "unknown", "stopped", "pending"],
)
def test_only_registered_instances_in_a_valid_state_are_accepted(cloud, spoil, accepted):
    spoil(cloud.box)
    if accepted:
        cloud.send("i-one")
        return
    with pytest.raises(SsmError, match=r"InvalidInstanceId.*\[\[i-one\]\]"):
        cloud.send("i-one")


def test_a_tag_finds_the_managed_nodes_and_none_is_a_success(cloud):
    cloud.box.registered.discard("i-three")
    found = cloud.send(Targets=[{"Key": "tag:fleet", "Values": ["workers"]}])
    none = cloud.send(Targets=[{"Key": "tag:fleet", "Values": ["others"]}])
    cloud.clock.advance(2)
    assert cloud.details(found) == {"i-one": "Success", "i-two": "Success"}
    assert cloud.command(none)["StatusDetails"] == "NoInstancesInTag"
    assert cloud.command(none)["Status"] == "Success"


def test_max_errors_keeps_a_bad_command_from_the_rest(cloud):
    cloud.box.replies["i-one"] = Completed(1, "", "")
    command_id = cloud.send(*MACHINES, MaxConcurrency="1", MaxErrors="0")
    cloud.clock.advance(2)
    details = {"i-one": "Failed", "i-two": "Terminated", "i-three": "Terminated"}
    assert cloud.details(command_id) == details
    assert cloud.command(command_id)["Status"] == "Failed"


def test_cancelling_drops_what_waits_and_lets_finish_what_runs(cloud):
    cloud.box.online.discard("i-two")
    command_id = cloud.send("i-one", "i-two")
    cloud.box.meanwhile = lambda: cloud.api.cancel({"CommandId": command_id})
    cloud.clock.advance(20)
    assert cloud.details(command_id) == {"i-one": "Cancelled", "i-two": "Cancelled"}
    assert cloud.command(command_id)["Status"] == "Cancelled"


def test_outputs_are_cut_where_the_service_cuts_them(cloud):
    cloud.box.replies["i-one"] = Completed(0, "o" * 30_000, "e" * 9_000)
    command_id = cloud.send("i-one")
    cloud.clock.advance(2)
    result = cloud.invocation(command_id)
    assert len(result["StandardOutputContent"]) == 24_000
    assert len(result["StandardErrorContent"]) == 8_000
    listed = cloud.api.list_invocations({"CommandId": command_id, "Details": True})
    (plugin,) = listed["CommandInvocations"][0]["CommandPlugins"]
    assert len(plugin["Output"]) == 2_500
    assert plugin["Output"].endswith("---Output truncated---")


def test_a_step_that_exits_on_failure_leaves_out_the_next_but_not_the_finally_step(cloud):
    def step(name, **inputs):
        return {
            "action": "aws:runShellScript",
            "name": name,
            "inputs": {"runCommand": [name]} | inputs,
        }

    steps = [step("first", onFailure="exit"), step("second"), step("last", finallyStep=True)]
    cloud.documents.create(
        {
            "Name": "steps",
            "DocumentFormat": "YAML",
            "Content": str({"schemaVersion": "2.2", "mainSteps": steps}),
        }
    )
    cloud.box.replies["i-one"] = Completed(1, "", "")
    command_id = cloud.send("i-one", DocumentName="steps", Parameters={})
    cloud.clock.advance(2)
    assert [argv[-1] for _, argv in cloud.box.ran] == ["first", "last"]
    assert cloud.invocation(command_id, PluginName="first")["ResponseCode"] == 1
    assert cloud.invocation(command_id, PluginName="second")["ResponseCode"] == -1
    assert cloud.invocation(command_id)["PluginName"] == ""
    with pytest.raises(SsmError, match="InvalidPluginName"):
        cloud.invocation(command_id, PluginName="third")


def test_output_goes_to_the_log_group_that_the_command_names(cloud):
    config = {"CloudWatchOutputEnabled": True, "CloudWatchLogGroupName": "/fleet"}
    command_id = cloud.send("i-one", CloudWatchOutputConfig=config)
    cloud.clock.advance(2)
    assert cloud.logged == {("/fleet", f"{command_id}/i-one/aws-runShellScript/stdout"): "fine\n"}


def test_instance_information_leaves_out_what_is_stopped(cloud):
    cloud.box.states["i-two"] = "stopped"
    cloud.box.online.discard("i-three")
    listed = cloud.nodes.describe({})["InstanceInformationList"]
    assert {i["InstanceId"]: i["PingStatus"] for i in listed} == {
        "i-one": "Online",
        "i-three": "ConnectionLost",
    }
    assert {i["LastPingDateTime"] for i in listed} == {999_000.0}
    filters = [{"Key": "PingStatus", "Values": ["Online"]}]
    assert len(cloud.nodes.describe({"Filters": filters})["InstanceInformationList"]) == 1
