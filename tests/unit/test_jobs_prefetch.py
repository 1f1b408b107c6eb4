"""How many messages a worker fetches ahead of its slots."""

import pytest

from pilotlight.jobs.prefetch import Pace, to_receive


@pytest.mark.parametrize(
    ("slots", "recent_seconds", "expected"),
    [
        pytest.param(8, [], 0, id="nothing_ahead_of_the_first_jobs"),
        pytest.param(8, [0.01] * 4, 0, id="nor_after_a_few"),
        pytest.param(1, [0.01] * 5, 40, id="four_batches_at_the_most"),
        pytest.param(1, [0.3] * 5, 3, id="what_one_slot_begins_within_a_second"),
        pytest.param(4, [0.3] * 5, 13, id="and_what_four_begin"),
        pytest.param(1, [0.01] * 19 + [30.0], 0, id="one_long_job_lately_is_enough_for_none"),
        pytest.param(1, [0.0] * 5, 40, id="jobs_that_took_no_time_at_all"),
    ],
)
def test_as_many_wait_in_the_worker_as_begin_within_a_second(slots, recent_seconds, expected):
    assert pace_of(slots, recent_seconds).ahead(slots) == expected


def pace_of(slots, recent_seconds) -> Pace:
    pace = Pace(slots)
    for seconds in recent_seconds:
        pace.note(seconds)
    return pace


@pytest.mark.parametrize(
    ("slots", "seconds", "quick"), [(1, 0.05, True), (1, 0.2, False), (8, 0.2, True)]
)
def test_a_worker_is_quick_when_it_does_ten_jobs_a_second(slots, seconds, quick):
    assert pace_of(slots, [seconds] * 5).is_quick is quick


def test_what_is_forgotten_allows_nothing_ahead():
    pace = pace_of(1, [0.01] * 5)
    pace.forget()
    assert pace.ahead(1) == 0


@pytest.mark.parametrize(
    ("free", "waiting", "allowed_ahead", "expected"),
    [
        pytest.param(1, 0, 0, 1, id="one_for_a_free_slot"),
        pytest.param(8, 0, 0, 8, id="and_one_for_each"),
        pytest.param(64, 0, 20, 10, id="no_more_than_sqs_gives"),
        pytest.param(0, 0, 0, 0, id="none_without_a_free_slot"),
        pytest.param(1, 1, 0, 0, id="none_when_it_has_its_message_already"),
        pytest.param(0, 11, 20, 0, id="none_until_a_whole_batch_has_room"),
        pytest.param(0, 10, 20, 10, id="then_a_whole_batch"),
        pytest.param(1, 0, 3, 4, id="a_slot_that_would_idle_waits_for_no_batch"),
    ],
)
def test_a_receive_is_for_idle_slots_or_for_a_whole_batch(free, waiting, allowed_ahead, expected):
    assert to_receive(free, waiting, allowed_ahead) == expected
