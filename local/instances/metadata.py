"""What the instance metadata service says: the tree of one instance, without a server.

Source: EC2 user guide, "Instance metadata categories"; Auto Scaling user guide, "Retrieve the
target lifecycle state through instance metadata".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

META_DATA = "meta-data/"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of the instance profile's role."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: float
    """Epoch seconds."""

    def document(self, now: float) -> str:
        """As iam/security-credentials/<role> gives it."""
        return json.dumps(
            {
                "Code": "Success",
                "LastUpdated": datetime.fromtimestamp(now, UTC).strftime(_TIME),
                "Type": "AWS-HMAC",
                "AccessKeyId": self.access_key_id,
                "SecretAccessKey": self.secret_access_key,
                "Token": self.session_token,
                "Expiration": datetime.fromtimestamp(self.expires_at, UTC).strftime(_TIME),
            },
            indent=2,
        )


@dataclass(frozen=True)
class Identity:
    """What does not change while the instance runs."""

    account_id: str
    instance_id: str
    image_id: str
    instance_type: str
    zone: str
    region: str
    private_ip: str
    hostname: str
    role_name: str | None
    instance_profile_arn: str | None
    launched_at: float
    user_data: bytes


def metadata_tree(
    identity: Identity, tags: Mapping[str, str], extra: Mapping[str, str]
) -> dict[str, str]:
    """Path under /latest/ -> text. `tags` only where InstanceMetadataTags is enabled; `extra` are
    paths under meta-data/ which come and go, like autoscaling/target-lifecycle-state."""
    fixed = {
        "ami-id": identity.image_id,
        "hostname": identity.hostname,
        "instance-action": "none",
        "instance-id": identity.instance_id,
        "instance-life-cycle": "on-demand",
        "instance-type": identity.instance_type,
        "local-hostname": identity.hostname,
        "local-ipv4": identity.private_ip,
        "mac": mac_of(identity.private_ip),
        "placement/availability-zone": identity.zone,
        "placement/region": identity.region,
        "services/domain": "amazonaws.com",
        "services/partition": "aws",
    }
    fixed |= {f"tags/instance/{key}": value for key, value in tags.items()}
    if identity.role_name is not None:
        fixed["iam/info"] = _profile(identity)
    tree = {META_DATA + path: text for path, text in {**fixed, **extra}.items()}
    tree["dynamic/instance-identity/document"] = _identity_document(identity)
    return tree


def children(tree: Mapping[str, str], folder: str) -> list[str]:
    """What listing `folder` (empty, or ending in `/`) shows: names, folders with a `/`."""
    below = (path[len(folder) :] for path in tree if path.startswith(folder))
    names = (rest.split("/", 1) for rest in below)
    return sorted({name[0] + ("/" if len(name) > 1 else "") for name in names})


def mac_of(private_ip: str) -> str:
    """A hardware address that stays the instance's own, like its private address."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in private_ip.split("."))


def _profile(identity: Identity) -> str:
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": datetime.fromtimestamp(identity.launched_at, UTC).strftime(_TIME),
            "InstanceProfileArn": identity.instance_profile_arn,
            "InstanceProfileId": "AIPA" + identity.instance_id[2:].upper()[:17],
        },
        indent=2,
    )


def _identity_document(identity: Identity) -> str:
    return json.dumps(
        {
            "accountId": identity.account_id,
            "architecture": "x86_64",
            "availabilityZone": identity.zone,
            "imageId": identity.image_id,
            "instanceId": identity.instance_id,
            "instanceType": identity.instance_type,
            "pendingTime": datetime.fromtimestamp(identity.launched_at, UTC).strftime(_TIME),
            "privateIp": identity.private_ip,
            "region": identity.region,
            "version": "2017-09-30",
        },
        indent=2,
    )
