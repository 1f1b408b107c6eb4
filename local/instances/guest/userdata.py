"""User data as cloud-init reads it: a script, or MIME multipart of scripts and cloud-config.

Source: cloud-init documentation, "User-data formats" and "Module frequency"; the Auto Scaling user
guide's tip for running a script at every boot (`cloud_final_modules: [scripts-user, always]`).
"""

from __future__ import annotations

import base64
import binascii
import email
import email.message
import gzip
import re
from dataclasses import dataclass

_ALWAYS = re.compile(r"^\s*-\s*\[\s*scripts-user\s*,\s*always\s*\]", re.MULTILINE)
_TOP_KEY = re.compile(r"^([A-Za-z_][\w-]*)\s*:", re.MULTILINE)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class UserData:
    """`scripts` run in order. `not_provided` names what the text asks for and is not done here."""

    scripts: tuple[bytes, ...]
    every_boot: bool
    not_provided: tuple[str, ...]


def read_user_data(data: bytes) -> UserData:
    """Understand user data, gzipped or in base64 if need be. Nothing at all is fine."""
    plain = _plain(data)
    if not plain.strip():
        return UserData((), False, ())
    head = plain.lstrip()[:512].lower()
    if head.startswith((b"content-type: multipart", b"mime-version:")):
        message = email.message_from_bytes(plain.lstrip())
        parts = [part for part in message.walk() if not part.is_multipart()]
        return _joined([_part(part.get_content_type(), _payload(part)) for part in parts])
    return _joined([_part("text/plain", plain)])


def _plain(data: bytes) -> bytes:
    if data.startswith(_GZIP):
        return gzip.decompress(data)
    if data[:1] in b"#C" or not data.strip():
        return data
    try:
        decoded = base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        return data
    return _plain(decoded)


def _payload(part: email.message.Message) -> bytes:
    payload = part.get_payload(decode=True)
    return _plain(payload) if isinstance(payload, bytes) else b""


def _part(content_type: str, body: bytes) -> UserData:
    start = body.lstrip()
    if start.startswith(b"#!") or content_type == "text/x-shellscript":
        return UserData((start,), False, ())
    if start.startswith(b"#cloud-config") or content_type == "text/cloud-config":
        text = body.decode(errors="replace")
        unknown = [key for key in _TOP_KEY.findall(text) if key != "cloud_final_modules"]
        return UserData(
            (), bool(_ALWAYS.search(text)), tuple(f"cloud-config {key}" for key in unknown)
        )
    first_line = start.splitlines()[0].decode(errors="replace") if start else "an empty part"
    return UserData((), False, (f"{content_type} beginning {first_line[:60]!r}",))


def _joined(parts: list[UserData]) -> UserData:
    return UserData(
        scripts=tuple(script for part in parts for script in part.scripts),
        every_boot=any(part.every_boot for part in parts),
        not_provided=tuple(name for part in parts for name in part.not_provided),
    )
