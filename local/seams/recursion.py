"""Lambda's recursive loop detection, carried as AWS carries it: in the trace header's Lineage."""

from __future__ import annotations

import contextvars
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from ministack.services import lambda_svc, sqs

from local.context import CloudContext

TRACE_HEADER = "x-amzn-trace-id"
MORE_THAN_ANY_MAX_RECEIVE_COUNT = 1001  # SQS allows 1 to 1000
_LINEAGE = re.compile(r"Lineage=\d+:[0-9a-f]{8}:(\d+)")
_trace_of_request: contextvars.ContextVar[str] = contextvars.ContextVar("trace", default="")


def install(_context: CloudContext) -> None:
    """Stock counts loops of its own workers through Invoke only; AWS's count goes through SQS too.

    Lambda guide, invocation-recursion: after about 16 invocations in one chain of requests the next
    is dropped, unless the function's RecursiveLoop is Allow. The SDK hands the trace header on.
    """
    lambda_svc._xray_trace_id_for_invocation = trace_of_invocation
    lambda_svc._inbound_invoke_depth = lambda headers: depth_of(headers.get(TRACE_HEADER, ""))
    keep_trace_with_messages()
    count_batches()


def trace_of_invocation(_config: Mapping[str, Any], inbound: str | None = None) -> str:
    """The trace header of an invocation: every one has it, traced or not."""
    depth = lambda_svc._invoke_depth.get()
    if inbound and not _LINEAGE.search(inbound):
        return f"{inbound};Lineage=1:00000000:{depth}"
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0;Lineage=1:00000000:{depth}"


def depth_of(trace: str) -> int:
    """How many invocations lie behind a request; 0 when it does not say."""
    found = _LINEAGE.search(trace)
    return int(found.group(1)) if found else 0


def keep_trace_with_messages() -> None:
    """Stock keeps a trace header only when it is sent as a message's system attribute."""
    stock_handle = sqs.handle_request
    stock_attributes = sqs._build_send_sys_attrs

    async def handle_request(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
    ) -> Any:
        _trace_of_request.set(headers.get(TRACE_HEADER, ""))
        return await stock_handle(method, path, headers, body, query)

    def attributes(now: float, given: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = stock_attributes(now, given)
        if _trace_of_request.get():
            kept.setdefault("AWSTraceHeader", _trace_of_request.get())
        return kept

    sqs.handle_request = handle_request
    sqs._build_send_sys_attrs = attributes


def count_batches() -> None:
    """A batch is as deep as its deepest message; one too deep goes where failed messages go."""
    stock = lambda_svc._run_sqs_batch

    def run_batch(
        mapping: dict[str, Any],
        function: dict[str, Any],
        event: Any,
        batch: list[dict[str, Any]],
        queue_url: str,
        queue_name: str,
    ) -> None:
        traces = [str(message.get("sys", {}).get("AWSTraceHeader", "")) for message in batch]
        depth = max(depth_of(trace) for trace in traces) + 1
        name = mapping["FunctionName"]
        if lambda_svc._recursive_loop_drop(name, lambda_svc._functions[name], depth):
            drop(batch, queue_url)
            return
        lambda_svc._invoke_depth.set(depth)
        stock(mapping, function, event, batch, queue_url, queue_name)

    lambda_svc._run_sqs_batch = run_batch


def drop(batch: list[dict[str, Any]], queue_url: str) -> None:
    """Hand messages to the queue's dead-letter queue, or delete them when it has none."""
    queue = sqs._get_q(queue_url)
    if queue["attributes"].get("RedrivePolicy"):
        for message in batch:
            message["receive_count"] = MORE_THAN_ANY_MAX_RECEIVE_COUNT
            message["visible_at"] = 0
        sqs._dlq_sweep(queue)
    else:
        handles = {message["receipt_handle"] for message in batch}
        sqs._delete_messages_for_esm(queue_url, handles)
