"""`genaiver show` on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.cli.drawing.lines import GAP, Line, aligned, blocks, entries, heading, paragraph, warnings
from pytest_genaiver.cli.output import shown
from pytest_genaiver.core import numbers
from pytest_genaiver.core.snapshot import SHORT, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_genaiver.adapters.tracking.store import SessionRef
    from pytest_genaiver.core.results import VersionResults
    from pytest_genaiver.core.snapshot import Snapshot
    from pytest_genaiver.looking.page import Page
    from pytest_genaiver.report.parts import Tone

_FEW = 6
_VERDICTS: dict[str, Tone] = {"regressed": "bad", "inconclusive": "warn", "improved": "good"}


def lines(page: Page, *, verbose: bool) -> Iterator[Line]:
    """The whole page; with `verbose` every dependency, setting and session."""
    yield from blocks(
        [
            [heading(f"version {page.ref.name}"), *entries(_identity(page))],
            [*entries(_snapshot(page.snapshot, verbose))],
            [*_metrics(page)],
            [*_sessions(page)],
            [*warnings(page.warnings)],
            # To be copied: whole, however long.
            [Line(f"{label}: {shown(target)}") for label, target in page.where],
        ]
    )


def _identity(page: Page) -> Iterator[tuple[str, str]]:
    ref, tags = page.ref, page.facts.tags
    branch = f" on {tags['genaiver.branch']}" if "genaiver.branch" in tags else ""
    yield "commit", f"{ref.commit}{branch}" if ref.commit else "none: recorded outside git"
    yield "subject", page.subject
    yield "variant", ref.variant or ""
    if ref.dirty:
        yield "uncommitted", f"changes {tags.get('genaiver.dirty_hash', '')}".rstrip()
        yield "untracked", tags.get("genaiver.untracked", "")
    yield "remote", tags.get("mlflow.source.git.repoURL", "")
    yield "model id", ref.model_id
    for one in page.deployments:
        by = f", recorded by {one.by}" if one.by else ""
        yield "deployed", f"{one.env} from {one.at:%Y-%m-%d %H:%M} UTC{by}"
    yield "pinned", "yes, prune spares it" if page.pinned else ""


def _snapshot(snapshot: Snapshot | None, verbose: bool) -> Iterator[tuple[str, str]]:
    if snapshot is None:
        yield "snapshot", "not recorded"
        return
    yield "snapshot", snapshot.digest if verbose else snapshot.digest[:16]
    yield "configuration", _listed(snapshot.params, verbose)
    for model, settings in snapshot.models.items():
        yield "model", f"{model} ({_listed(settings, verbose)})" if settings else model
    for prompt, digest in snapshot.prompts.items():
        yield "prompt", f"{prompt} {digest if verbose else digest[:SHORT]}"
    packages = resolved(snapshot.dependencies)
    count = f"{len(packages)} packages, digest {snapshot.dependencies_digest[:SHORT]}"
    yield "dependencies", f"{count}: {_listed(packages, verbose)}" if verbose else f"{count} (-v lists them)"
    yield "python", f"{snapshot.python}, {snapshot.platform}"
    yield "command", snapshot.command or ""


def _listed(values: Mapping[str, str], verbose: bool) -> str:
    texts = [f"{name}={value}" for name, value in values.items()]
    kept = texts if verbose else texts[:_FEW]
    more = f" and {len(texts) - len(kept)} more (-v)" if len(texts) > len(kept) else ""
    return ", ".join(kept) + more


def _metrics(page: Page) -> Iterator[Line]:
    if not page.metrics:
        return
    head = ("metric", "mean", "cases", "values")
    cells = [(m.metric, numbers.value(m.kind, m.mean), str(m.cases), str(m.values)) for m in page.metrics]
    table = aligned([head, *cells]) or [" ".join(row) for row in cells]
    yield Line(table[0], bold=True)
    yield from map(Line, table[1:])
    recording = page.recording
    if recording and recording.cut_short:
        yield from paragraph("of sessions that were cut short: there is no other", tone="warn")


def _sessions(page: Page) -> Iterator[Line]:
    if not page.sessions:
        yield from paragraph("no session is recorded", tone="warn")
        return
    head = ("session", "verdict", "cases", "repeats", "time", "traces", "baseline")
    cells = [_session(*one) for one in page.sessions]
    table = aligned([head, *cells], left=(0, 1, 6), least=16)
    if table is None:
        yield heading("sessions")
        for row in cells:
            facts = ", ".join(f"{name} {cell}" for name, cell in zip(head[2:], row[2:], strict=True) if cell)
            yield from paragraph(f"{row[0]}: {row[1]}", tone=_tone(row[1]))
            yield from paragraph(facts, indent=GAP)
    else:
        yield Line(table[0], bold=True)
        yield from (Line(text, _tone(row[1])) for text, row in zip(table[1:], cells, strict=True))
    for _, results in page.sessions:
        if results and results.session.cut_short:
            yield from paragraph(
                f"{_when(results)}: cut short ({results.session.cut_short})", indent=GAP, tone="warn"
            )
    if page.older:
        yield from paragraph(f"and {page.older} older (-v shows them)")


def _tone(verdict: str) -> Tone:
    return _VERDICTS.get(verdict, "plain")


def _session(ref: SessionRef, results: VersionResults | None) -> tuple[str, ...]:
    verdict = (ref.verdict or "none") if ref.complete else "cut short" if results else "not finished"
    if results is None:
        return ref.run_id[:8], verdict, "", "", "", "", ref.baseline or ""
    facts = results.session
    stored = facts.traces_produced if facts.traces_stored is None else facts.traces_stored
    traces = f"{stored}" if stored == facts.traces_produced else f"{stored} of {facts.traces_produced}"
    time = "" if facts.seconds is None else f"{facts.seconds:.1f} s"
    return _when(results), verdict, str(len(results.cases)), str(facts.repeats), time, traces, ref.baseline or ""


def _when(results: VersionResults) -> str:
    return results.session.started[:16].replace("T", " ")
