"""Recorded versions as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@pytest.fixture
def recorded() -> Callable[..., VersionResults]:
    """Makes a session of a version: `recorded("v1", m={"t[a]": [1.0, 0.0]})`, each metric's values by case.

    A case's digest is its id, where `digests` has no other; `t[a]{model=x}` is the case `t[a]` of that variant.
    """

    def make(
        name: str,
        *,
        session: str | None = None,
        repeats: int = 20,
        digests: Mapping[str, str] | None = None,
        sources: Mapping[str, str] | None = None,
        policy: Sequence[Any] = (),
        **scores: Mapping[str, Sequence[float | None]],
    ) -> VersionResults:
        cases: dict[str, CaseResult] = {}
        for metric, by_case in scores.items():
            for case, values in by_case.items():
                if case not in cases:
                    cases[case] = _case(case, (digests or {}).get(case))
                cases[case].scores[metric] = list(values)
        facts = SessionFacts(
            id=session or f"session of {name}",
            started="2026-01-02T03:04:05+00:00",
            complete=True,
            repeats=repeats,
            verdict="pass",
        )
        return VersionResults(
            version=Version(name=name, app="app"),
            session=facts,
            policy=list(policy),
            sources=dict(sources or {}),
            cases=cases,
        )

    return make


def _case(name: str, digest: str | None) -> CaseResult:
    bare, brace, variant = name.partition("{")
    pairs = dict(part.split("=") for part in variant.rstrip("}").split(", ")) if brace else {}
    return CaseResult(id=name, digest=digest or bare, function=bare.partition("[")[0], variant=pairs)
