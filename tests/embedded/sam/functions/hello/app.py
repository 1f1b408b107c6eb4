"""Writes each job into the table, under its message's text."""

import os

import boto3
import shared

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    """Answers a greeting to a direct call."""
    for record in event.get("Records", []):
        table.put_item(Item={"job_id": record["body"]})
    return {"says": os.environ["GREETING"], "from": shared.PLACE}
