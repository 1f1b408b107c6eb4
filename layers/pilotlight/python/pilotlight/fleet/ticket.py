"""What a command must remember of its lifecycle action, carried in the command's Comment.

The invocation event carries neither hook nor token; GetCommandInvocation returns the Comment.
"""

from dataclasses import dataclass
from typing import Any

from pilotlight.fleet.lifecycle_action import Pause

COMMENT_CHARACTERS = 100  # SSM's limit (botocore: SendCommand Comment)
_NO_TOKEN = "-"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Ticket:
    pause: Pause
    destination: str

    def log_fields(self) -> dict[str, Any]:
        return {
            "hook": self.pause.hook,
            "token": self.pause.token,
            "destination": self.destination,
        }


def write_comment(ticket: Ticket) -> str:
    """`<hook> <token> <destination>`; the token is `-` when reconcile sent the command.

    Raises ValueError when the hook's name is too long for SSM's 100 characters.
    """
    comment = f"{ticket.pause.hook} {ticket.pause.token or _NO_TOKEN} {ticket.destination}"
    if len(comment) > COMMENT_CHARACTERS:
        raise ValueError(f"{comment!r} is longer than {COMMENT_CHARACTERS} characters")
    return comment


def read_comment(comment: str, instance_id: str) -> Ticket | None:
    """None when the comment is not one of ours: a person ran the document by hand."""
    parts = comment.split(" ")
    if len(parts) != 3 or not all(parts):
        return None
    hook, token, destination = parts
    pause = Pause(instance_id, hook, None if token == _NO_TOKEN else token)
    return Ticket(pause, destination)
