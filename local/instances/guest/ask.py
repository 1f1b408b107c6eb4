"""How a program in the box asks its init."""

from __future__ import annotations

import json
import os
import socket
import sys

from local.instances.guest.box import Box


def ask_init(box: Box, argv: list[str]) -> int:
    """Have init do `argv`, print what it says, return its exit code."""
    # By its bare name: a whole path may be longer than the 108 bytes of a socket address.
    back = os.getcwd()  # noqa: PTH109
    os.chdir(box.run / "systemd")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect("private")
        except PermissionError:
            sys.stderr.write("Access denied\n")  # systemctl's words to who is not root
            return 1
        os.chdir(back)
        connection.sendall(json.dumps(argv).encode() + b"\n")
        with connection.makefile("rb") as replies:
            exit_code, stdout, stderr = json.loads(replies.readline())
    sys.stdout.write(stdout)
    sys.stderr.write(stderr)
    return int(exit_code)
