"""What can go wrong, named.

Adapters raise these at the edge; an error of AWS that is not listed passes through unchanged.
"""


class PilotlightError(Exception):
    """Base of every error that this project raises on purpose."""


class SettingsError(PilotlightError):
    """An environment variable is missing or outside its bounds; the message names the remedy."""


class MalformedEventError(PilotlightError):
    """An event or message can never be understood, however often it is delivered."""


class VerdictError(PilotlightError):
    """A command's output does not end in the verdict that was asked for."""


class TransientError(PilotlightError):
    """Not now, but perhaps in a moment: the message goes back to its queue."""

    reason = "THROTTLED_OR_UNAVAILABLE"


class NotRegisteredError(TransientError):
    """The instance's SSM Agent has not registered yet (or the instance is terminated)."""

    reason = "NOT_REGISTERED"


class InstanceUnknownError(TransientError):
    """EC2 does not know the instance: it is some seconds old, or has been gone for some time."""

    reason = "INSTANCE_UNKNOWN"


class InvocationNotFoundError(TransientError):
    """SSM does not know the invocation yet: Run Command is eventually consistent."""

    reason = "INVOCATION_NOT_FOUND"


class CommandUnfinishedError(TransientError):
    """The event says that the command ended; GetCommandInvocation does not say so yet."""

    reason = "COMMAND_UNFINISHED"


class LifecycleActionPendingError(TransientError):
    """AWS knows no such lifecycle action, yet the instance waits: too early, or for another."""

    reason = "LIFECYCLE_ACTION_PENDING"


class InstanceRefreshError(TransientError):
    """The group's instances are being replaced, and its pool cannot be changed until they are."""

    reason = "INSTANCE_REFRESH"


class NoActiveLifecycleActionError(PilotlightError):
    """The lifecycle action is over, or has not begun: the answer is the same for both."""


class InstanceNotInGroupError(PilotlightError):
    """The group does not manage the instance (any more)."""


class GroupNotFoundError(PilotlightError):
    """The Auto Scaling group does not exist: the stack is being created or deleted."""


class LogsUnreachableError(PilotlightError):
    """CloudWatch Logs refuses to take log lines now, or cannot be reached; it may in a moment."""


class LogsRefusedError(PilotlightError):
    """CloudWatch Logs will not take these lines, however often they are put."""
