"""The EC2 calls about instances, in EC2's query protocol, over the fleet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from local.instances.fleet import Ec2Error, Fleet
from local.instances.host import InstanceHost
from local.seams.ec2_records import STATE_CODES

Query = Mapping[str, Any]
Response = tuple[int, dict[str, str], bytes]
Launch = Callable[[Mapping[str, Any], str], dict[str, Any]]
"""Launch one instance of LaunchTemplateData in a subnet; its record."""

STATUS_DETAIL = {"ok": "passed", "initializing": "initializing", "impaired": "failed"}


def take_over_calls(
    fleet: Fleet,
    host: InstanceHost,
    launch: Launch,
    template_data: Callable[[Mapping[str, str]], dict[str, Any]],
) -> None:
    """Stock keeps records that change at once and has no machines behind them."""
    from ministack.services import ec2

    ec2._ACTION_MAP |= {
        "RunInstances": answering(lambda query: run_instances(query, launch, template_data)),
        "StartInstances": answering(
            lambda query: change(
                query, "StartInstances", fleet, lambda i: fleet.start(i, nobody_waits, nobody_waits)
            )
        ),
        "StopInstances": answering(
            lambda query: change(
                query, "StopInstances", fleet, lambda i: fleet.stop(i, nobody_waits)
            )
        ),
        "TerminateInstances": answering(
            lambda query: change(
                query, "TerminateInstances", fleet, lambda i: fleet.terminate(i, nobody_waits)
            )
        ),
        "RebootInstances": answering(lambda query: reboot_instances(query, fleet)),
        "CreateFleet": answering(refuse_fleet),
        "DescribeInstanceStatus": answering(lambda query: describe_status(query, host)),
    }


def show_states() -> None:
    """Stock shows no reasons and an empty address where EC2 leaves the address out."""
    from ministack.services import ec2

    stock = ec2._instance_xml

    def instance_xml(record: Mapping[str, Any]) -> str:
        shown: str = stock(record)
        for empty in ("<ipAddress></ipAddress>", "<keyName></keyName>"):
            shown = shown.replace(empty, "")
        return shown.removesuffix("</item>") + _added_xml(record) + "</item>"

    ec2._instance_xml = instance_xml


def filter_by_place() -> None:
    """Stock ignores filters it does not know, and answers everything; EC2 refuses unknown ones."""
    from ministack.services import ec2

    stock = ec2._matches_filters

    def matches(record: Mapping[str, Any], filters: Mapping[str, list[str]]) -> bool:
        rest = dict(filters)
        for name in filters:
            if name in FILTERS:
                wanted = rest.pop(name)
                if not set(FILTERS[name](record)) & set(wanted):
                    return False
        return bool(stock(record, rest))

    ec2._matches_filters = matches


FILTERS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "availability-zone": lambda record: [record["Placement"]["AvailabilityZone"]],
    "iam-instance-profile.arn": lambda record: [
        (record.get("IamInstanceProfile") or {}).get("Arn", "")
    ],
    "instance-id": lambda record: [record["InstanceId"]],
    "instance-state-code": lambda record: [str(record["State"]["Code"])],
    "instance.group-id": lambda record: [group["GroupId"] for group in record["SecurityGroups"]],
    "private-ip-address": lambda record: [record["PrivateIpAddress"]],
    "subnet-id": lambda record: [record["SubnetId"]],
    "vpc-id": lambda record: [record["VpcId"]],
}


def answering(handler: Callable[[Query], Response]) -> Callable[[Query], Response]:
    """Give an Ec2Error as EC2 does."""
    from ministack.services import ec2

    def answer(query: Query) -> Response:
        try:
            return handler(query)
        except Ec2Error as error:
            refused: Response = ec2._error(error.code, escape(error.message), 400)
            return refused

    return answer


def run_instances(
    query: Query, launch: Launch, template_data: Callable[[Mapping[str, str]], dict[str, Any]]
) -> Response:
    """RunInstances: the request's own members win over those of its launch template."""
    from ministack.core.responses import get_account_id
    from ministack.services import ec2

    data = _request_data(query, template_data)
    if not data.get("ImageId"):
        raise Ec2Error("MissingParameter", "The request must contain the parameter ImageId")
    least, most = (int(ec2._p(query, name) or "1") for name in ("MinCount", "MaxCount"))
    if not 1 <= least <= most:
        raise Ec2Error(
            "InvalidParameterValue",
            f"Value ({least}) for parameter minCount is invalid. "
            f"It must be from 1 to maxCount, which is {most}.",
        )
    records = [launch(data, _subnet_id(query, data)) for _ in range(most)]
    reservation = f"r-{records[0]['InstanceId'][2:]}"
    items = "".join(ec2._instance_xml(record) for record in records)
    inner = (
        f"<reservationId>{reservation}</reservationId><ownerId>{get_account_id()}</ownerId>"
        f"<groupSet/><instancesSet>{items}</instancesSet>"
    )
    return ec2._xml(200, "RunInstancesResponse", inner)  # type: ignore[no-any-return]


