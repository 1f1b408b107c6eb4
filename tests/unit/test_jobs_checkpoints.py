"""Checkpoints: whole or not at all, and the newest of the latest attempt is what counts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from pilotlight.jobs.archive import ArchiveError
from pilotlight.jobs.checkpoint_folder import CheckpointFolder
from pilotlight.jobs.checkpoints import AttemptCheckpoints, CheckpointError, Saved
from pilotlight.jobs.job import Job


class Attempt:
    """One attempt at a job that keeps a line of text."""

    def __init__(self, number: int, store: CheckpointFolder, scratch: Path) -> None:
        self.saved: list[Saved] = []
        self._ticks = iter(range(100))
        self.checkpoints = AttemptCheckpoints(
            number, lambda: store, lambda: float(next(self._ticks)), self.saved.append
        )
        self.job = Job("j-1", number, self.checkpoints)
        self._file = scratch / "state.txt"

    def save(self, text: str) -> None:
        self._file.write_text(text)
        self.job.save(self._file)

    def restore(self) -> str | None:
        restored = self.job.restore()
        return None if restored is None else restored.read_text()


StartAttempt = Callable[[int], Attempt]


@pytest.fixture
def store(tmp_path: Path) -> CheckpointFolder:
    return CheckpointFolder(tmp_path / "kept")


@pytest.fixture
def attempt(store: CheckpointFolder, tmp_path: Path) -> Iterator[StartAttempt]:
    started: list[Attempt] = []

    def start(number: int) -> Attempt:
        started.append(Attempt(number, store, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.checkpoints.close()


def test_the_first_attempt_finds_nothing(attempt: StartAttempt) -> None:
    assert attempt(1).restore() is None


def test_the_next_attempt_goes_on_from_what_was_saved_last(attempt: StartAttempt) -> None:
    first = attempt(1)
    first.save("step 10")
    first.save("step 20")
    assert attempt(2).restore() == "step 20"


def test_an_attempt_may_go_back_to_its_own_checkpoint(attempt: StartAttempt) -> None:
    first = attempt(1)
    first.save("step 10")
    assert first.restore() == "step 10"


def test_older_checkpoints_go_when_a_newer_one_is_there(
    attempt: StartAttempt, store: CheckpointFolder
) -> None:
    attempt(1).save("step 10")
    second = attempt(2)
    second.save("step 20")
    assert store.names() == ["000002-000001"]
    second.save("step 30")
    assert store.names() == ["000002-000002"]


def test_what_a_forgotten_worker_still_saves_does_not_win(attempt: StartAttempt) -> None:
    forgotten, current = attempt(1), attempt(2)
    forgotten.save("step 10")
    assert current.restore() == "step 10"
    current.save("step 15")
    for step in (20, 30, 40):
        forgotten.save(f"step {step}")
    assert attempt(3).restore() == "step 15"


def test_a_second_message_which_counts_from_one_again_does_not_fall_back(
    attempt: StartAttempt,
) -> None:
    attempt(5).save("step 50")
    attempt(1).save("step 60")
    assert attempt(2).restore() == "step 60"


def test_a_first_attempt_costs_no_request(tmp_path: Path) -> None:
    def open_store() -> CheckpointFolder:
        raise AssertionError("it was asked")

    checkpoints = AttemptCheckpoints(1, open_store, lambda: 0.0, lambda _: None)
    assert Job("j-1", 1, checkpoints).restore() is None


def test_the_worker_hears_of_each_checkpoint(attempt: StartAttempt) -> None:
    first = attempt(1)
    first.save("a")
    first.save("b" * 10_000)
    small, large = first.saved
    assert (small.number, large.number) == (1, 2)
    assert (small.seconds, large.seconds) == (1.0, 1.0)
    assert large.size_bytes > 10_000 > small.size_bytes


class FullDisk(CheckpointFolder):
    def put(self, name: str, content: IO[bytes]) -> None:
        content.read(100)
        raise OSError("no space left on device")


def test_a_save_that_fails_is_not_reported_and_leaves_the_one_before(
    attempt: StartAttempt, tmp_path: Path
) -> None:
    attempt(1).save("step 10")
    failing = Attempt(2, FullDisk(tmp_path / "kept"), tmp_path)
    with pytest.raises(OSError, match="no space"):
        failing.save("step 20")
    assert failing.saved == []
    assert attempt(3).restore() == "step 10"


def test_what_is_not_there_cannot_be_saved(attempt: StartAttempt, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="nothing-here"):
        attempt(1).job.save(tmp_path / "nothing-here")


def test_a_file_that_breaks_off_is_never_seen(
    attempt: StartAttempt, store: CheckpointFolder, tmp_path: Path
) -> None:
    """As when the process is killed: what was written so far has no name yet."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(b"1")
    (folder / "endless").symlink_to("/dev/zero")
    with pytest.raises(ArchiveError, match="endless"):
        attempt(1).job.save(folder)
    assert attempt(2).restore() is None


def test_a_folder_comes_back_as_it_was(attempt: StartAttempt, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "shards").mkdir(parents=True)
    (folder / "shards" / "0.bin").write_bytes(bytes(range(256)) * 5000)
    (folder / "empty").mkdir()
    (folder / "überlang-").with_name("ü" * 100).write_text("x")
    (folder / "latest").symlink_to("shards/0.bin")
    attempt(1).job.save(folder)
    restored = attempt(2).job.restore()
    assert restored is not None
    assert restored.name == "model"
    assert sorted(it.relative_to(restored) for it in restored.rglob("*")) == sorted(
        it.relative_to(folder) for it in folder.rglob("*")
    )
    assert (restored / "shards" / "0.bin").read_bytes() == bytes(range(256)) * 5000
    assert (restored / "latest").read_bytes() == bytes(range(256)) * 5000


def test_what_was_restored_goes_when_the_job_ends(attempt: StartAttempt) -> None:
    attempt(1).save("step 10")
    second = attempt(2)
    restored = second.job.restore()
    assert restored is not None
    second.checkpoints.close()
    assert not restored.exists()


def test_a_handler_called_by_hand_keeps_nothing(tmp_path: Path) -> None:
    job = Job("by-hand")
    job.save(tmp_path)
    assert job.restore() is None
    with pytest.raises(FileNotFoundError):
        job.save(tmp_path / "nothing-here")
