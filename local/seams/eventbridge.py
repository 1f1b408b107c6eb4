"""EventBridge: events of AWS's own services, and targets reached as AWS reaches them."""

from __future__ import annotations

import contextvars
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.context import CloudContext
from local.seams.permissions import in_account, service_may_invoke, service_may_send

SERVICE = "events.amazonaws.com"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """One event on its way from a rule to one of the rule's targets."""

    rule_arn: str
    target_arn: str
    dead_letter_arn: str


_context: CloudContext | None = None
_delivery: contextvars.ContextVar[Delivery] = contextvars.ContextVar("delivery")


def install(context: CloudContext) -> None:
    """Give `emit` its account, and deliveries their permissions, retries and dead-letter queues."""
    global _context
    _context = context
    remember_delivery()
    deliver_to_queues()
    deliver_to_functions()


def emit(
    source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()
) -> None:
    """Put one event of an AWS service on the default bus; may be called from any thread.

    `source` is e.g. aws.autoscaling, `resources` are ARNs. PutEvents refuses aws.* sources from
    callers, here as on AWS; services send them otherwise.
    """
    from ministack.services import eventbridge

    if _context is None:
        raise RuntimeError("seams.eventbridge is installed before anyone emits")
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "Resources": list(resources),
    }
    in_account(_context, eventbridge._put_events, {"Entries": [entry]}, allow_aws_source=True)


def remember_delivery() -> None:
    """Stock hands a target's ARN to the dispatchers, but not its rule and dead-letter queue."""
    from ministack.services import eventbridge

    stock = eventbridge._invoke_target

    def invoke_target(
        target: dict[str, Any], event: Any, rule: dict[str, Any], view: Any = None
    ) -> None:
        dead_letter_arn = (target.get("DeadLetterConfig") or {}).get("Arn", "")
        _delivery.set(Delivery(rule["Arn"], target["Arn"], dead_letter_arn))
        stock(target, event, rule, view)

    eventbridge._invoke_target = invoke_target


def deliver_to_queues() -> None:
    """Stock sends to any queue; AWS needs the queue's policy to let the rule send."""
    from ministack.services import eventbridge, sqs

    stock = eventbridge._dispatch_to_sqs

    def dispatch_to_sqs(
        spec: Any, payload: str, sqs_parameters: dict[str, Any] | None = None
    ) -> None:
        delivery = _delivery.get()
        if sqs._queue_by_arn(delivery.target_arn) is None:
            give_up(delivery, payload, "NO_RESOURCE", "The target queue does not exist.")
        elif not service_may_send(delivery.target_arn, SERVICE, delivery.rule_arn):
            give_up(delivery, payload, "NO_PERMISSIONS", "The queue policy denies sqs:SendMessage.")
        else:
            stock(spec, payload, sqs_parameters)

    eventbridge._dispatch_to_sqs = dispatch_to_sqs


def deliver_to_functions() -> None:
    """Stock invokes a function once, whoever asks; AWS needs its permission, and invokes as Event.

    What EventBridge retries is the delivery, which cannot fail for a while here. A function that
    fails is retried by Lambda.
    """
    from ministack.services import eventbridge, lambda_svc

    def dispatch_to_lambda(arn: str, payload: str) -> None:
        delivery = _delivery.get()
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if not function or not config:
            give_up(delivery, payload, "NO_RESOURCE", "The target function does not exist.")
        elif not service_may_invoke(arn, SERVICE, delivery.rule_arn):
            give_up(
                delivery, payload, "NO_PERMISSIONS", "The function policy denies the invocation."
            )
        else:
            record = lambda_svc._execution_record_for_config(function, config)
            lambda_svc.invoke_async_with_retry(record, json.loads(payload))

    eventbridge._dispatch_to_lambda = dispatch_to_lambda


def give_up(delivery: Delivery, payload: str, code: str, reason: str) -> None:
    """What retrying cannot mend goes to the target's dead-letter queue at once, or is dropped.

    Attributes as in the EventBridge guide, eb-rule-dlq.
    """
    from ministack.services import sqs

    log.warning("%s cannot deliver to %s: %s", delivery.rule_arn, delivery.target_arn, reason)
    queue = sqs._queue_by_arn(delivery.dead_letter_arn) if delivery.dead_letter_arn else None
    if queue is None or not service_may_send(delivery.dead_letter_arn, SERVICE, delivery.rule_arn):
        return
    attributes = {
        "RULE_ARN": delivery.rule_arn,
        "TARGET_ARN": delivery.target_arn,
        "ERROR_CODE": code,
        "ERROR_MESSAGE": reason,
    }
    message = {
        "MessageBody": payload,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
    sqs._act_send_message(message, sqs._queue_url(delivery.dead_letter_arn.rpartition(":")[2]))
