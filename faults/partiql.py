"""PartiQL, as far as the jobs table needs it: one INSERT or one UPDATE with parameters for values.

DynamoDB developer guide, ql-reference.insert, ql-reference.update and
ql-reference.multiplestatements.batching.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from faults.expressions import ExpressionError, Item

_INSERT = re.compile(r'INSERT INTO "([\w.-]+)" VALUE \{(.+)\}')
_FIELD = re.compile(r"'(\w+)': \?")
_UPDATE = re.compile(r'UPDATE "([\w.-]+)" (SET .+) WHERE (.+)')
_CHANGE = re.compile(r'SET "(\w+)"=\?')
_EQUALITY = re.compile(r'"(\w+)"=\?')


class StatementError(Exception):
    """What is said of a statement in the answer for its batch; `code` is DynamoDB's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Statement:
    """`sets` are the attributes that it writes, `where` those that must be equal; in the order of
    its question marks. An INSERT has no `where`."""

    table: str
    sets: tuple[str, ...]
    where: tuple[str, ...]

    @property
    def is_insert(self) -> bool:
        return not self.where

    def key(self, name: str, values: Sequence[Any]) -> str | None:
        """Of the item that is meant; None when the statement does not say which."""
        named = dict(zip(self.where or self.sets, self._wanted(values), strict=True))
        return str(named[name]["S"]) if name in named else None

    def after(self, before: Item, values: Sequence[Any]) -> Item:
        """The item as it becomes. Raises StatementError when it stays as it is."""
        if self.is_insert and before:
            raise StatementError("DuplicateItem", "Duplicate primary key exists in table")
        wanted = zip(self.where, self._wanted(values), strict=True)
        if self.where and any(before.get(name) != value for name, value in wanted):
            raise StatementError("ConditionalCheckFailed", "The conditional request failed")
        return before | dict(zip(self.sets, values, strict=False))

    def _wanted(self, values: Sequence[Any]) -> Sequence[Any]:
        return values if self.is_insert else values[len(self.sets) :]


@lru_cache(maxsize=256)
def parsed(text: str) -> Statement:
    """Raises ExpressionError for what this reader does not know: teach it, by the guide."""
    if match := _INSERT.fullmatch(text):
        return Statement(match[1], _names(_FIELD, ", ", match[2]), ())
    if match := _UPDATE.fullmatch(text):
        return Statement(
            match[1], _names(_CHANGE, " ", match[2]), _names(_EQUALITY, " AND ", match[3])
        )
    raise ExpressionError(f"{text!r} is neither an INSERT nor an UPDATE")


def _names(pattern: re.Pattern[str], between: str, text: str) -> tuple[str, ...]:
    names = pattern.findall(text)
    rest = pattern.sub("", text).replace(between, "", len(names) - 1)
    if rest.strip():
        raise ExpressionError(f"{rest!r} is left over in {text!r}")
    return tuple(names)
