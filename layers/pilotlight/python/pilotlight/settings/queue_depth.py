"""Of on_queue_depth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pilotlight.errors import SettingsError
from pilotlight.scaling.decision import Policy
from pilotlight.scaling.schedule import Schedule, ScheduleError, read_schedule
from pilotlight.scaling.spending import affordable_instances
from pilotlight.settings.environment import QUEUE_URL, Settings, decimal, text, whole


def _read_periods(variable: str, value: str, _bounds: Mapping[str, Any]) -> Schedule:
    try:
        return read_schedule(value)
    except ScheduleError as error:
        raise SettingsError(f"{variable}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class QueueDepthSettings(Settings):
    """Of on_queue_depth. MAX_USD_PER_DAY 0: no limit; INSTANCE_USD_PER_HOUR 0: no price."""

    jobs_queue_url: str = text(QUEUE_URL)
    jobs_per_instance: int = whole(1, 1_000)
    target_wait_seconds: float = decimal(0, 3_600)
    start_seconds: int = whole(1, 900)
    max_usd_per_day: float = decimal(0, 1_000_000)
    instance_usd_per_hour: float = decimal(0, 1_000)
    schedule: Schedule = field(metadata={"read": _read_periods})

    def policy(self, now: datetime) -> Policy:
        sizes = self.schedule.sizes(now)
        return Policy(
            jobs_per_instance=self.jobs_per_instance,
            target_wait_seconds=self.target_wait_seconds,
            start_seconds=self.start_seconds,
            least_capacity=sizes.least_capacity,
            least_spare=sizes.least_spare,
            affordable=affordable_instances(self.max_usd_per_day, self.instance_usd_per_hour),
        )
