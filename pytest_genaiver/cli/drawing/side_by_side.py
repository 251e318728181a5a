"""`genaiver compare` on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_genaiver.cli.drawing.best import verdict_lines
from pytest_genaiver.cli.drawing.lines import GAP, Line, aligned, blocks, fitted, heading, paragraph, warnings
from pytest_genaiver.cli.output import is_unicode, shown, width
from pytest_genaiver.core import numbers
from pytest_genaiver.core.interval import change_interval
from pytest_genaiver.looking.compared import letter
from pytest_genaiver.report.summary import metric_verdict
from pytest_genaiver.report.text import fit_case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_genaiver.core.moved import Moved
    from pytest_genaiver.core.side_by_side import Entry, MetricRow
    from pytest_genaiver.core.snapshot import Change
    from pytest_genaiver.looking.compared import Against, Compared
    from pytest_genaiver.looking.recordings import Recording
    from pytest_genaiver.report.parts import Tone

_FEW, _MANY = 8, 200


def lines(compared: Compared, *, verbose: bool) -> Iterator[Line]:
    """The whole page. With `verbose` nothing is left out, and every metric says why its verdict is what it is."""
    most = _MANY if verbose else _FEW
    pairs = list(enumerate(compared.against, start=1))
    yield from blocks(
        [
            [*_legend(compared)],
            [*_metrics(compared, verbose)],
            [*_variants(compared)],
            *([*_changed(against, letter(i), most)] for i, against in pairs),
            *([*_moved(against, letter(i), most)] for i, against in pairs),
            [*_loud(compared), *warnings(compared.warnings)],
            [*verdict_lines(compared)],
        ]
    )


def _legend(compared: Compared) -> Iterator[Line]:
    for i, recording in enumerate((*compared.recordings, *compared.apart)):
        remark = "the reference" if i == 0 else ""
        yield from paragraph(f"{letter(i)}  {_named(recording, remark)}")
    if compared.shared.cases and compared.against:
        held = ", ".join(f"{len(r.pool.cases)} in {letter(i)}" for i, r in enumerate(compared.recordings))
        yield from paragraph(f"{_count(len(compared.shared.cases), 'common case')} ({held})")


def _named(recording: Recording, remark: str) -> str:
    facts = recording.pool.sessions[0]
    kept = [_count(len(recording.pool.sessions), "session"), remark, "cut short" if recording.cut_short else ""]
    kept += ["uncommitted changes" if recording.ref.dirty else ""]
    return f"{recording.ref.name}, {facts.started[:10]}, {', '.join(filter(None, kept))}"


def _metrics(compared: Compared, verbose: bool) -> Iterator[Line]:
    if not compared.against or not compared.rows:
        return
    drawn = _one_table(compared.rows) if len(compared.recordings) == 2 else _many(compared)
    yield from drawn or _stacked(compared.rows)
    for row in compared.rows:
        for i, entry in enumerate(row.entries):
            decided = entry.decision
            if decided and decided.reason and (verbose or decided.verdict != "pass"):
                who = "" if len(row.entries) == 2 else f"{letter(i)} "
                yield from paragraph(f"{who}{row.metric}: {decided.reason}", indent=GAP)


def _one_table(rows: Sequence[MetricRow]) -> list[Line] | None:
    """Two versions: everything in a line."""
    head = ("metric", "A", "B", "change", "90% interval", "verdict")
    cells = [(r.metric, *(_mean(r, e) for e in r.entries), *_change(r, r.entries[1])) for r in rows]
    return _toned(head, cells, [_verdict(r.entries[1])[1] for r in rows], left=(0, 5))


def _many(compared: Compared) -> list[Line] | None:
    """Several versions: their means side by side, then each one's change against the first."""
    versions = range(len(compared.recordings))
    head = ("metric", *(letter(i) for i in versions))
    means = _toned(head, [(r.metric, *(_mean(r, e) for e in r.entries)) for r in compared.rows], left=(0,))
    if means is None:
        return None
    found = means
    for i in versions[1:]:
        head = (f"{letter(i)} against A", "change", "90% interval", "verdict")
        cells = [(r.metric, *_change(r, r.entries[i])) for r in compared.rows]
        table = _toned(head, cells, [_verdict(r.entries[i])[1] for r in compared.rows], left=(0, 3))
        if table is None:
            return None
        found += [Line(""), *table]
    return found


def _toned(
    head: Sequence[str], cells: Sequence[Sequence[str]], tones: Sequence[Tone] = (), *, left: Sequence[int]
) -> list[Line] | None:
    table = aligned([head, *cells], left=left)
    if table is None:
        return None
    kept = tones or ["plain"] * len(cells)
    return [Line(table[0], bold=True), *(Line(t, tone) for t, tone in zip(table[1:], kept, strict=True))]


def _stacked(rows: Sequence[MetricRow]) -> Iterator[Line]:
    """A narrow terminal: a line a version below its metric."""
    for row in rows:
        yield Line(fitted(row.metric, width()), bold=True)
        for i, entry in enumerate(row.entries):
            text = f"{letter(i)} {_mean(row, entry)}"
            tone: Tone = "plain"
            if i:
                change, interval, verdict = _change(row, entry)
                tone = _verdict(entry)[1]
                between = "" if interval == numbers.NOTHING else f" ({interval})"
                text = f"{text}, {change}{between}, {verdict}"
            yield from paragraph(text, indent=GAP, tone=tone)


