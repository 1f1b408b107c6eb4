"""Of the functions that send commands to instances and hear how they ended."""

from dataclasses import dataclass

from pilotlight.fleet.commands import CommandBook
from pilotlight.settings.environment import QUEUE_URL, Settings, text, whole

DOCUMENT_NAME = r"[A-Za-z0-9_.:/-]{3,256}"


@dataclass(frozen=True, kw_only=True)
class CommandSettings(Settings):
    """What is needed to send a readiness or a drain command.

    SETUP_TIMEOUT_SECONDS and DRAIN_SECONDS go into the documents as their parameters.
    """

    readiness_document: str = text(DOCUMENT_NAME)
    drain_document: str = text(DOCUMENT_NAME)
    # 172,800 s is the longest that SSM runs a command, and that any instance may wait in a hook.
    setup_timeout_seconds: int = whole(30, 172_800)
    drain_seconds: int = whole(0, 172_800)

    def command_book(self) -> CommandBook:
        return CommandBook(
            readiness_document=self.readiness_document,
            drain_document=self.drain_document,
            setup_timeout_seconds=self.setup_timeout_seconds,
            drain_seconds=self.drain_seconds,
        )


@dataclass(frozen=True, kw_only=True)
class LifecycleActionSettings(CommandSettings):
    """Of on_lifecycle_action."""

    lifecycle_queue_url: str = text(QUEUE_URL)
    retry_seconds: int = whole(1, 900)


@dataclass(frozen=True, kw_only=True)
class CommandResultSettings(Settings):
    """Of on_command_result."""

    command_result_queue_url: str = text(QUEUE_URL)
    retry_seconds: int = whole(1, 900)
