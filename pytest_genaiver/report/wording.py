"""The sentences of a report."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pytest_genaiver.core.likely import is_thin, likely
from pytest_genaiver.report.parts import Counts, Fact, Row, Tier, Tone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_genaiver.core.compare import Comparison
    from pytest_genaiver.core.decision import Decision, MetricDecision
    from pytest_genaiver.core.pooling import BaselineFacts
    from pytest_genaiver.core.results import SessionFacts, VersionResults


def headline(
    decision: Decision | None, rows: Sequence[Row], *, baseline: BaselineFacts, counts: Counts, gate: str
) -> tuple[str, Tone]:
    """The verdict line, which begins with the verdict's word, and its tone."""
    if decision is None:
        return "off: the gate is off, nothing is decided", "plain"
    verdict = decision.verdict
    if counts.evaluated < counts.wanted:
        too_few = f"too few cases: {counts.evaluated} evaluated, --genai-min-cases wants {counts.wanted}"
        return f"{too_few} (verdict {verdict})", "bad"
    gated = [row.metric for row in rows if row.gated]
    named = [row.metric for row in rows if row.gated and row.verdict == verdict]
    if verdict == "pass":
        return f"pass: {_why_pass(gated, baseline)}", "good"
    what = f"{_listed(named)} ({len(named)} of {_count(len(gated), 'gated metric')})" if named else decision.reason
    if verdict == "improved":
        return f"improved: {what}", "good"
    if verdict == "regressed":
        mild = gate == "warn"
        return f"regressed: {what}{'; the gate only warns' if mild else ''}", "warn" if mild else "bad"
    strict = gate == "strict"
    return f"inconclusive: {what}{'; the gate is strict' if strict else ''}", "bad" if strict else "warn"


def _why_pass(gated: Sequence[str], baseline: BaselineFacts) -> str:
    if baseline.name is None:
        return "first session, there is no baseline to compare with"
    if baseline.coverage == 0:
        return "nothing was compared, no case is shared with the baseline"
    if not gated:
        return "no metric is gated"
    return f"{_count(len(gated), 'gated metric')}, no drop beyond noise and tolerance"


def baseline_line(baseline: BaselineFacts) -> str:
    """What follows the word `baseline`: name with sha8, distance, age; or none and why."""
    if baseline.name is None:
        return f"none: {baseline.why}"
    sha = "" if baseline.commit is None else baseline.commit[:8]
    name = baseline.name if sha in baseline.name else f"{baseline.name} ({sha})"
    if baseline.fresh:
        return f"{name}, run now beside this version, {_distance(baseline.distance)}"
    return f"{name}{_deployed(baseline)}, {_distance(baseline.distance)}, {_age(baseline.age)}"


def _deployed(baseline: BaselineFacts) -> str:
    if baseline.deployed_to is None or baseline.deployed_ago is None:
        return ""
    return f", deployed to {baseline.deployed_to} {span(baseline.deployed_ago)} ago"


def _distance(commits: int | None) -> str:
    if commits is None:
        return "distance unknown"
    return "same commit" if commits == 0 else f"{_count(commits, 'commit')} back"


def _age(seconds: float | None) -> str:
    return "age unknown" if seconds is None else f"{span(seconds)} old"


