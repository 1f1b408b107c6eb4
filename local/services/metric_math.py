"""Metric math: a safe subset of CloudWatch's expressions, computed per period.

CloudWatch user guide, "Using metric math": two time series meet where both have a value; a division
by zero gives no value; a comparison gives 1 or 0. Functions: ABS, AVG, CEIL, FILL, FLOOR, IF, MAX,
METRICS, MIN, SUM.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence

from local.services.metric_samples import Series

Value = float | Series | list[Series]

_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.BitXor: operator.pow,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}
_ROUNDINGS: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
}
_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
}
_WORDS = {"&&": " and ", "||": " or ", "AND": "and", "OR": "or"}


class MetricMathError(Exception):
    """An expression that cannot be read, or uses what is not there; the message says which."""


def names_in(expression: str) -> set[str]:
    """The ids of the metrics and expressions that `expression` uses; raises MetricMathError."""
    nodes = list(ast.walk(_parse(expression)))
    functions = {id(n.func) for n in nodes if isinstance(n, ast.Call)}
    names = {n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in functions}
    return names - {"REPEAT", "LINEAR"}


def compute(
    expression: str, values: Mapping[str, Series], metric_ids: Sequence[str], times: Sequence[float]
) -> Series:
    """The time series of `expression`.

    `values` holds what it may name, `metric_ids` which of these METRICS() means, `times` every
    period in question, oldest first. Raises MetricMathError.
    """
    result = _Evaluation(expression, values, metric_ids, times).run()
    if isinstance(result, list):
        raise MetricMathError(f"{expression!r} gives several time series instead of one")
    return result if isinstance(result, dict) else dict.fromkeys(times, float(result))


def _parse(expression: str) -> ast.expr:
    words = re.sub(r"&&|\|\||\bAND\b|\bOR\b", lambda match: _WORDS[match[0]], expression)
    try:
        return ast.parse(words.strip(), mode="eval").body
    except SyntaxError as error:
        raise MetricMathError(f"{expression!r} is not an expression: {error.msg}") from error


class _Evaluation:
    def __init__(
        self,
        expression: str,
        values: Mapping[str, Series],
        metric_ids: Sequence[str],
        times: Sequence[float],
    ) -> None:
        self._expression = expression
        self._values = values
        self._metric_ids = metric_ids
        self._times = times

    def run(self) -> Value:
        return self._value(_parse(self._expression))

    def _value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name) if name in self._values:
                return self._values[name]
            case ast.List(elts=elements):
                return [self._as_series(self._value(element)) for element in elements]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _combine(operator.mul, -1.0, self._value(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _combine(_OPERATORS[type(op)], self._value(left), self._value(right))
            case ast.BoolOp(op=op, values=operands):
                return self._chain(_OPERATORS[type(op)], operands)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
                return _combine(_OPERATORS[type(op)], self._value(left), self._value(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(name, arguments)
        raise MetricMathError(f"{self._expression!r}: {ast.unparse(node)} is not known here")

    def _chain(self, function: Callable[[float, float], float], nodes: Sequence[ast.expr]) -> Value:
        result = self._value(nodes[0])
        for node in nodes[1:]:
            result = _combine(function, result, self._value(node))
        return result

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Value:
        if name == "METRICS":
            return self._metrics(arguments)
        if name == "FILL" and len(arguments) == 2:
            return self._fill(self._value(arguments[0]), arguments[1])
        if name == "IF" and len(arguments) == 3:
            return self._choose(*(self._value(argument) for argument in arguments))
        if name in _ROUNDINGS and len(arguments) == 1:
            rounding = _ROUNDINGS[name]
            return _combine(lambda value, _: rounding(value), self._value(arguments[0]), 0.0)
        if name in _AGGREGATES and len(arguments) == 1:
            return self._aggregate(_AGGREGATES[name], self._value(arguments[0]))
        raise MetricMathError(
            f"{self._expression!r}: {name} with {len(arguments)} arguments is not known here"
        )

    def _metrics(self, arguments: Sequence[ast.expr]) -> list[Series]:
        part = ""
        if arguments:
            if not isinstance(arguments[0], ast.Constant):
                raise MetricMathError(f"{self._expression!r}: METRICS takes a text in quotes")
            part = str(arguments[0].value)
        return [self._values[metric_id] for metric_id in self._metric_ids if part in metric_id]

    def _aggregate(self, function: Callable[[Sequence[float]], float], value: Value) -> Value:
        """Of several series: per period, over those that have a value. Of one series: a number."""
        if isinstance(value, float):
            return value
        if isinstance(value, dict):
            return float(function(list(value.values()))) if value else {}
        present = {t: [s[t] for s in value if t in s] for t in self._times}
        return {t: float(function(found)) for t, found in present.items() if found}

    def _choose(self, condition: Value, yes: Value, no: Value) -> Value:
        if isinstance(condition, float):
            return yes if condition else no
        chosen: Series = {}
        for time, truth in self._as_series(condition).items():
            value = self._as_series(yes if truth else no).get(time)
            if value is not None:
                chosen[time] = value
        return chosen

    def _fill(self, value: Value, filling: ast.expr) -> Value:
        if isinstance(value, list):
            return [self._filled(one, filling) for one in value]
        return self._filled(self._as_series(value), filling)

    def _filled(self, known: Series, filling: ast.expr) -> Series:
        match filling:
            case ast.Name(id="REPEAT"):
                return self._repeated(known)
            case ast.Name(id="LINEAR"):
                return self._interpolated(known)
        return self._as_series(self._value(filling)) | known

    def _repeated(self, known: Series) -> Series:
        filled: Series = {}
        last = None
        for time in self._times:
            last = known.get(time, last)
            if last is not None:
                filled[time] = last
        return filled

    def _interpolated(self, known: Series) -> Series:
        filled = dict(known)
        at = sorted(known)
        for before, after in itertools.pairwise(at):
            slope = (known[after] - known[before]) / (after - before)
            for time in self._times:
                if before < time < after:
                    filled[time] = known[before] + slope * (time - before)
        return dict(sorted(filled.items()))

    def _as_series(self, value: Value) -> Series:
        if isinstance(value, list):
            raise MetricMathError(f"{self._expression!r}: one time series is needed, not several")
        return value if isinstance(value, dict) else dict.fromkeys(self._times, value)


def _combine(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Apply to numbers, per period to series, one by one to several series."""
    if isinstance(left, list):
        return [_one(_combine(function, item, right)) for item in left]
    if isinstance(right, list):
        return [_one(_combine(function, left, item)) for item in right]
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = {time: (left[time], right[time]) for time in left if time in right}
    elif isinstance(left, dict):
        pairs = {time: (value, right) for time, value in left.items()}  # type: ignore[misc]
    elif isinstance(right, dict):
        pairs = {time: (left, value) for time, value in right.items()}
    else:
        number = _apply(function, left, right)
        return {} if number is None else number
    results = {time: _apply(function, *pair) for time, pair in pairs.items()}
    return {time: value for time, value in results.items() if value is not None}


def _one(value: Value) -> Series:
    if not isinstance(value, dict):
        raise MetricMathError("several time series cannot be combined with several others")
    return value


def _apply(function: Callable[[float, float], float], left: float, right: float) -> float | None:
    try:
        return float(function(left, right))
    except ZeroDivisionError:
        return None
