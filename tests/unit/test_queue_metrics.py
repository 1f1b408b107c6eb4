from local.services.emf import embedded_metrics
from local.services.queue_metrics import QueueActivity, queue_measurements

HOUR = 3600.0


def test_a_queue_that_slept_publishes_late_after_it_wakes():
    activity = QueueActivity(6 * HOUR, 900.0, draw=lambda: 0.5)
    activity.touch("jobs", 0.0)
    assert activity.taken_counts("jobs", 6 * HOUR) is not None
    assert activity.taken_counts("jobs", 6 * HOUR + 1) is None
    activity.touch("jobs", 7 * HOUR, {"NumberOfMessagesSent": 1.0})
    assert activity.taken_counts("jobs", 7 * HOUR + 449) is None
    assert activity.taken_counts("jobs", 7 * HOUR + 450) == {"NumberOfMessagesSent": 1.0}
    assert activity.taken_counts("jobs", 7 * HOUR + 510) == {}


def test_the_oldest_age_leaves_out_poison_pills():
    messages = [{"sent_at": 100.0, "receive_count": 3}, {"sent_at": 160.0, "receive_count": 2}]
    measured = queue_measurements("jobs", {}, messages, {}, now=200.0)
    assert {m.name: m.value for m in measured}["ApproximateAgeOfOldestMessage"] == 40.0


def test_log_lines_in_embedded_metric_format_are_metrics_and_others_are_not():
    line = """{"_aws": {"Timestamp": 1700000000500, "CloudWatchMetrics": [{
        "Namespace": "Pilotlight", "Dimensions": [["service"], ["service", "absent"]],
        "Metrics": [{"Name": "JobsWoken", "Unit": "Count"}, {"Name": "text"}]}]},
        "service": "scaler", "JobsWoken": [1.0, 2], "text": "no number"}"""
    (metric,) = embedded_metrics(line)
    assert (metric.namespace, metric.name, metric.values) == ("Pilotlight", "JobsWoken", (1.0, 2.0))
    assert metric.dimensions == {"service": "scaler"}
    assert metric.timestamp == 1700000000.5
    assert embedded_metrics('{"message": "the key \\"_aws\\" alone"}') == []
    assert embedded_metrics('not json "_aws"') == []
