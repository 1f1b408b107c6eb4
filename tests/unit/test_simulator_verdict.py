"""The claims of a comparison: each holds or not by its own numbers."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from simulator.prices import Bill, Usage, bill
from simulator.result import Result, percentile
from simulator.verdict import judge, pareto_front

RUNNER = CliRunner()


def result(
    policy: str, usd: float, wait_seconds: float, kills: int = 0, unfinished: int = 0
) -> Result:
    return Result(
        policy=policy,
        jobs=1,
        unfinished=unfinished,
        waits_seconds=(wait_seconds,),
        warm_starts=1,
        cold_starts=0,
        failed_starts=0,
        busy_kills=kills,
        lost_job_seconds=0.0,
        instance_hours={},
        bill=Bill(usd, 0.0, 0.0),
        looks=1,
        api_calls=1,
        at_max_seconds=0.0,
        samples=(),
    )


def holds(*results: Result, variants: tuple[Result, ...] = ()) -> list[bool]:
    ours, *peers = results
    return [verdict.holds for verdict in judge(ours, variants, peers)]


def test_a_policy_that_is_cheaper_and_faster_wins_on_every_claim() -> None:
    assert holds(result("ours", 10, 1), result("a", 11, 5), result("b", 20, 2)) == [True] * 4


def test_a_peer_that_is_as_fast_for_less_is_named() -> None:
    verdict, *_ = judge(result("ours", 10, 5), (), [result("rival", 9, 5)])
    assert not verdict.holds
    assert "rival" in verdict.because


def test_other_settings_of_ours_may_meet_the_fastest_peer() -> None:
    ours, fast = result("ours", 10, 5), result("ours@0s", 14, 1)
    peers = [result("a", 12, 6), result("b", 15, 1)]
    assert not holds(ours, *peers)[2]
    assert holds(ours, *peers, variants=(fast,))[2]


def test_a_peer_that_kills_busy_workers_or_leaves_jobs_undone_is_no_rival() -> None:
    killer, idler = result("killer", 1, 0, kills=1), result("idler", 1, 0, unfinished=1)
    assert all(holds(result("ours", 10, 5), killer, idler, result("a", 11, 6)))


def test_a_kill_of_ours_is_said() -> None:
    assert not holds(result("ours", 10, 1, kills=1), result("a", 11, 5))[-1]


def test_the_front_leaves_out_what_another_beats() -> None:
    cheap, fast, beaten = result("cheap", 1, 9), result("fast", 9, 1), result("beaten", 9, 2)
    assert pareto_front([beaten, fast, cheap]) == [cheap, fast]


def test_a_percentile_is_a_wait_that_happened() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 95) == 4.0


def test_a_bill_charges_instances_disks_and_looks_by_the_table() -> None:
    usage = Usage(
        instance_type="g4dn.xlarge",
        billed_hours=100.0,
        disk_hours=730.0,
        volume_gigabytes=30,
        run_hours=730.0,
        looks=0,
        jobs=0,
        asks_sqs=True,
    )
    charged = bill(usage)
    assert (round(charged.instances, 2), round(charged.disks, 2)) == (52.6, 2.4)
    assert charged.control == 0.0


def test_the_command_prints_one_object_for_each_policy(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("arrival_s,service_s\n0,60\n30,60\n", encoding="utf-8")
    arguments = ["simulate", "--trace", str(trace), "--policy", "all", "--json"]
    printed = RUNNER.invoke(app, arguments)
    rows = json.loads(printed.stdout)
    assert rows[0]["policy"] == "pilotlight"
    assert len(rows) == len({row["policy"] for row in rows}) > 10
    assert rows[0].keys() >= {
        "policy", "jobs", "wait_p50_s", "wait_p95_s", "wait_p99_s", "warm_share", "busy_kills",
        "lost_job_seconds", "instance_hours", "usd", "api_calls",
    }  # fmt: skip
    assert RUNNER.invoke(app, arguments).stdout == printed.stdout


def test_an_unknown_policy_and_a_bad_trace_end_with_what_to_do(tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text("arrival_s,service_s\n0,soon\n", encoding="utf-8")
    bad_trace = RUNNER.invoke(app, ["simulate", "--trace", str(trace)])
    assert bad_trace.exit_code == 1
    assert "line 2: service_s is 'soon'" in bad_trace.output
    trace.write_text("arrival_s,service_s\n0,1\n", encoding="utf-8")
    unknown = RUNNER.invoke(app, ["simulate", "--trace", str(trace), "--policy", "magic"])
    assert unknown.exit_code == 1
    assert "There is no policy 'magic'" in unknown.output
