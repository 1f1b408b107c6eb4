"""Of reconcile."""

from dataclasses import dataclass
from datetime import timedelta

from pilotlight.fleet.breaker import LAUNCHED, BreakerPolicy
from pilotlight.fleet.lifecycle_action import READY_HOOK
from pilotlight.fleet.trial import PoolSizes
from pilotlight.scaling.pool import PoolPolicy
from pilotlight.scaling.spending import affordable_disks
from pilotlight.settings.commands import CommandSettings
from pilotlight.settings.environment import QUEUE_URL, decimal, text, whole
from pilotlight.settings.queue_depth import QueueDepthSettings

# us-east-1, 2026 (EBS pricing); elsewhere it is up to twice as much.
GP3_USD_PER_GIB_MONTH = 0.08
TABLE_NAME = r"[a-zA-Z0-9_.-]{3,255}"
SWITCH = r"true|false"
VERSIONS = r"arn:\S+:\d+ arn:\S+:\d+ \d+"  # two layers, the launch template
TOPIC_ARN = r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]{1,256}"


@dataclass(frozen=True, kw_only=True)
class ReconcileSettings(QueueDepthSettings, CommandSettings):
    """Of reconcile: it does whatever the others missed. WATCH_SECONDS 0: no watch runs."""

    watch_queue_url: str = text(QUEUE_URL)
    watch_seconds: int = whole(0, 60)
    max_setup_failures: int = whole(1, 100)
    setup_versions: str = text(VERSIONS)
    alert_topic_arn: str = text(TOPIC_ARN)
    heartbeats_table: str = text(TABLE_NAME)
    heartbeat_overdue_seconds: int = whole(1, 86_400)
    pool_min_size: int = whole(0, 100_000)
    max_prepared_capacity: int = whole(-1, 100_000)  # -1: MaxSize
    manage_pool: str = text(SWITCH)
    pool_confidence_percent: int = whole(50, 100)
    root_volume_gib: int = whole(1, 16_384)
    max_disk_usd_per_month: float = decimal(0, 1_000_000)

    def heartbeat_overdue(self) -> timedelta:
        return timedelta(seconds=self.heartbeat_overdue_seconds)

    def breaker_policy(self) -> BreakerPolicy:
        """A trial has the time of two commands: one that got no answer is asked once more."""
        prepared = self.max_prepared_capacity
        setup = 2 * self.command_book().longest(READY_HOOK)
        return BreakerPolicy(
            max_failures=self.max_setup_failures,
            pool=PoolSizes(self.pool_min_size, None if prepared < 0 else prepared),
            trial_lasts=LAUNCHED + setup,
            deployed=".".join(it.rpartition(":")[2] for it in self.setup_versions.split()),
        )

    def pool_policy(self) -> PoolPolicy:
        return PoolPolicy(
            confidence=self.pool_confidence_percent / 100,
            jobs_per_instance=self.jobs_per_instance,
            affordable_disks=affordable_disks(
                self.max_disk_usd_per_month, GP3_USD_PER_GIB_MONTH, self.root_volume_gib
            ),
        )
