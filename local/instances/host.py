"""The machines behind EC2: every instance is a box of its own on this computer."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.instances import disk
from local.instances.environment import box_environment, pip_settings
from local.instances.instance import Instance, InstanceSpec
from local.instances.latency import Latency
from local.instances.layout import Layout
from local.instances.machine import Completed, Machine
from local.instances.metadata import Credentials
from local.instances.surroundings import Surroundings
from local.instances.trash import Trash

__all__ = ["Completed", "InstanceHost", "InstanceSpec"]

log = logging.getLogger(__name__)


class InstanceHost:
    """Boots, stops and enters boxes. Callbacks come from another thread, never before return.

    Methods raise KeyError for an instance that was never created or is terminated, where not said
    otherwise. `credentials` gives those of the instance's role; `on_shutdown(instance_id)` tells
    that a program in the box switched it off, and wants `stop` or `terminate` in return.
    `look_around` is called once, in the background.
    """

    def __init__(
        self,
        folder: Path,
        endpoint: str,
        latency: Latency,
        credentials: Callable[[InstanceSpec], Credentials],
        on_shutdown: Callable[[str], None],
        look_around: Callable[[], Surroundings],
    ) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._latency = latency
        self._credentials = credentials
        self._on_shutdown = on_shutdown
        self._ask_around = look_around
        self._instances: dict[str, Instance] = {}
        self._trash = Trash(folder.with_name("trash"))
        self._trash.throw_away(folder)  # disks of a cloud that is no more
        self._looking = threading.Lock()
        _in_thread(self._look_around)  # the answer is there when the first instance boots

    def create(self, spec: InstanceSpec) -> None:
        """Lay out the disk; nothing runs yet."""
        layout = Layout(self._folder / spec.instance_id)
        disk.lay_out(layout, spec.user_data)
        self._instances[spec.instance_id] = Instance(spec, layout)

    def boot(self, instance_id: str, on_running: Callable[[], None]) -> None:
        """First boot runs the user data once; every boot starts enabled services."""
        instance = self._instances[instance_id]
        power = instance.next_power()
        delay = self._latency.start if instance.booted_before else self._latency.launch
        _later(delay, self._run, instance, power, on_running)

    def stop(self, instance_id: str, on_stopped: Callable[[], None]) -> None:
        """Kill every process and lose memory and /run; keep the disk."""
        instance = self._instances[instance_id]
        instance.next_power()
        _in_thread(self._power_off, instance, self._latency.stop, on_stopped)

    def terminate(self, instance_id: str, on_terminated: Callable[[], None]) -> None:
        """As stop, and the disk goes too."""
        instance = self._instances.pop(instance_id)
        instance.next_power()

        def destroy() -> None:
            self._trash.throw_away(instance.layout.folder)
            on_terminated()

        _in_thread(self._power_off, instance, self._latency.terminate, destroy)

    def reboot(self, instance_id: str) -> None:
        """The operating system restarts; EC2's state stays running."""
        instance = self._instances[instance_id]
        power = instance.next_power()

        def again() -> None:
            instance.serve_metadata(lambda: self._credentials(instance.spec))
            _later(self._latency.operating_system, self._start_system, instance, power)

        _in_thread(self._power_off, instance, 0.0, again)

    def set_target_lifecycle_state(self, instance_id: str, state: str | None) -> None:
        """What IMDS autoscaling/target-lifecycle-state answers; None is 404. Terminated is fine."""
        if instance_id in self._instances:
            self.set_metadata(instance_id, "autoscaling/target-lifecycle-state", state)

    def set_metadata(self, instance_id: str, path: str, text: str | None) -> None:
        """What IMDS answers below meta-data/, e.g. `spot/instance-action`; None is 404."""
        self._instances[instance_id].set_metadata(path, text)

    def agent_registered(self, instance_id: str) -> bool:
        """Whether the SSM agent has ever registered; False for an unknown instance."""
        instance = self._instances.get(instance_id)
        return instance is not None and instance.agent_registered

    def agent_online(self, instance_id: str) -> bool:
        """Whether the agent answers now; False for an unknown instance."""
        instance = self._instances.get(instance_id)
        return instance is not None and instance.agent_online

    def agent_pinged_at(self, instance_id: str) -> float:
        """When the agent was last heard of, in epoch seconds; 0 for an unknown instance."""
        instance = self._instances.get(instance_id)
        return 0.0 if instance is None else instance.agent_pinged_at()

    def status(self, instance_id: str) -> str:
        """What EC2's instance status check finds: `ok`, `initializing` or `impaired`."""
        return self._instances[instance_id].status

    def break_agent(self, instance_id: str) -> None:
        """A fault: the agent goes offline, or never registers if it has not yet, until mended."""
        self._instances[instance_id].break_agent()

    def mend_agent(self, instance_id: str) -> None:
        """The end of that fault."""
        self._instances[instance_id].mend_agent()

    def hang(self, instance_id: str) -> None:
        """A fault: every process freezes, the agent too, until the instance is stopped."""
        self._instances[instance_id].hang()

    def run(
        self,
        instance_id: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
        timeout_seconds: float,
    ) -> Completed:
        """Run one command in the box as the agent would; blocks.

        Raises TimeoutError when killed at the limit, ConnectionError when the box went away or
        its agent is not online.
        """
        instance = self._instances.get(instance_id)
        machine = instance.machine if instance is not None and instance.agent_online else None
        if machine is None:
            raise ConnectionError(f"the SSM agent of {instance_id} is not online")
        return machine.run(argv, environment, timeout_seconds)

    def close(self) -> None:
        """Power everything off at once, as when the cloud itself ends."""
        for instance in list(self._instances.values()):
            instance.next_power()
            instance.power_off(0.0, self._trash)

    @functools.cached_property
    def _surroundings(self) -> Surroundings:
        return self._ask_around()

    def _look_around(self) -> Surroundings:
        with self._looking:
            return self._surroundings

    def _run(self, instance: Instance, power: int, on_running: Callable[[], None]) -> None:
        if not instance.serve_metadata(lambda: self._credentials(instance.spec), power):
            return
        _later(self._latency.operating_system, self._start_system, instance, power)
        on_running()

    def _start_system(self, instance: Instance, power: int) -> None:
        surroundings = self._look_around()
        first = not instance.booted_before
        if instance.start_system(power, lambda: self._machine(instance, surroundings)):
            delay = self._latency.agent if first else self._latency.agent_again
            _later(delay, instance.agent_comes_up, power)

    def _machine(self, instance: Instance, surroundings: Surroundings) -> Machine:
        enclosure = surroundings.enclosure
        plain = box_environment(
            surroundings.environment, self._endpoint, instance.metadata_endpoint
        )
        described = {
            "hostname": instance.spec.hostname,
            "environment": enclosure.adapt(plain, instance.layout),
            "interpreters": surroundings.interpreters,
            "enclosed": enclosure.enclosed,
        }
        disk.refresh(
            instance.layout,
            enclosure.root(instance.layout),
            described,
            pip_settings(surroundings.environment),
        )
        return Machine(
            instance.layout,
            enclosure,
            functools.partial(_in_thread, self._power_off_asked, instance.spec.instance_id),
        )

    def _power_off(
        self, instance: Instance, least_seconds: float, then: Callable[[], None]
    ) -> None:
        began = time.monotonic()
        instance.power_off(self._latency.stop_grace, self._trash)
        time.sleep(max(0.0, began + least_seconds - time.monotonic()))
        then()

    def _power_off_asked(self, instance_id: str, reboot: bool) -> None:
        if reboot:
            self.reboot(instance_id)
        else:
            self._on_shutdown(instance_id)


def _in_thread(work: Callable[..., object], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


def _later(seconds: float, work: Callable[..., object], *arguments: object) -> None:
    timer = threading.Timer(seconds, work, arguments)
    timer.daemon = True
    timer.start()
