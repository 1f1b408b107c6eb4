"""DynamoDB's condition and update expressions, as far as a worker's table needs them.

Grammar: DynamoDB developer guide, Expressions.OperatorsAndFunctions and
Expressions.UpdateExpressions. Values are DynamoDB's typed ones, such as {"N": "1"}.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

Item = dict[str, Any]
_TOKEN = re.compile(r"\s*(<>|<=|>=|[#:]?[A-Za-z_][A-Za-z0-9_]*|\d+|[=<>(),+-])")
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_CLAUSES = ("SET", "REMOVE", "ADD")


class ExpressionError(AssertionError):
    """An expression that this interpreter does not know: teach it, by the guide."""


@lru_cache(maxsize=256)
def _tokens(text: str) -> tuple[str, ...]:
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"{text[position:]!r} in {text!r}")
        tokens.append(match[1])
        position = match.end()
    return tuple(tokens)


class _Reader:
    """Walks along the tokens of one expression and works it out on the way."""

    def __init__(
        self, text: str, item: Item, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        self._left = list(reversed(_tokens(text)))
        self._item = item
        self._names = names
        self._values = values

    @property
    def next(self) -> str:
        return self._left[-1] if self._left else ""

    def take(self, expected: str = "") -> str:
        token = self._left.pop() if self._left else ""
        if expected and token.upper() != expected:
            raise ExpressionError(f"{token!r} where {expected!r} is expected")
        return token

    def name(self) -> str:
        token = self.take()
        return self._names[token] if token.startswith("#") else token

    def accept(self, token: str) -> bool:
        if self.next.upper() != token:
            return False
        self.take()
        return True

    # Conditions

    def disjunction(self) -> bool:
        holds = self.conjunction()
        while self.accept("OR"):
            holds = self.conjunction() or holds
        return holds

    def conjunction(self) -> bool:
        holds = self.negation()
        while self.accept("AND"):
            holds = self.negation() and holds
        return holds

    def negation(self) -> bool:
        return not self.negation() if self.accept("NOT") else self.primary()

    def primary(self) -> bool:
        if self.accept("("):
            holds = self.disjunction()
            self.take(")")
            return holds
        if self.next in ("attribute_exists", "attribute_not_exists"):
            wanted = self.take() == "attribute_exists"
            self.take("(")
            there = self.name() in self._item
            self.take(")")
            return there is wanted
        left = self.operand()
        if self.accept("IN"):
            return left in self._list_of_operands()
        comparison = self.take()
        return _compare(left, comparison, self.operand())

    def _list_of_operands(self) -> list[Any]:
        self.take("(")
        operands = [self.operand()]
        while self.accept(","):
            operands.append(self.operand())
        self.take(")")
        return operands

    # Values

    def operand(self) -> Any:
        if self.next in ("if_not_exists", "list_append"):
            return self.function()
        if self.next.startswith(":"):
            return self._values[self.take()]
        return self._item.get(self.name())

    def function(self) -> Any:
        name = self.take()
        self.take("(")
        if name == "if_not_exists":
            there = self._item.get(self.name())
            self.take(",")
            other = self.value()
            self.take(")")
            return other if there is None else there
        first = self.value()
        self.take(",")
        second = self.value()
        self.take(")")
        return {"L": [*first["L"], *second["L"]]}

    def value(self) -> Any:
        value = self.operand()
        while self.next in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            value = {"N": str(_number(value) + sign * _number(self.operand()))}
        return value


def holds(text: str, item: Item, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    reader = _Reader(text, item, names, values)
    result = reader.disjunction()
    if reader.next:
        raise ExpressionError(f"{reader.next!r} is left over in {text!r}")
    return result


def updated(text: str, item: Item, names: Mapping[str, str], values: Mapping[str, Any]) -> Item:
    """The item after the update; every right side sees the item as it was before."""
    reader = _Reader(text, item, names, values)
    fresh = dict(item)
    while reader.next:
        clause = reader.take().upper()
        if clause not in _CLAUSES:
            raise ExpressionError(f"{clause!r} in {text!r}")
        while True:
            _change(clause, reader, item, fresh)
            if not reader.accept(","):
                break
    return fresh


def _change(clause: str, reader: _Reader, item: Item, fresh: Item) -> None:
    name = reader.name()
    if clause == "REMOVE":
        fresh.pop(name, None)
    elif clause == "SET":
        reader.take("=")
        fresh[name] = reader.value()
    else:
        added = _number(reader.operand())
        fresh[name] = {"N": str(_number(item.get(name, {"N": "0"})) + added)}


def _number(value: Any) -> Decimal:
    return Decimal(value["N"])


def _compare(left: Any, comparison: str, right: Any) -> bool:
    """What is not there equals nothing and differs from everything."""
    if comparison == "<>":
        return bool(left != right)
    if left is None or right is None or set(left) != set(right):
        return False
    if comparison == "=":
        return bool(_plain(left) == _plain(right))
    return bool(_ORDERS[comparison](_plain(left), _plain(right)))


def _plain(value: Any) -> Any:
    return Decimal(value["N"]) if "N" in value else next(iter(value.values()))
