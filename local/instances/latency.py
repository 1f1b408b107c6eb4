"""How long EC2, the operating system and the SSM agent take, from published recordings.

Every duration is in seconds and is divided by the cloud's speed. What really runs in an instance
(user data, services, commands) is not in this table: it takes the time that it takes.

- radkawar/stackd, warm_pool_lifecycle_native.json (us-east-1, t3.nano, AL2023, 2026): launch begins
  11:20:28, running 11:20:33; start begins 11:22:02.6, running 11:22:09; stopping 11:21:28, stopped
  11:21:39.
- daemonology.net, EC2 boot time benchmarking (2021): 4.9 s from pending to running.
- depot.dev, Improving EC2 boot time (2025): kernel 1.8 s and userspace 7.0 s (Ubuntu 24.04).
- systemd-system.conf(5): DefaultTimeoutStopSec 90 s; EC2 itself forces the power off later still.

Not published, so taken: terminate as long as a stop; the agent a few seconds to register with the
service, and one to connect again at later boots.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

# Programs in the box are not sped up with the cloud: this much they get to end in any case.
LEAST_STOP_GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class Latency:
    """Seconds, of a cloud at speed 1."""

    launch: float = 5.0
    """RunInstances until the state is running."""
    start: float = 6.4
    """StartInstances until the state is running."""
    operating_system: float = 8.8
    """Running until enabled services and user data start."""
    agent: float = 4.0
    """From there until the SSM agent has registered, at the first boot."""
    agent_again: float = 1.0
    """The same at later boots."""
    stop: float = 11.0
    """StopInstances until stopped, at least."""
    terminate: float = 11.0
    """TerminateInstances until terminated, at least."""
    stop_grace: float = 90.0
    """What services get after SIGTERM before the power goes."""

    def at_speed(self, speed: float) -> Latency:
        """The same table for a cloud which is `speed` times as fast."""
        faster = {field.name: getattr(self, field.name) / speed for field in fields(self)}
        faster["stop_grace"] = max(faster["stop_grace"], LEAST_STOP_GRACE_SECONDS)
        return Latency(**faster)
