from __future__ import annotations

import pytest

from local.services.alarm_requests import AlarmRequestError, alarm_configuration, typed_alarm
from local.services.alarm_rules import AlarmRule, Datapoint
from local.services.alarms import evaluate
from local.services.form_requests import nested
from local.services.metric_math import MetricMathError, compute
from local.services.metric_samples import Grid, Sample, series

OK, ALARM, UNKNOWN, STAYS = "OK", "ALARM", "INSUFFICIENT_DATA", None
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def judge(data: str, m: int, n: int, treatment: str):
    """`data` as CloudWatch's guide draws it: newest last, X breaches, 0 does not, - is missing."""
    rule = AlarmRule("GreaterThanThreshold", 5.0, n, m, treatment)
    values = {"X": 9.0, "0": 1.0}
    points = [
        Datapoint(60.0 * i, values[mark]) if mark in values else None
        for i, mark in enumerate(data.split())
    ]
    return evaluate(rule, points)


# The two tables of the CloudWatch user guide, "How alarm state is evaluated when data is missing".
TABLES = [
    (3, "0 - X - X", (OK, OK, OK, OK)),
    (3, "0 - - - -", (OK, OK, OK, OK)),
    (3, "- - - - -", (UNKNOWN, STAYS, ALARM, OK)),
    (3, "0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
    (3, "- - X - -", (ALARM, STAYS, ALARM, OK)),
    (2, "0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
    (2, "0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
    (2, "0 - X - -", (OK, OK, ALARM, OK)),
    (2, "- - - - 0", (OK, OK, ALARM, OK)),
    (2, "- - - X -", (ALARM, STAYS, ALARM, OK)),
]


@pytest.mark.parametrize(("m", "data", "states"), TABLES)
def test_missing_data_is_treated_as_the_tables_of_the_guide_say(m, data, states):
    assert tuple(judge(data, m, 3, treatment).state for treatment in TREATMENTS) == states


@pytest.mark.parametrize("data", ["- - - - X", "- - - X -"])
def test_a_young_breach_after_missing_data_is_no_alarm_yet(data):
    assert judge(data, 3, 3, "missing").state != ALARM


@pytest.mark.parametrize(
    ("data", "treatment", "reason"),
    [
        (
            "0 0 X X X",
            "missing",
            "Threshold Crossed: 3 out of the last 3 datapoints [9.0 (01/01/70 00:04:00), "
            "9.0 (01/01/70 00:03:00), 9.0 (01/01/70 00:02:00)] were greater than the threshold "
            "(5.0) (minimum 3 datapoints for OK -> ALARM transition).",
        ),
        (
            "X X X X 0",
            "missing",
            "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (01/01/70 00:04:00)] was not "
            "greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        ("- - - - -", "missing", "Insufficient Data: 3 datapoints were unknown."),
        (
            "- - - - -",
            "notBreaching",
            "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints "
            "were treated as [NonBreaching].",
        ),
    ],
)
def test_the_reason_is_in_the_words_of_cloudwatch(data, treatment, reason):
    assert judge(data, 3, 3, treatment).reason == reason


TIMES = [0.0, 60.0, 120.0]
M1 = {0.0: 2.0, 60.0: 4.0, 120.0: 6.0}
M2 = {0.0: 1.0, 120.0: 0.0}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1 + m2", {0.0: 3.0, 120.0: 6.0}),
        ("m1 / m2", {0.0: 2.0}),
        ("FILL(m2, 0) + m1", {0.0: 3.0, 60.0: 4.0, 120.0: 6.0}),
        ("FILL(m2, REPEAT)", {0.0: 1.0, 60.0: 1.0, 120.0: 0.0}),
        ("FILL(m2, LINEAR)", {0.0: 1.0, 60.0: 0.5, 120.0: 0.0}),
        ("SUM(METRICS())", {0.0: 3.0, 60.0: 4.0, 120.0: 6.0}),
        ("MAX([m1, FILL(m2, 9)])", {0.0: 2.0, 60.0: 9.0, 120.0: 6.0}),
        ("m1 - AVG(m1)", {0.0: -2.0, 60.0: 0.0, 120.0: 2.0}),
        ("IF(m2 > 0, m1 / m2, m1)", {0.0: 2.0, 120.0: 6.0}),
        ("IF(m1 >= 4 AND m1 < 6, 1, 0)", {0.0: 0.0, 60.0: 1.0, 120.0: 0.0}),
        ("(-m1 * 2 + 5) / 2 > -2 || m1 == 6", {0.0: 1.0, 60.0: 1.0, 120.0: 1.0}),
        ("CEIL(m1 / 4)", {0.0: 1.0, 60.0: 1.0, 120.0: 2.0}),
        ("7", {0.0: 7.0, 60.0: 7.0, 120.0: 7.0}),
    ],
)
def test_metric_math_meets_where_both_have_data(expression, expected):
    assert compute(expression, {"m1": M1, "m2": M2}, ["m1", "m2"], TIMES) == expected


@pytest.mark.parametrize("expression", ["m1 +", "open('f')", "m1.real", "METRICS()", "m1[0]", "m9"])
def test_what_is_no_metric_math_is_refused_by_name(expression):
    with pytest.raises(MetricMathError):
        compute(expression, {"m1": M1}, ["m1"], TIMES)


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("Sum", 10.0),
        ("Average", 2.5),
        ("Maximum", 4.0),
        ("SampleCount", 4.0),
        ("p50", 2.5),
        ("p100", 4.0),
    ],
)
def test_statistics_of_a_period(statistic, value):
    samples = [Sample(60.0 + i, 1.0, v, v, v) for i, v in enumerate((4.0, 1.0, 3.0, 2.0))]
    outside = Sample(59.9, 1.0, 50.0, 50.0, 50.0)
    assert series(Grid(60.0, 60.0, 1), [outside, *samples], statistic) == {60.0: value}


