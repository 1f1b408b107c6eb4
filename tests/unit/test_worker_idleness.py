"""How long a worker without a job holds its protection."""

import pytest

from pilotlight.worker.idleness import NEW, Idleness, Patience, patience_of_one

PATIENCE = Patience(idle_seconds=60, brief_seconds=5, unused_seconds=25, offer_seconds=15)


@pytest.mark.parametrize(
    ("idleness", "seconds"),
    [
        pytest.param(NEW, 25, id="who got no job may leave when the start is paid for anyway"),
        pytest.param(NEW.offer_untaken(), 60, id="or was woken to wait for one"),
        pytest.param(NEW.job_came(0.2), 5, id="the job that woke it may have come alone"),
        pytest.param(NEW.job_came(30), 5, id="so may the one that it was woken to wait for"),
        pytest.param(
            NEW.job_came(0.2).job_came(30), 60, id="another that came while it was idle did not"
        ),
        pytest.param(
            NEW.job_came(0.2).job_came(30).job_came(0.2), 60, id="nor the one that followed at once"
        ),
        pytest.param(NEW.job_came(0.2).job_came(0.2), 5, id="a batch leaves nothing to wait for"),
        pytest.param(NEW.job_came(0.2).offer_untaken(), 60, id="who was not taken is wanted"),
        pytest.param(Idleness(untaken=2), 120, id="and asks less often the longer that goes on"),
        pytest.param(Idleness(untaken=99), 480, id="but each eight minutes at least"),
        pytest.param(Idleness(untaken=99).job_came(500), 5, id="until a job comes"),
    ],
)
def test_idle_time_until_an_offer(idleness: Idleness, seconds: float) -> None:
    assert idleness.seconds(PATIENCE) == seconds


@pytest.mark.parametrize(
    ("watch_seconds", "offer_seconds"),
    [
        pytest.param(
            1, 15, id="the longest pause between looks, and the time that Auto Scaling takes"
        ),
        pytest.param(20, 32, id="one look, and the time that Auto Scaling takes to act"),
        pytest.param(0, 72, id="without the watch there is a look each minute"),
    ],
)
def test_an_offer_outlasts_a_look(watch_seconds: int, offer_seconds: float) -> None:
    assert patience_of_one(60, watch_seconds, spread=0).offer_seconds == offer_seconds


def test_an_idle_time_is_never_shorter_than_asked_for() -> None:
    assert patience_of_one(60, 3, spread=0.25) == Patience(75, 6.25, 40, 15)
    assert patience_of_one(2, 3, spread=0).brief_seconds == 2
