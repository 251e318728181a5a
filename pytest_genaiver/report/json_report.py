"""The report as JSON: everything that was recorded and decided; it serves as a baseline (`--genai-baseline`)."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_genaiver.core.jsonform import finite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision
    from pytest_genaiver.core.pooling import BaselineFacts
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.core.since import Since


def payload(
    comparison: Comparison,
    decision: Decision | None,
    *,
    baseline: BaselineFacts,
    warnings: Sequence[str] = (),
    tracked: Mapping[str, Decision | None] = MappingProxyType({}),
    beside: Sequence[tuple[VersionResults, Comparison | None, Decision | None]] = (),
    since: Since | None = None,
) -> dict[str, Any]:
    """The results of `VersionResults.to_json`, and beside them `snapshot`, `baseline`, `changes` and `decision`.

    `baseline` and `since_baseline` are null where there is none, `decision` where the gate is off. NaN and infinities
    are null. `warnings` are the lines that no reader may miss. `tracked` is there where cases do not gate: gate mode
    -> what they show, null where nothing was tested. `versions` is there where the session evaluated others too:
    their results, each with the decision beside its `reference`.
    """
    snapshot = comparison.current.snapshot
    return {
        **comparison.current.to_json(),
        "snapshot": None if snapshot is None else snapshot.to_json(),
        "baseline": None if baseline.name is None else finite(asdict(baseline)),
        "since_baseline": None if since is None else since.to_json(),
        "changes": {
            "new": list(comparison.new),
            "removed": list(comparison.removed),
            "changed": list(comparison.changed),
            "renamed": dict(comparison.renamed),
            "variants": dict(comparison.variants),
        },
        "decision": _decided(decision),
        "warnings": list(warnings),
        **(
            {"tracked": {mode: None if d is None else finite(d.to_json()) for mode, d in tracked.items()}}
            if tracked
            else {}
        ),
        **({"versions": _versions(beside)} if beside else {}),
    }


def _decided(decision: Decision | None) -> Any:
    return None if decision is None else finite(decision.to_json())


def _versions(beside: Sequence[tuple[VersionResults, Comparison | None, Decision | None]]) -> dict[str, Any]:
    return {results.version.name: _beside(results, other, found) for results, other, found in beside}


def _beside(results: VersionResults, comparison: Comparison | None, decision: Decision | None) -> dict[str, Any]:
    old = None if comparison is None else comparison.baseline
    return {
        **results.to_json(),
        "reference": None if old is None else old.version.name,
        "decision": _decided(decision),
    }