PLAIN = {
    "AlarmName": "a",
    "Namespace": "n",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"DatapointsToAlarm": 3}, "DatapointsToAlarm 3"),
        ({"Period": 45}, "Period 45"),
        ({"ExtendedStatistic": "p90"}, "not both"),
        ({"Statistic": "Median"}, "'Median' is not a statistic"),
        ({"TreatMissingData": "maybe"}, "TreatMissingData"),
        ({"MetricName": None}, "either MetricName or Metrics"),
        (
            {"MetricName": None, "Metrics": [{"Id": "e", "Expression": "nobody + 1"}]},
            "an id that is not there",
        ),
    ],
)
def test_an_alarm_that_could_never_work_is_refused(change, words):
    with pytest.raises(AlarmRequestError, match=words):
        alarm_configuration(PLAIN | change)


def test_an_alarm_by_the_query_protocol_is_the_same_alarm():
    form = {
        "Action": "PutMetricAlarm",
        "AlarmName": "a",
        "Threshold": "2",
        "ActionsEnabled": "false",
        "Metrics.member.2.Id": "e",
        "Metrics.member.2.Expression": "m * 2",
        "Metrics.member.1.Id": "m",
        "Metrics.member.1.ReturnData": "false",
        "Metrics.member.1.MetricStat.Period": "60",
        "Metrics.member.1.MetricStat.Metric.Dimensions.member.1.Name": "QueueName",
    }
    stat = {"Period": 60, "Metric": {"Dimensions": [{"Name": "QueueName"}]}}
    assert typed_alarm(nested(form)) == {
        "AlarmName": "a",
        "Threshold": 2.0,
        "ActionsEnabled": False,
        "Metrics": [
            {"Id": "m", "ReturnData": False, "MetricStat": stat},
            {"Id": "e", "Expression": "m * 2"},
        ],
    }
