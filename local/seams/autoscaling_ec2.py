"""What the Auto Scaling groups see of EC2: subnets, launch templates, and machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.context import CloudContext
from local.group.ec2_answers import Ec2Answers
from local.group.errors import ValidationError
from local.group.group import Group
from local.group.instance import Launched, Machine
from local.group.ports import LaunchError
from local.group.settings import Placement
from local.group.states import LifecycleState
from local.seams import ec2
from local.seams.permissions import in_account
from local.services.autoscaling_clock import WallClock
from local.services.autoscaling_service import GroupRecord

NO_LAUNCH_SOURCE = (
    "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
    "MixedInstancesPolicy parameter."
)


class Ec2Machines:
    """The machines of one group. EC2 answers from other threads: answers wait their turn on the
    clock, so that EC2 never waits for the model, nor the model for EC2's answers."""

    def __init__(self, context: CloudContext, clock: WallClock, record: GroupRecord) -> None:
        self._context = context
        self._clock = clock
        self._record = record

    def launch(self, placement: Placement) -> Launched:
        launched: list[str] = []

        def running() -> None:
            self._answers.running(launched[0])

        def failed(code: str, message: str) -> None:
            self._answers.failed(launched[0], code, message)

        try:
            template = self._ec2(launch_data, self._record.launches_from)
            tags = _instance_tags(self._record, template)
            instance_id = self._ec2(
                ec2.launch_instance,
                {k: v for k, v in template.items() if k not in _OWN_KEYS},
                placement.subnet_id,
                tags,
                lambda: self._clock.call_soon(running),
                lambda code, message: self._clock.call_soon(failed, code, message),
            )
        except ec2.Ec2Error as error:
            raise LaunchError(error.code, error.message) from error
        launched.append(instance_id)
        return Launched(
            instance_id,
            template.get("InstanceType", ""),
            template.get("ImageId", ""),
            int(template.get("VersionNumber", 1)),
        )

    def start(self, instance_id: str) -> None:
        def failed(code: str, message: str) -> None:
            self._clock.call_soon(self._answers.failed, instance_id, code, message)

        running = self._later(self._answers.running, instance_id)
        try:
            self._ec2(ec2.start_instance, instance_id, running, failed)
        except ec2.Ec2Error as error:
            failed(error.code, error.message)

    def stop(self, instance_id: str) -> None:
        stopped = self._later(self._answers.stopped, instance_id)
        try:
            self._ec2(ec2.stop_instance, instance_id, stopped)
        except ec2.Ec2Error:
            # It cannot be stopped because it is gone.
            self._clock.call_soon(self._answers.changed, instance_id, Machine.TERMINATED)

    def terminate(self, instance_id: str) -> None:
        terminated = self._later(self._answers.terminated, instance_id)
        try:
            self._ec2(ec2.terminate_instance, instance_id, terminated)
        except ec2.Ec2Error:
            terminated()

    @property
    def _answers(self) -> Ec2Answers:
        return self._record.group.ec2

    def _ec2(self, call: Callable[..., Any], *args: Any) -> Any:
        return in_account(self._context, call, *args)

    def _later(self, call: Callable[[str], None], instance_id: str) -> Callable[[], None]:
        return lambda: self._clock.call_soon(call, instance_id)


_OWN_KEYS = ("LaunchTemplateId", "VersionNumber")


def hear_of_change(group: Group, instance_id: str, state: str) -> None:
    """Tell the group of a state that EC2 reports, unless the group's own call led to it."""
    instance = group.members.get(instance_id)
    if instance is None:
        return
    machine = Machine(state)
    transition = instance.transition
    starting = transition.launches and instance.state is transition.begin
    stopping = instance.state is LifecycleState.WARMED_PENDING_PROCEED
    ending = not transition.launches and instance.state is transition.proceed
    expected = (
        starting
        or (stopping and machine in (Machine.STOPPING, Machine.STOPPED))
        or (ending and machine in (Machine.SHUTTING_DOWN, Machine.TERMINATED))
    )
    if not expected and machine is not instance.machine:
        group.ec2.changed(instance_id, machine)


