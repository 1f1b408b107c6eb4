"""What readiness and drain say at the end of their output: one JSON object on the last line.

Formats: docs/design.md, "readiness verdict" and "drain verdict".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pilotlight.errors import VerdictError
from pilotlight.fleet.outcome import end_of

TAG_CHARACTERS = 256  # EC2's limit of a tag value
_PROOF_KEYS = ("setup_hash", "template_version", "torch_version", "proven_at")
_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ReadinessVerdict:
    """`failed_checks` are `name: detail`; `proof_tags` is empty unless ready."""

    ready: bool
    failed_checks: tuple[str, ...]
    proof_tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DrainVerdict:
    drained: bool
    detail: str


def parse_readiness_verdict(output: str) -> ReadinessVerdict:
    """Raises VerdictError with the end of the output."""
    verdict = _last_object(output)
    checks, ready = verdict.get("checks"), verdict.get("ready")
    if not isinstance(ready, bool) or not isinstance(checks, list):
        raise VerdictError(f"no `ready` and `checks` in the verdict: {end_of(output)}")
    failed = tuple(_describe(check) for check in checks if not _passed(check))
    is_ready = ready and not failed
    return ReadinessVerdict(is_ready, failed, _proof_tags(verdict) if is_ready else {})


def parse_drain_verdict(output: str) -> DrainVerdict:
    """Raises VerdictError with the end of the output."""
    verdict = _last_object(output)
    if not isinstance(verdict.get("drained"), bool):
        raise VerdictError(f"no `drained` in the verdict: {end_of(output)}")
    return DrainVerdict(bool(verdict["drained"]), str(verdict.get("detail", ""))[:_NAME_CHARACTERS])


def _last_object(output: str) -> Mapping[str, object]:
    lines = [line for line in output.splitlines() if line.strip()]
    try:
        verdict = json.loads(lines[-1]) if lines else None
    except (ValueError, RecursionError) as error:
        raise VerdictError(f"the last line is not JSON: {end_of(output)}") from error
    if not isinstance(verdict, dict):
        raise VerdictError(f"the last line is not a JSON object: {end_of(output)}")
    return verdict


def _passed(check: object) -> bool:
    return isinstance(check, Mapping) and check.get("ok") is True


def _describe(check: object) -> str:
    if not isinstance(check, Mapping):
        return str(check)[:_NAME_CHARACTERS]
    return f"{check.get('name')}: {check.get('detail')}"[:_NAME_CHARACTERS]


def _proof_tags(verdict: Mapping[str, object]) -> Mapping[str, str]:
    proof = verdict.get("proof")
    if not isinstance(proof, Mapping) or not all(proof.get(key) for key in _PROOF_KEYS):
        raise VerdictError(f"a proof needs {', '.join(_PROOF_KEYS)}: {str(proof)[:500]}")
    return {
        f"pilotlight:{key.replace('_', '-')}": str(proof[key])[:TAG_CHARACTERS]
        for key in _PROOF_KEYS
    }
