"""The Auto Scaling API over the group of a run: the embedded AWS's, which tells on its callers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from faults.clients import Answer
from faults.deployment import GROUP, PLACEMENTS, UPDATE_POLICY
from faults.machines import Machines
from faults.plan import Settings
from faults.tasks import Tasks
from local.group.clock import Schedule
from local.group.group import Group
from local.group.refresh_record import InstanceRefresh
from local.group.states import LifecycleState
from local.services.autoscaling_api import OPERATIONS
from local.services.autoscaling_groups import put_tags
from local.services.autoscaling_properties import refresh_request
from local.services.autoscaling_refreshes import start_instance_refresh
from local.services.autoscaling_service import AutoScalingService, GroupRecord
from pilotlight.fleet.breaker_state import BREAKER_TAG, BreakerState

GROUP_ARN = (
    f"arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0:autoScalingGroupName/{GROUP}"
)


def launch_template(version: int) -> dict[str, str]:
    return {
        "LaunchTemplateId": "lt-1",
        "LaunchTemplateName": "workers",
        "Version": str(version),
    }


class LaunchTemplates:
    """What the service asks of the rest of the cloud here."""

    def launch_source(self, request: Mapping[str, Any]) -> dict[str, str]:
        return dict(request["LaunchTemplate"])

    def template_version(self, launch: Mapping[str, str]) -> int:
        return int(launch["Version"])


class Surroundings(Protocol):
    """What of a run it answers from; `settings_so_far` are those that were deployed."""

    tasks: Tasks
    group: Group
    machines: Machines
    settings_so_far: list[Settings]

    @property
    def clock(self) -> Schedule: ...

    def stir(self) -> None:
        """Something has happened that is worth a look."""
        ...


class AutoScalingApi:
    """`cut_short` are instances whose drain was ended early, `condemned` those in service that a
    function called unhealthy."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.cut_short: list[str] = []
        self.condemned: list[str] = []
        self._service = AutoScalingService("us-east-1", "123456789012", LaunchTemplates(), None)  # type: ignore[arg-type]
        launch = launch_template(1)
        subnets = tuple(place.subnet_id for place in PLACEMENTS)
        made_at = around.clock.now()
        self._record = GroupRecord(GROUP, GROUP_ARN, launch, made_at, subnets, {})
        self._record.properties = {"HealthCheckType": "EC2"}
        self._record.group = around.group
        self._service.add(self._record)
        self.breaker_written_at = made_at

    @property
    def breaker(self) -> BreakerState:
        """As it is written down."""
        return BreakerState.read(self._record.tags.get(BREAKER_TAG, {}).get("Value", ""))

    def write_breaker(self, tag: str) -> None:
        """As a person may."""
        put_tags(self._record, [{"Key": BREAKER_TAG, "Value": tag, "PropagateAtLaunch": False}])
        self.breaker_written_at = self._around.clock.now()

    @property
    def template_version(self) -> int:
        """Of what is launched now."""
        return int(self._record.launches_from["Version"])

    def refresh(self, template_version: int, *, group_first: bool) -> InstanceRefresh:
        """Begin what CloudFormation does when the launch template is another one.

        AWS does not say whether it updates the group first or gives the refresh a desired
        configuration, which the group has when that has succeeded.
        """
        launch = launch_template(template_version)
        if group_first:
            self._record.launch = launch
        request = refresh_request(GROUP, UPDATE_POLICY, None if group_first else launch)
        start_instance_refresh(self._service, request)
        return next(iter(self._around.group.refreshes.newest_first()))

    def forget_group(self) -> None:
        """The group is gone."""
        self._service.forget(GROUP)

    def answers(self) -> Mapping[str, Answer]:
        answers = {name: partial(act, self._service) for name, act in OPERATIONS.items()}
        complete, judge = answers["CompleteLifecycleAction"], answers["SetInstanceHealth"]

        def completes(request: Mapping[str, Any]) -> Mapping[str, Any]:
            self._note_what_is_cut_short(request)
            return complete(request)

        def judges(request: Mapping[str, Any]) -> Mapping[str, Any]:
            self._note_whom_functions_condemn(request["InstanceId"])
            return judge(request)

        write_tags = answers["CreateOrUpdateTags"]

        def writes_tags(request: Mapping[str, Any]) -> Mapping[str, Any]:
            if any(tag["Key"] == BREAKER_TAG for tag in request["Tags"]):
                self.breaker_written_at = self._around.clock.now()
            return write_tags(request)

        return answers | {
            "CompleteLifecycleAction": completes,
            "SetInstanceHealth": judges,
            "CreateOrUpdateTags": writes_tags,
        }

    def _note_what_is_cut_short(self, request: Mapping[str, Any]) -> None:
        around = self._around
        guest = around.machines.guests.get(request.get("InstanceId", ""))
        if guest is None or request["LifecycleHookName"] != "drain" or not guest.busy:
            return
        for action in around.group.journeys.actions.of(guest.instance_id):
            token = request.get("LifecycleActionToken", action.token)
            if action.hook.name == "drain" and token == action.token:
                began_at = action.limit_at - action.hook.global_timeout_seconds
                shortest = min(it.drain_seconds for it in around.settings_so_far)
                if around.clock.now() < began_at + shortest:
                    self.cut_short.append(guest.instance_id)

    def _note_whom_functions_condemn(self, instance_id: str) -> None:
        around = self._around
        member = around.group.members.get(instance_id)
        serves = member is not None and member.state is LifecycleState.IN_SERVICE
        if serves and around.tasks.running().place.kind == "functions":
            self.condemned.append(instance_id)
            around.stir()