def placements(subnet_ids: Sequence[str], zones: Sequence[str]) -> tuple[Placement, ...]:
    """Of subnets, or of the zones' default subnets; raises ValidationError naming the missing."""
    from ministack.services import ec2 as stock

    subnets = {subnet["SubnetId"]: subnet for subnet in stock._subnets.values()}
    if subnet_ids:
        for subnet_id in subnet_ids:
            if subnet_id not in subnets:
                raise ValidationError(f"The subnet ID '{subnet_id}' does not exist")
        return tuple(_placement(subnets[subnet_id]) for subnet_id in subnet_ids)
    defaults = {s["AvailabilityZone"]: s for s in subnets.values() if s.get("DefaultForAz")}
    for zone in zones:
        if zone not in defaults:
            raise ValidationError(f"Invalid availability zone: {zone}")
    return tuple(_placement(defaults[zone]) for zone in zones)


def launch_source(request: Mapping[str, Any]) -> dict[str, str]:
    """The template or configuration that a request names, completed; raises ValidationError."""
    from ministack.services import autoscaling
    from ministack.services import ec2 as stock

    name = request.get("LaunchConfigurationName")
    if name:
        if name not in autoscaling._launch_configs:
            raise ValidationError(
                f"Launch configuration name not found - Launch configuration {name} not found"
            )
        return {"LaunchConfigurationName": name}
    mixed = request.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    specification = request.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
    if not specification:
        raise ValidationError(NO_LAUNCH_SOURCE)
    try:
        data = ec2.launch_template_data(specification)
    except ec2.Ec2Error as error:
        raise ValidationError(error.message) from error
    template_id = data["LaunchTemplateId"]
    return {
        "LaunchTemplateId": template_id,
        "LaunchTemplateName": stock._launch_templates[template_id]["LaunchTemplateName"],
        "Version": specification.get("Version", "$Default"),
    }


def launch_data(launch: Mapping[str, str]) -> dict[str, Any]:
    """LaunchTemplateData of a group's launch source; raises Ec2Error."""
    name = launch.get("LaunchConfigurationName")
    if name is None:
        return ec2.launch_template_data(launch)
    from ministack.services import autoscaling

    configuration = autoscaling._launch_configs.get(name)
    if configuration is None:
        raise ec2.Ec2Error("ValidationError", f"Launch configuration {name} not found")
    return {
        "ImageId": configuration["ImageId"],
        "InstanceType": configuration["InstanceType"],
        "SecurityGroupIds": configuration.get("SecurityGroups", []),
        "UserData": configuration.get("UserData", ""),
    }


def template_version(launch: Mapping[str, str]) -> int:
    """Of a launch from there; raises ValidationError where it has no template."""
    try:
        data = launch_data(launch)
    except ec2.Ec2Error as error:
        raise ValidationError(error.message) from error
    if "VersionNumber" not in data:
        raise ValidationError("Skip matching is not supported with a launch configuration.")
    return int(data["VersionNumber"])


def _instance_tags(record: GroupRecord, template: Mapping[str, Any]) -> dict[str, str]:
    tags = {key: tag["Value"] for key, tag in record.tags.items() if tag["PropagateAtLaunch"]}
    tags["aws:autoscaling:groupName"] = record.name
    if "LaunchTemplateId" in template:
        tags["aws:ec2launchtemplate:id"] = template["LaunchTemplateId"]
        tags["aws:ec2launchtemplate:version"] = str(template["VersionNumber"])
    return tags


def _placement(subnet: Mapping[str, Any]) -> Placement:
    return Placement(subnet["AvailabilityZone"], subnet["AvailabilityZoneId"], subnet["SubnetId"])
