from datetime import UTC, datetime

import pytest

from pilotlight.errors import SettingsError
from pilotlight.settings.queue_depth import QueueDepthSettings

GOOD = {
    "GROUP_NAME": "stack-workers",
    "JOBS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
    "JOBS_PER_INSTANCE": "2",
    "TARGET_WAIT_SECONDS": "60",
    "START_SECONDS": "25",
    "MAX_USD_PER_DAY": "30",
    "INSTANCE_USD_PER_HOUR": "0.526",
    "SCHEDULE": "mon-fri 08:00-18:00 Europe/Berlin min=2 spare=1",
}


def test_settings_are_read_by_their_names_in_capitals() -> None:
    settings = QueueDepthSettings.from_environment(GOOD)

    assert (settings.group_name, settings.jobs_per_instance) == ("stack-workers", 2)


@pytest.mark.parametrize("variable", GOOD)
def test_a_missing_variable_is_named(variable: str) -> None:
    environ = {name: value for name, value in GOOD.items() if name != variable}

    with pytest.raises(SettingsError, match=f"^{variable} is not set"):
        QueueDepthSettings.from_environment(environ)


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("JOBS_PER_INSTANCE", "0", "from 1 to 1000"),
        ("JOBS_PER_INSTANCE", "1.5", "from 1 to 1000"),
        ("START_SECONDS", "-1", "from 1 to 900"),
        ("START_SECONDS", "\u0661", "from 1 to 900"),  # an Arabic 1: int() would take it
        ("START_SECONDS", "901", "from 1 to 900"),
        ("TARGET_WAIT_SECONDS", "1e3", "from 0 to 3600"),
        ("MAX_USD_PER_DAY", "-1", "from 0 to"),
        ("JOBS_QUEUE_URL", "jobs", "matches https"),
        ("GROUP_NAME", "", "matches"),
        ("GROUP_NAME", "a\nb", "matches"),
    ],
)
def test_a_malformed_variable_is_named_with_value_and_remedy(
    variable: str, value: str, remedy: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        QueueDepthSettings.from_environment(GOOD | {variable: value})

    assert str(caught.value).startswith(f"{variable} is {value!r}")
    assert remedy in str(caught.value)


def test_a_schedule_that_cannot_be_read_stops_the_function_with_the_period_named() -> None:
    with pytest.raises(SettingsError, match="SCHEDULE: 'weekdays' is no period"):
        QueueDepthSettings.from_environment(GOOD | {"SCHEDULE": "weekdays"})


def test_the_policy_of_a_moment_has_the_schedules_sizes_and_what_the_money_buys() -> None:
    policy = QueueDepthSettings.from_environment(GOOD).policy(datetime(2026, 9, 28, 7, tzinfo=UTC))

    assert (policy.least_capacity, policy.least_spare) == (2, 1)
    assert policy.affordable == 2  # 30 USD / (24 h x 0.526 USD) = 2.4
