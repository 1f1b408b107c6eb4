import pytest

from pilotlight.errors import SettingsError
from pilotlight.settings import QueueDepthSettings

GOOD = {
    "GROUP_NAME": "stack-workers",
    "JOBS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
    "JOBS_PER_INSTANCE": "2",
    "WATCH_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/watch.fifo",
    "WATCH_SECONDS": "0",
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
        ("WATCH_SECONDS", "-1", "from 0 to 900"),
        ("WATCH_SECONDS", "\u0661", "from 0 to 900"),  # an Arabic 1: int() would take it
        ("WATCH_SECONDS", "901", "from 0 to 900"),
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