def _mean(row: MetricRow, entry: Entry) -> str:
    return numbers.value(row.kind, entry.mean)


def _change(row: MetricRow, entry: Entry) -> tuple[str, str, str]:
    decided = entry.decision
    verdict = _verdict(entry)[0]
    if decided is None:
        return numbers.NOTHING, numbers.NOTHING, verdict
    change = numbers.change(row.kind, decided.baseline, decided.current)
    return change, numbers.interval(row.kind, change_interval(decided)), verdict


def _verdict(entry: Entry) -> tuple[str, Tone]:
    if entry.other_source:
        return "other judge", "warn"
    return ("not compared", "plain") if entry.decision is None else metric_verdict(entry.decision)


def _variants(compared: Compared) -> Iterator[Line]:
    if not compared.variants or not compared.against:
        return
    yield heading("by variant")
    head = ("metric", "variant", "cases", *(letter(i) for i in range(len(compared.recordings))))
    cells = [(r.metric, r.variant, str(r.cases), *(_mean(r, e) for e in r.entries)) for r in compared.variants]
    table = aligned([head, *cells], left=(0, 1))
    if table is None:
        for row in compared.variants:
            sides = ", ".join(f"{letter(i)} {_mean(row, e)}" for i, e in enumerate(row.entries))
            yield from paragraph(f"{row.metric}, {row.variant}: {sides}")
    for line in table or ():
        yield Line(line)


def _changed(against: Against, name: str, most: int) -> Iterator[Line]:
    yield heading(f"what changed from A to {name}")
    for what, commits in (("", against.came), (" that only A has", against.went)):
        if commits:
            yield from paragraph(f"{_count(len(commits), 'commit')}{what}", indent=GAP)
            yield from _few([f"{sha[:8]} {subject}" for sha, subject in commits], most)
    if against.came is None:
        yield from paragraph("commits: not both in this clone", indent=GAP)
    if against.changes is None:
        yield from paragraph("configuration, prompts, dependencies: not recorded", indent=GAP)
        return
    told = [c for c in against.changes if c.area != "code" or c.name != "commit"]
    yield from _few([_change_line(change) for change in told], most, indent=GAP)
    if not told and not against.came and not against.went:
        yield from paragraph("nothing that is recorded", indent=GAP)


def _change_line(change: Change) -> str:
    before, after = change.before or "nothing", change.after or "nothing"
    name = "" if change.name == change.area else f" {change.name}"
    return f"{change.area}{name}: {before} -> {after}"


def _few(texts: Sequence[str], most: int, *, indent: str = GAP * 2) -> Iterator[Line]:
    for text in texts[:most]:
        yield Line(indent + fitted(text, width() - len(indent)))
    if len(texts) > most:
        yield Line(f"{indent}and {len(texts) - most} more" + (" (-v shows them)" if most == _FEW else ""))


def _moved(against: Against, name: str, most: int) -> Iterator[Line]:
    if not against.moved:
        return
    worse = sum(one.z > 0 for one in against.moved)
    better = len(against.moved) - worse
    yield heading(f"cases that moved from A to {name}: {worse} worse, {better} better")
    told = against.moved[:most]
    cells = [_moved_cells(one) for one in told]
    room = width() - max(map(len, map(GAP.join, cells))) - len(GAP)
    beside = room >= 24
    for one, rest in zip(told, cells, strict=True):
        case = fit_case(shown(one.case), room if beside else width(), ascii=not is_unicode())
        texts = [case.ljust(min(room, 60)) + GAP + GAP.join(rest)] if beside else [case, GAP + " ".join(rest)]
        yield from (Line(fitted(text, width()), "bad" if one.z > 0 else "good") for text in texts)
    if len(against.moved) > most:
        yield Line(f"and {len(against.moved) - most} more" + (" (-v shows them)" if most == _FEW else ""))


def _moved_cells(one: Moved) -> tuple[str, ...]:
    means = (numbers.value(one.kind, mean) for mean in (one.before, one.after))
    return fitted(one.metric, 20), " -> ".join(means), f"n {one.n_before} -> {one.n_after}"


def _loud(compared: Compared) -> Iterator[Line]:
    names = {r.ref.name: r for r in compared.apart}
    for i, name in enumerate(names, start=len(compared.recordings)):
        why = "its cases are others, or their inputs changed"
        yield from paragraph(f"{letter(i)} {name} shares no case with A: not compared; {why}", tone="bad", bold=True)
    if compared.against and not compared.shared.cases:
        yield from paragraph("no case is common to all: compare them two by two", tone="bad", bold=True)
    for i, against in enumerate(compared.against, start=1):
        if against.unlike:
            what = "was" if len(against.unlike) == 1 else "were"
            told = f"{', '.join(against.unlike)} {what} measured by another judge, scorer or price list in A"
            yield from paragraph(f"{letter(i)}: {told}: not compared", tone="warn")
        for text in _cases(against):
            yield from paragraph(f"{letter(i)}: {text}")


def _cases(against: Against) -> Iterator[str]:
    partner = against.partner
    told = (("new", partner.new), ("removed", partner.removed), ("changed", partner.changed))
    counts = [f"{len(cases)} {what}" for what, cases in told if cases]
    if counts:
        yield f"cases not compared: {', '.join(counts)}"
    for came, went in partner.variants.items():
        yield f"variant {came or 'none'} is compared with {went or 'none'}, which it replaces"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
