"""One instance as its host keeps it: on or off, reachable or not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local.instances import disk
from local.instances.imds import MetadataService
from local.instances.layout import Layout
from local.instances.machine import Machine
from local.instances.metadata import Credentials, Identity, metadata_tree
from local.instances.trash import Trash


@dataclass(frozen=True)
class InstanceSpec:
    """What RunInstances was asked for. `user_data` is decoded; `role_arn` is the profile's."""

    instance_id: str
    image_id: str
    instance_type: str
    zone: str
    region: str
    private_ip: str
    user_data: bytes
    role_arn: str | None
    tags: Mapping[str, str]
    account_id: str = "000000000000"
    instance_profile_arn: str | None = None
    token_required: bool = True
    """MetadataOptions HttpTokens=required."""
    tags_in_metadata: bool = False
    """MetadataOptions InstanceMetadataTags=enabled."""
    launched_at: float = field(default_factory=time.time)
    """Epoch seconds."""

    @property
    def hostname(self) -> str:
        """EC2's IP-based name (EC2 user guide, "instance hostname types")."""
        domain = "ec2.internal" if self.region == "us-east-1" else f"{self.region}.compute.internal"
        return f"ip-{self.private_ip.replace('.', '-')}.{domain}"

    def identity(self) -> Identity:
        role_name = self.role_arn.rsplit("/", 1)[-1] if self.role_arn else None
        return Identity(
            account_id=self.account_id,
            instance_id=self.instance_id,
            image_id=self.image_id,
            instance_type=self.instance_type,
            zone=self.zone,
            region=self.region,
            private_ip=self.private_ip,
            hostname=self.hostname,
            role_name=role_name,
            instance_profile_arn=self.instance_profile_arn,
            launched_at=self.launched_at,
            user_data=self.user_data,
        )


class Instance:
    """`power` counts changes of power: what was due for an older one is not done any more."""

    def __init__(self, spec: InstanceSpec, layout: Layout) -> None:
        self.spec = spec
        self.layout = layout
        self.machine: Machine | None = None
        self.booted_before = False
        self.agent_registered = False
        self.agent_broken = False
        self._agent_up = False
        self._agent_pinged_at = 0.0
        self._hung = False
        self._power = 0
        self._lock = threading.Lock()
        self._extra: dict[str, str] = {}
        self._metadata: MetadataService | None = None

    @property
    def reachable(self) -> bool:
        machine = self.machine
        return machine is not None and not machine.ended.is_set() and not self._hung

    @property
    def status(self) -> str:
        """`initializing` until the system has booted, then `ok`, or `impaired` when it hangs."""
        machine = self.machine
        if machine is None or not machine.booted:
            return "initializing"
        return "ok" if self.reachable else "impaired"

    @property
    def agent_online(self) -> bool:
        return self.reachable and self._agent_up and not self.agent_broken

    def agent_pinged_at(self) -> float:
        """Epoch seconds: now while the agent is online, otherwise when it was last known to be."""
        if self.agent_online:
            self._agent_pinged_at = time.time()
        return self._agent_pinged_at

    @property
    def metadata_endpoint(self) -> str:
        """Raises RuntimeError while the instance is off."""
        if self._metadata is None:
            raise RuntimeError(f"{self.spec.instance_id} is off: it has no metadata endpoint")
        return self._metadata.endpoint

    def next_power(self) -> int:
        """The instance is about to go on or off; gives the count to hand to what is due."""
        with self._lock:
            self._power += 1
            return self._power

    def set_metadata(self, path: str, text: str | None) -> None:
        extra = {key: value for key, value in self._extra.items() if key != path}
        self._extra = extra if text is None else {**extra, path: text}

    def serve_metadata(
        self, credentials: Callable[[], Credentials], power: int | None = None
    ) -> bool:
        """Open the metadata endpoint; False when power changed since."""
        identity = self.spec.identity()
        tags = self.spec.tags if self.spec.tags_in_metadata else {}
        with self._lock:
            if power not in (None, self._power):
                return False
            self._metadata = MetadataService(
                tree=lambda: metadata_tree(identity, tags, self._extra),
                user_data=self.spec.user_data,
                role_name=identity.role_name,
                credentials=credentials,
                token_required=self.spec.token_required,
            )
        return True

    def start_system(self, power: int, start: Callable[[], Machine]) -> bool:
        """Boot the operating system; False when power changed since, or it does not come up."""
        with self._lock:
            if power != self._power:
                return False
            machine = self.machine = start()
            self.booted_before = True
        return machine.await_boot()

    def agent_comes_up(self, power: int) -> None:
        """The SSM agent registers at its first boot and connects at later ones."""
        with self._lock:
            if power == self._power:
                self._agent_up = True
                self._agent_pinged_at = time.time()
                self.agent_registered |= not self.agent_broken

    def break_agent(self) -> None:
        self.agent_pinged_at()
        self.agent_broken = True

    def mend_agent(self) -> None:
        self.agent_broken = False
        self.agent_registered |= self._agent_up

    def hang(self) -> None:
        self.agent_pinged_at()
        self._hung = True
        if self.machine is not None:
            self.machine.freeze()

    def power_off(self, grace_seconds: float, trash: Trash) -> None:
        """Shut down, then lose memory and the metadata endpoint. Blocks. Off already is fine."""
        with self._lock:
            machine, self.machine = self.machine, None
            metadata, self._metadata = self._metadata, None
            self._agent_up = False
        if machine is not None:
            machine.power_off(0.0 if self._hung else grace_seconds)
        if metadata is not None:
            metadata.close()
        self._hung = False
        disk.forget_memory(self.layout, trash)
