"""The Auto Scaling API over the group of a run: the embedded AWS's, which tells on its callers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from faults.clients import Answer, RefusedError
from faults.deployment import GROUP, PLACEMENTS
from local.group.states import LifecycleState
from local.services.autoscaling_api import OPERATIONS
from local.services.autoscaling_groups import put_tags
from local.services.autoscaling_service import AutoScalingService, GroupRecord
from pilotlight.fleet.breaker_state import BREAKER_TAG, BreakerState

if TYPE_CHECKING:
    from faults.world import World

GROUP_ARN = (
    f"arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0:autoScalingGroupName/{GROUP}"
)


class AutoScalingApi:
    """To be made when the world has its group."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._service = AutoScalingService("us-east-1", "123456789012", None, None)  # type: ignore[arg-type]
        launch = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "workers", "Version": "1"}
        subnets = tuple(place.subnet_id for place in PLACEMENTS)
        made_at = world.clock.now()
        self._record = GroupRecord(GROUP, GROUP_ARN, launch, made_at, subnets, {})
        self._record.properties = {"HealthCheckType": "EC2"}
        self._record.group = world.group
        self._service.add(self._record)
        self.breaker_written_at = made_at

    @property
    def breaker(self) -> BreakerState:
        """As it is written down."""
        return BreakerState.read(self._record.tags.get(BREAKER_TAG, {}).get("Value", ""))

    def write_breaker(self, tag: str) -> None:
        """As a person may."""
        put_tags(self._record, [{"Key": BREAKER_TAG, "Value": tag, "PropagateAtLaunch": False}])
        self.breaker_written_at = self._world.clock.now()

    def launch_from(self, template_version: int) -> None:
        """What UpdateAutoScalingGroup says of the launch template."""
        self._record.launch = self._record.launch | {"Version": str(template_version)}

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

        resize, write_tags = answers["PutWarmPool"], answers["CreateOrUpdateTags"]

        def resizes(request: Mapping[str, Any]) -> Mapping[str, Any]:
            if self._world.stack.refresh.is_running:
                raise RefusedError("InstanceRefreshInProgress", "an instance refresh is running")
            return resize(request)

        def writes_tags(request: Mapping[str, Any]) -> Mapping[str, Any]:
            if any(tag["Key"] == BREAKER_TAG for tag in request["Tags"]):
                self.breaker_written_at = self._world.clock.now()
            return write_tags(request)

        return answers | {
            "CompleteLifecycleAction": completes,
            "SetInstanceHealth": judges,
            "PutWarmPool": resizes,
            "CreateOrUpdateTags": writes_tags,
        }

    def _note_what_is_cut_short(self, request: Mapping[str, Any]) -> None:
        world = self._world
        guest = world.machines.guests.get(request.get("InstanceId", ""))
        if guest is None or request["LifecycleHookName"] != "drain" or not guest.busy:
            return
        for action in world.group.journeys.actions.of(guest.instance_id):
            token = request.get("LifecycleActionToken", action.token)
            if action.hook.name == "drain" and token == action.token:
                began_at = action.limit_at - action.hook.global_timeout_seconds
                shortest = min(it.drain_seconds for it in world.settings_so_far)
                if world.clock.now() < began_at + shortest:
                    world.cut_short.append(guest.instance_id)

    def _note_whom_functions_condemn(self, instance_id: str) -> None:
        world = self._world
        member = world.group.members.get(instance_id)
        serves = member is not None and member.state is LifecycleState.IN_SERVICE
        if serves and world.tasks.running().place.kind == "functions":
            world.condemned.append(instance_id)
            world.stirred = True
