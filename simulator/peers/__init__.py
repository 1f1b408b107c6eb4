"""The capacity rules of the systems people compare with, one file each, restated as pure rules.

Everywhere: a job waiting in their queue is a visible message of ours, a running one is in flight, a
scheduled-for-later one is delayed; a node, pod, agent, runner or container is one instance. A limit
that each operator must set for himself (most ship 1, 3 or 100) is the group's `max_size` for all.
"""
