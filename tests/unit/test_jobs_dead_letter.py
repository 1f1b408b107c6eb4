"""What fits beside a message in the dead-letter queue: SQS weighs body and attributes together."""

import pytest

from pilotlight.jobs.attempts import Tally
from pilotlight.jobs.dead_letter import MAX_MESSAGE_BYTES, DeadLetter

ID = "0a1b2c3d"
JOB_ID_BYTES = len("job_id" + "String" + ID)


def letter(room_bytes: int, reason: str = "it failed") -> DeadLetter:
    """Of a message that leaves so much room beside its body."""
    body = "x" * (MAX_MESSAGE_BYTES - room_bytes)
    return DeadLetter(body, ID, reason, Tally(3, 1), "/pilotlight/stack/workers", "stream")


def weight_bytes(found: DeadLetter) -> int:
    attributes = found.attributes().items()
    return len(found.body) + sum(len(f"{name}String{value}".encode()) for name, value in attributes)


def test_where_there_is_room_everything_is_said() -> None:
    assert list(letter(10_000).attributes()) == [
        "job_id",
        "reason",
        "failures",
        "interruptions",
        "log_group",
        "log_stream",
    ]


@pytest.mark.parametrize("room_bytes", [0, JOB_ID_BYTES, 60, 100, 700, 2_000, 5_000])
@pytest.mark.parametrize("reason", ["x" * 3_000, "\N{CAT FACE}" * 3_000])
def test_what_does_not_fit_is_left_out_so_that_sqs_takes_the_rest(
    room_bytes: int, reason: str
) -> None:
    assert weight_bytes(letter(room_bytes, reason)) <= MAX_MESSAGE_BYTES


def test_the_id_goes_first_and_then_as_much_of_the_reason_as_fits() -> None:
    tight = letter(JOB_ID_BYTES + len("reasonString") + 5, reason="it failed for a reason")
    assert tight.attributes() == {"job_id": ID, "reason": "it fa"}
