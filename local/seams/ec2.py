"""EC2 with machines behind it: RunInstances boots a box, StopInstances kills its processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from local.context import CloudContext
from local.instances.fleet import Ec2Error, Fleet
from local.instances.host import InstanceHost
from local.instances.instance import InstanceSpec
from local.instances.latency import Latency
from local.instances.metadata import Credentials
from local.instances.surroundings import look_around
from local.seams import control, ec2_api
from local.seams.ec2_records import Ec2Records, new_record, spec_of
from local.seams.permissions import in_account

__all__ = ["Ec2Error"]

CREDENTIALS_SECONDS = 6 * 3600
"""Credentials of an instance's role last about six hours (EC2 user guide, iam-roles-for-ec2)."""

_context: CloudContext
_fleet: Fleet


def install(context: CloudContext) -> None:
    """Put machines behind ministack's EC2 and give them to the others as `context.instances`."""
    global _context, _fleet
    host = InstanceHost(
        folder=context.folder / "instances",
        endpoint=context.endpoint,
        latency=Latency().at_speed(context.speed),
        credentials=lambda spec: in_account(context, role_credentials, spec),
        on_shutdown=lambda instance_id: _fleet.shut_down_from_inside(instance_id),
        look_around=partial(look_around, dict(os.environ)),
    )
    _context = context
    _fleet = Fleet(host, Ec2Records(context))
    context.instances = host
    context.on_stop(host.close)
    ec2_api.take_over_calls(_fleet, host, _launch_for_caller, launch_template_data)
    ec2_api.show_states()
    ec2_api.filter_by_place()
    _offer_faults(host)


def launch_template_data(specification: Mapping[str, str]) -> dict[str, Any]:
    """LaunchTemplateData of a {LaunchTemplateId|LaunchTemplateName, Version} pair.

    Version may be a number, $Latest or $Default (the default). Two keys are added, by which the
    caller may tag: `LaunchTemplateId` and `VersionNumber` (int).
    Raises Ec2Error InvalidLaunchTemplateId.NotFound and the like.
    """
    return in_account(_context, _template_data, specification)


def launch_instance(
    template: Mapping[str, Any],
    subnet_id: str,
    tags: Mapping[str, str],
    on_running: Callable[[], None],
    on_failed: Callable[[str, str], None],
) -> str:
    """RunInstances for one instance of LaunchTemplateData; returns its id, state `pending`.

    `tags` come on top of the template's TagSpecifications and win over them.
    Raises Ec2Error when EC2 refuses the call: then there is no instance.
    Afterwards exactly one of `on_running()` and `on_failed(code, message)` is called from another
    thread; when failed the instance is terminated already, or on its way there.
    """
    record = in_account(_context, _launch, template, subnet_id, tags, on_running, on_failed)
    return str(record["InstanceId"])


def start_instance(
    instance_id: str, on_running: Callable[[], None], on_failed: Callable[[str, str], None]
) -> None:
    """StartInstances: stopped -> pending -> running.

    Raises Ec2Error when EC2 refuses (InsufficientInstanceCapacity, IncorrectInstanceState): the
    instance then stays stopped. `on_failed(code, message)` is called from another thread if it
    cannot come up after all, because someone stopped or terminated it meanwhile.
    """
    _fleet.start(instance_id, on_running, on_failed)


def stop_instance(instance_id: str, on_stopped: Callable[[], None]) -> None:
    """StopInstances: running -> stopping -> stopped. `on_stopped` comes from another thread.

    Stopping an instance which is stopped already calls back soon. Raises Ec2Error.
    """
    _fleet.stop(instance_id, on_stopped)


def terminate_instance(instance_id: str, on_terminated: Callable[[], None]) -> None:
    """TerminateInstances from any state; -> shutting-down -> terminated. Raises Ec2Error."""
    _fleet.terminate(instance_id, on_terminated)


def on_state_change(callback: Callable[[str, str], None]) -> None:
    """Register `callback(instance_id, state)` for every state an instance enters, whoever asked.

    States are EC2's: pending, running, stopping, stopped, shutting-down, terminated. Changes asked
    for by the functions above are reported as well (before their own callback), so that the
    callback must tell expected from unexpected. Called from one thread of its own, in order; it
    must be quick.
    """
    _fleet.on_state_change(callback)


