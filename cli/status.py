"""`pilotlight status`: the fleet as it is at this moment."""

from __future__ import annotations

from cli.clouds import ConfiguredCloud
from cli.explained import explained
from cli.live import fleet
from cli.options import StackName
from cli.stack import Stack
from cli.terminal import console
from cli.watch import Observer


def status(stack_name: StackName = "pilotlight") -> None:
    """Show the group, its pool and its queue as they are now."""
    with explained():
        stack = Stack(stack_name, ConfiguredCloud())
        observer = Observer(stack.cloud, stack.group_name)
        observer.queue_url = stack.output("JobsQueueUrl")
        console.print(fleet(observer.look(), since={}))