def change(query: Query, call: str, fleet: Fleet, act: Callable[[str], None]) -> Response:
    """Start, stop or terminate each instance; unknown ids are refused before anything is done."""
    from ministack.services import ec2

    instance_ids = ec2._parse_member_list(query, "InstanceId")
    before = {instance_id: fleet.state(instance_id) for instance_id in instance_ids}
    for instance_id in instance_ids:
        act(instance_id)
    items = "".join(
        f"<item><instanceId>{instance_id}</instanceId>"
        f"<previousState>{_state_xml(before[instance_id])}</previousState>"
        f"<currentState>{_state_xml(fleet.state(instance_id))}</currentState></item>"
        for instance_id in instance_ids
    )
    return ec2._xml(200, f"{call}Response", f"<instancesSet>{items}</instancesSet>")  # type: ignore[no-any-return]


def reboot_instances(query: Query, fleet: Fleet) -> Response:
    from ministack.services import ec2

    for instance_id in ec2._parse_member_list(query, "InstanceId"):
        fleet.reboot(instance_id)
    return ec2._xml(200, "RebootInstancesResponse", "<return>true</return>")  # type: ignore[no-any-return]


def refuse_fleet(_query: Query) -> Response:
    """Stock's fleets make records with no machine behind them."""
    raise Ec2Error(
        "UnsupportedOperation",
        "CreateFleet is not provided here: use RunInstances or an Auto Scaling group.",
    )


def describe_status(query: Query, host: InstanceHost) -> Response:
    """Stock says ok of whatever is running; EC2 checks whether the system answers."""
    from ministack.services import ec2

    wanted = ec2._parse_member_list(query, "InstanceId")
    for instance_id in wanted:
        if instance_id not in ec2._instances:
            raise Ec2Error(
                "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist"
            )
    every = str(ec2._p(query, "IncludeAllInstances")).lower() == "true"
    records = [
        record
        for record in ec2._instances.values()
        if (not wanted or record["InstanceId"] in wanted)
        and (every or record["State"]["Name"] == "running")
    ]
    items = "".join(_status_xml(record, host) for record in records)
    inner = f"<instanceStatusSet>{items}</instanceStatusSet>"
    return ec2._xml(200, "DescribeInstanceStatusResponse", inner)  # type: ignore[no-any-return]


def _request_data(
    query: Query, template_data: Callable[[Mapping[str, str]], dict[str, Any]]
) -> dict[str, Any]:
    from ministack.services import ec2

    own: dict[str, Any] = ec2._parse_lt_data(
        {f"LaunchTemplateData.{name}": value for name, value in query.items()}
    )
    members = ("LaunchTemplateId", "LaunchTemplateName", "Version")
    template = {name: ec2._p(query, f"LaunchTemplate.{name}") for name in members}
    if not template["LaunchTemplateId"] and not template["LaunchTemplateName"]:
        return own
    return {**template_data({name: value for name, value in template.items() if value}), **own}


def _subnet_id(query: Query, data: Mapping[str, Any]) -> str:
    """The subnet asked for, of the zone asked for, or the default one."""
    from ministack.services import ec2

    interfaces = data.get("NetworkInterfaces") or [{}]
    asked = ec2._p(query, "SubnetId") or interfaces[0].get("SubnetId")
    if asked:
        return str(asked)
    zone = ec2._p(query, "Placement.AvailabilityZone")
    for subnet in ec2._subnets.values():
        if subnet.get("DefaultForAz") and zone in ("", subnet["AvailabilityZone"]):
            return str(subnet["SubnetId"])
    raise Ec2Error("MissingInput", f"No default subnet for availability zone: '{zone or None}'.")


def _state_xml(state: str) -> str:
    return f"<code>{STATE_CODES[state]}</code><name>{state}</name>"


def _added_xml(record: Mapping[str, Any]) -> str:
    reason = record.get("StateReason") or {}
    options = record.get("MetadataOptions") or {}
    said = "".join(
        f"<stateReason><code>{escape(reason['Code'])}</code>"
        f"<message>{escape(reason['Message'])}</message></stateReason>"
        if reason
        else ""
    )
    return (
        f"{said}<reason>{escape(record.get('StateTransitionReason', ''))}</reason>"
        "<metadataOptions><state>applied</state>"
        f"<httpTokens>{options.get('HttpTokens', 'required')}</httpTokens>"
        f"<httpPutResponseHopLimit>{options.get('HttpPutResponseHopLimit', 2)}"
        "</httpPutResponseHopLimit>"
        f"<httpEndpoint>{options.get('HttpEndpoint', 'enabled')}</httpEndpoint>"
        f"<instanceMetadataTags>{options.get('InstanceMetadataTags', 'disabled')}"
        "</instanceMetadataTags></metadataOptions>"
    )


def _status_xml(record: Mapping[str, Any], host: InstanceHost) -> str:
    state = record["State"]["Name"]
    check = host.status(record["InstanceId"]) if state == "running" else "not-applicable"
    detail = STATUS_DETAIL.get(check)
    details = (
        f"<details><item><name>reachability</name><status>{detail}</status></item></details>"
        if detail
        else ""
    )
    system = "ok" if check == "impaired" else check
    return (
        f"<item><instanceId>{record['InstanceId']}</instanceId>"
        f"<availabilityZone>{record['Placement']['AvailabilityZone']}</availabilityZone>"
        f"<instanceState>{_state_xml(state)}</instanceState>"
        f"<systemStatus><status>{system}</status></systemStatus>"
        f"<instanceStatus><status>{check}</status>{details}</instanceStatus></item>"
    )


def nobody_waits(*what_came: str) -> None:
    """The API's caller looks at the state; nobody waits here."""
