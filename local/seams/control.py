"""Paths below /_pilotlight/ by which a test or a person makes this cloud misbehave.

AWS has none of them. Each takes a POST of a JSON object and answers one. Those of EC2 are
`capacity` {"zone": "us-east-1a" or "*", "available": false},
`fault` {"instance_id": "i-...", "fault": "agent-offline", "agent-online" or "hang"} and
`metadata` {"instance_id": "i-...", "path": "spot/instance-action", "text": "..." or null}. Those of
the network, which need IAM to be enforced, are
`network` {"caller": "i-...", a function's name, or "*", "cut": true} and
`kill-function` {"function_name": "...", "at_call": 1}: the function's processes are killed when it
has made so many calls more, each carried out, the last not answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

PREFIX = "/_pilotlight/"
Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_handlers: dict[str, Handler] = {}


class ControlError(Exception):
    """A control request makes no sense; the caller gets the text with status 400."""


def on_post(name: str, handler: Handler) -> None:
    """Answer POST /_pilotlight/<name>; a KeyError of the handler names a missing member."""
    if not _handlers:
        take_over_paths()
    _handlers[name] = handler


def take_over_paths() -> None:
    """Stock takes an unknown path for an S3 bucket."""
    from ministack import app

    stock = app._handle_post_body_shortcuts

    async def shortcuts(method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
        if path.startswith(PREFIX):
            return answer(method, path.removeprefix(PREFIX), body)
        return await stock(method, path, headers, body, *rest)

    app._handle_post_body_shortcuts = shortcuts


def answer(method: str, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body for one control request."""
    handler = _handlers.get(name) if method == "POST" else None
    if handler is None:
        known = ", ".join(f"POST {PREFIX}{name}" for name in sorted(_handlers))
        return _json(404, {"error": f"no control {method} {PREFIX}{name}; there are: {known}"})
    try:
        return _json(200, handler(json.loads(body)))
    except KeyError as error:
        return _json(400, {"error": f"missing or unknown: {error}"})
    except (ControlError, ValueError) as error:
        return _json(400, {"error": str(error)})


def _json(status: int, content: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