def span(seconds: float) -> str:
    """A length of time in words: `3 days`."""
    units = ((365.25 * 86400, "year"), (30.4375 * 86400, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))
    # Two of a unit before it is used: "30 hours old" says more than "1 day old".
    length, unit = next((pair for pair in units if seconds >= 2 * pair[0]), (1, "second"))
    return _count(int(max(seconds, 0) // length), unit)


def about_baseline(baseline: BaselineFacts) -> str:
    """Why this baseline, and how much of it there is."""
    if baseline.name is None:
        return ""
    if baseline.fresh:
        return baseline.why
    held = "" if baseline.coverage is None else f", with {baseline.coverage:.0%} of the cases"
    older = f" and {baseline.ancestors} of unchanged ancestors" if baseline.ancestors else ""
    return f"{baseline.why}; {_count(baseline.sessions, 'session')}{older}{held}"


def facts(comparison: Comparison, counts: Counts) -> Iterator[Fact]:
    """The counts, most general first."""
    session = comparison.current.session
    compared = "" if comparison.baseline is None else f", {len(comparison.pairs)} compared"
    cases = f"{_count(counts.evaluated, 'case')} evaluated{compared}, {_count(session.repeats, 'repeat')} each"
    yield Fact(text=cases)
    if counts.nothing:
        nothing = f"{_count(len(counts.nothing), 'case')} recorded nothing (no trace, no score, no output)"
        yield Fact(text=nothing, names=counts.nothing, tone="warn")
    if counts.soft:
        yet = "; there is nothing to compare with yet" if comparison.baseline is None else ""
        yield Fact(text=f"{_count(len(counts.soft), 'case')} failed softly{yet}", names=counts.soft)
    if comparison.baseline is not None:
        yield from _changes(comparison)
    if session.calls_failed:
        failed = f"{_count(session.calls_failed, 'call')} failed at the provider: missing values, not bad ones"
        yield Fact(text=failed, tone="warn")
    yield _traces(session, counts)
    yield from (Fact(text=text) for text in counts.told)


def _changes(comparison: Comparison) -> Iterator[Fact]:
    changes = (
        ("new case", "", comparison.new),
        ("removed case", "", comparison.removed),
        ("changed case", ", not compared", comparison.changed),
        ("renamed case", "", tuple(f"{new} (was {old})" for new, old in comparison.renamed.items())),
    )
    for came, went in comparison.variants.items():
        yield Fact(text=f"{_variant(came)} is compared with {_variant(went)}, which it replaces")
    for what, remark, names in changes:
        if names:
            yield Fact(text=_count(len(names), what) + remark, names=names)


def _variant(label: str) -> str:
    return f"variant {label}" if label else "no variant"


def _traces(session: SessionFacts, counts: Counts) -> Fact:
    produced = f"{_count(session.traces_produced, 'trace')} produced"
    if session.traces_stored is None:
        return Fact(text=f"{produced}, not counted in the store")
    text = f"{produced}, {session.traces_stored:,} stored"
    missing = session.traces_produced - session.traces_stored
    if missing <= 0 and not counts.lost:
        return Fact(text=text)
    lack = f"{missing:,} missing" if missing > 0 else "some missing"
    return Fact(text=f"{text}, {lack}", names=counts.lost, tone="warn")


def own_warnings(comparison: Comparison, rows: Sequence[Row]) -> Iterator[str]:
    """What the reader must not miss, one line each."""
    session = comparison.current.session
    if session.cut_short is not None:
        yield f"this session was cut short ({session.cut_short}): it is no baseline unless named"
    if is_thin(comparison):
        yield f"{_how_thin(comparison)}: {_why_thin(comparison)}"
    if comparison.unlike:
        what = "was" if len(comparison.unlike) == 1 else "were"
        names = _listed(comparison.unlike)
        yield f"{names} {what} measured by another judge, scorer or price list than in the baseline: not compared"
    for row in rows:
        if not row.gated and row.verdict.startswith("regressed"):
            yield f"{row.metric} is worse, which only warns: {row.baseline} -> {row.current} ({row.change})"


def tracked_title(gate: str, cases: int, compared: int) -> str:
    """What a section of tracked cases is headed by."""
    return f'tracked, not gated: {_count(cases, "case")} with gate="{gate}", {compared:,} compared'


def tracked_warnings(tiers: Sequence[Tier]) -> Iterator[str]:
    for tier in tiers:
        for row in tier.rows:
            if row.verdict.startswith("regressed"):
                moved = f"{row.baseline} -> {row.current} ({row.change})"
                yield f'{row.metric} of cases with gate="{tier.gate}" is worse, which only warns: {moved}'


def _how_thin(comparison: Comparison) -> str:
    if not comparison.pairs:
        return "no case is shared with the baseline"
    return f"only {len(comparison.pairs):,} of {_count(len(comparison.current.cases), 'case')} are in the baseline"


def _why_thin(comparison: Comparison) -> str:
    changed = likely(comparison)
    if changed is not None:
        then, new = _listed(changed.before), _listed(changed.now)
        return (
            f"{_count(changed.cases, 'case')} would be, but for the parameter {changed.parameter!r} "
            f"({then} -> {new}); if it belongs to the app, write {changed.marker} and record the baseline anew"
        )
    if comparison.changed:
        return f"the inputs or expectations of {_count(len(comparison.changed), 'case')} changed"
    before = {case.function for case in comparison.baseline.cases.values()} if comparison.baseline else set()
    now = {case.function for case in comparison.current.cases.values()}
    if comparison.pairs:
        return f"{_count(len(comparison.new), 'case')} are new"
    if before & now:
        return "the parameters of the test functions changed"
    return "its test functions are others; were they renamed or moved, or is it another suite?"


def next_step(results: VersionResults) -> str:
    """What to do where there was nothing to compare with."""
    if results.version.commit is None:
        return "outside git no baseline is found: give one with --genai-baseline FILE.json or a version's name"
    if results.version.dirty:
        return "commit, then run `pytest --genai-version` again: a session on a dirty tree is no baseline"
    if not results.session.complete:
        return "run `pytest --genai-version` to its end: a session that was cut short is no baseline"
    return "this session is recorded: `pytest --genai-version` on a later commit compares with it"


FEW_VALUES = 3
"""A baseline with fewer values a case than this is a thin one."""


def surer(decision: Decision | None, comparison: Comparison, baseline: BaselineFacts) -> str:
    """What to do where a regression rests on a thin baseline, or on latencies of other days; else nothing."""
    # Whoever is no ancestor may not even be in this clone.
    known = baseline.commit is not None and baseline.distance is not None and not baseline.fresh
    if decision is None or decision.verdict != "regressed" or not known:
        return ""
    regressed = [m for m in decision.metrics.values() if m.verdict == "regressed"]
    slower = any(
        m.kind == "latency" and (m in regressed or m.advisory) and _worse(m) for m in decision.metrics.values()
    )
    values = comparison.baseline_values()
    held = [
        sum(value is not None for value in found)
        for metric in regressed
        for name, found in values.get(metric.name, {}).items()
        if name in comparison.pairs
    ]
    thin = bool(held) and median(held) < FEW_VALUES
    if not (thin or slower):
        return ""
    why = "the baseline's values are few" if thin else "the baseline's latencies are of other days"
    command = f"pytest --genai-version --genai-baseline run:{(baseline.commit or '')[:8]}"
    return f"{why}: `{command}` runs its app beside this one"


def _worse(metric: MetricDecision) -> bool:
    return metric.drop is not None and metric.drop > 0


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
