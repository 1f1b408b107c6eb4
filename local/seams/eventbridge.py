"""EventBridge: events of AWS's own services, and deliveries which fail as AWS's do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from local.context import CloudContext

_installed: CloudContext | None = None


def install(context: CloudContext) -> None:
    """Give `emit` its account and region."""
    global _installed
    _installed = context


def emit(
    source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()
) -> None:
    """Put one event of an AWS service on the default bus; may be called from any thread.

    `source` is e.g. aws.autoscaling, `resources` are ARNs. Stock PutEvents refuses aws.* sources,
    as AWS does; only services themselves may send them.
    """
    from ministack.services import eventbridge

    context = _require_context()
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": list(resources),
    }
    in_account(context, eventbridge._put_events, {"Entries": [entry]}, allow_aws_source=True)


def _require_context() -> CloudContext:
    if _installed is None:
        raise RuntimeError("seams.eventbridge is installed before anyone emits")
    return _installed


def in_account(context: CloudContext, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call ministack code as a request of `context`'s account and region would."""
    import contextvars

    from ministack.core import responses

    def call() -> Any:
        responses.set_request_account_id(context.account_id)
        responses.set_request_region(context.region)
        return function(*args, **kwargs)

    return contextvars.copy_context().run(call)
