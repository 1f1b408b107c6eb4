"""Whom a job runs as, by what the kernel says of this process."""

from pathlib import Path

import pytest

from pilotlight.worker.home import Home
from pilotlight.worker.job_user import FIRST_ID, has_user, job_user, may_change_user

ALL, WITHOUT_SETUID, NONE = "000001ffffffffff", "000001ffffffff7f", "0000000000000000"
HOME = Home(Path("/opt/pilotlight"), Path("/run/pilotlight"))
WHOLE_SYSTEM = "         0          0 4294967295\n"


@pytest.mark.parametrize(
    ("effective", "may"), [(ALL, True), (WITHOUT_SETUID, False), (NONE, False)]
)
def test_becoming_another_user_takes_a_capability(effective, may):
    assert may_change_user(f"Name:\tpython\nCapInh:\t{NONE}\nCapEff:\t{effective}\n") is may


@pytest.mark.parametrize(
    ("uid_map", "has"),
    [
        (WHOLE_SYSTEM, True),
        ("         0       1000          1\n", False),  # root without privileges outside
        ("0 1000 1\n1 100000 65536\n", False),  # with the users of /etc/subuid
        (f"0 1000 1\n{FIRST_ID} 100000 1\n", True),
        ("", False),
    ],
)
def test_the_namespace_has_to_have_that_user(uid_map, has):
    assert has_user(uid_map, FIRST_ID) is has


@pytest.fixture
def root_of_all(tmp_path):
    """What the kernel tells the root of a whole system of its own process."""
    (tmp_path / "status").write_text(f"CapEff:\t{ALL}\n")
    (tmp_path / "uid_map").write_text(WHOLE_SYSTEM)
    return tmp_path


def test_every_slot_has_its_own_user_and_home(root_of_all):
    users = [job_user(HOME, slot, root_of_all) for slot in range(1_000)]
    assert 0 not in {user.id for user in users}
    assert len({user.id for user in users}) == len({user.home for user in users}) == len(users)


def test_without_proc_there_is_no_other_user(root_of_all):
    assert job_user(HOME, 0, root_of_all / "nothing") is None