def set_capacity(zone: str, available: bool) -> None:
    """Whether EC2 has capacity in `zone` (an Availability Zone's name, or `*` for all of them).

    Without it RunInstances and StartInstances answer InsufficientInstanceCapacity, as EC2 does.
    Also over HTTP: POST /_pilotlight/capacity {"zone": "us-east-1a", "available": false}
    """
    _fleet.set_capacity(zone, available)


def role_credentials(spec: InstanceSpec) -> Credentials:
    """A session of the instance profile's role, as EC2 assumes it for the instance.

    Stock's AssumeRole asks the role's trust policy about the caller, and no caller is
    ec2.amazonaws.com; its metadata service makes up keys that no policy knows.
    """
    from ministack.services import iam, sts

    if spec.role_arn is None:
        raise LookupError(f"{spec.instance_id} has no instance profile")
    role = iam._roles[spec.role_arn.rsplit("/", 1)[-1]]
    assumed_arn, refused = sts._assumed_role_arn(role["Arn"], spec.instance_id)
    if refused:
        raise LookupError(f"EC2 cannot assume {role['Arn']} for {spec.instance_id}")
    credentials = Credentials(
        access_key_id=iam._gen_session_access_key(),
        secret_access_key=iam._gen_secret(),
        session_token=iam._gen_session_token(),
        expires_at=time.time() + CREDENTIALS_SECONDS,
    )
    session = {
        "Arn": assumed_arn,
        "UserId": f"{sts._role_id(role['Arn'])}:{spec.instance_id}",
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
        "Expiration": credentials.expires_at,
        "AccountId": spec.account_id,
        "PrincipalType": "AssumedRole",
        "SessionTags": [],
        "SessionPolicies": None,
    }
    sts.register_session(credentials.access_key_id, session)
    return credentials


def _template_data(specification: Mapping[str, str]) -> dict[str, Any]:
    """Stock takes any unknown version for the first."""
    from ministack.services import ec2

    wanted = specification.get("LaunchTemplateId") or specification.get("LaunchTemplateName")
    found = [
        template
        for template in ec2._launch_templates.values()
        if wanted in (template["LaunchTemplateId"], template["LaunchTemplateName"])
    ]
    if not found:
        raise Ec2Error(
            "InvalidLaunchTemplateId.NotFound",
            f"The specified launch template, with template ID {wanted}, does not exist.",
        )
    version = str(specification.get("Version") or "$Default")
    numbers = {"$Latest": "LatestVersionNumber", "$Default": "DefaultVersionNumber"}
    number = str(found[0][numbers[version]]) if version in numbers else version
    for each in found[0]["Versions"]:
        if str(each["VersionNumber"]) == number:
            added = {"LaunchTemplateId": found[0]["LaunchTemplateId"], "VersionNumber": int(number)}
            return {**each["LaunchTemplateData"], **added}
    raise Ec2Error(
        "InvalidLaunchTemplateId.VersionNotFound",
        f"Could not find the specified version {version} for the launch template with ID {wanted}.",
    )


def _launch(
    data: Mapping[str, Any],
    subnet_id: str,
    tags: Mapping[str, str],
    on_running: Callable[[], None],
    on_failed: Callable[[str, str], None],
) -> dict[str, Any]:
    from ministack.services import ec2

    subnet = ec2._subnets.get(subnet_id) or {}
    _fleet.need_capacity(subnet.get("AvailabilityZone", ""))
    record = new_record(data, subnet_id, tags)
    stops = record["InstanceInitiatedShutdownBehavior"] == "stop"
    _fleet.launch(spec_of(_context, record), stops, on_running, on_failed)
    return record


def _launch_for_caller(data: Mapping[str, Any], subnet_id: str) -> dict[str, Any]:
    """RunInstances' caller looks at the state; nobody waits."""
    return _launch(data, subnet_id, {}, ec2_api.nobody_waits, ec2_api.nobody_waits)


def _offer_faults(host: InstanceHost) -> None:
    """The control paths of EC2, as `control` lists them."""
    acts = {
        "agent-offline": host.break_agent,
        "agent-online": host.mend_agent,
        "hang": host.hang,
    }

    def capacity(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        set_capacity(asked["zone"], asked["available"])
        return asked

    def fault(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        acts[asked["fault"]](asked["instance_id"])
        return asked

    def metadata(asked: Mapping[str, Any]) -> Mapping[str, Any]:
        host.set_metadata(asked["instance_id"], asked["path"], asked["text"])
        return asked

    control.on_post("capacity", capacity)
    control.on_post("fault", fault)
    control.on_post("metadata", metadata)
