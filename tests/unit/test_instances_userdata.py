"""User data in the forms that cloud-init takes."""

from __future__ import annotations

import base64
import gzip

import pytest

from local.instances.guest.userdata import read_user_data

SCRIPT = b"#!/bin/bash\necho hello\n"
MULTIPART = b"""Content-Type: multipart/mixed; boundary="//"
MIME-Version: 1.0

--//
Content-Type: text/cloud-config; charset="us-ascii"

#cloud-config
cloud_final_modules:
 - [scripts-user, always]
--//
Content-Type: text/x-shellscript; charset="us-ascii"
Content-Transfer-Encoding: 7bit

#!/bin/bash
echo hello
--//--
"""


@pytest.mark.parametrize(
    "data", [SCRIPT, gzip.compress(SCRIPT), base64.b64encode(SCRIPT)], ids=["plain", "gzip", "b64"]
)
def test_a_script_is_found_however_it_is_wrapped(data: bytes) -> None:
    user_data = read_user_data(data)

    assert user_data.scripts == (SCRIPT,)
    assert not user_data.every_boot


def test_a_multipart_message_may_ask_for_every_boot() -> None:
    user_data = read_user_data(MULTIPART)

    assert [script.split(b"\n")[1] for script in user_data.scripts] == [b"echo hello"]
    assert user_data.every_boot
    assert user_data.not_provided == ()


def test_what_is_not_provided_is_named_and_not_passed_over() -> None:
    user_data = read_user_data(b"#cloud-config\npackages:\n - git\nruncmd:\n - ls\n")

    assert user_data.not_provided == ("cloud-config packages", "cloud-config runcmd")
    assert read_user_data(b"#include\nhttp://x").not_provided == (
        "text/plain beginning '#include'",
    )


@pytest.mark.parametrize("data", [b"", b"\n  \n"])
def test_no_user_data_is_fine(data: bytes) -> None:
    assert read_user_data(data).scripts == ()
