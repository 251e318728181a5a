"""What a search found, in lines and as JSON."""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters import git
from pytest_genaiver.bisecting.commits import inside_merge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_genaiver.bisecting.hunt import Cost, Outlook
    from pytest_genaiver.bisecting.state import State
    from pytest_genaiver.core.bisection import Advice
    from pytest_genaiver.core.contrast import Contrast

SHA = re.compile("[0-9a-f]{40,64}")
MOVED = 5
SUSPECTS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A search's answer and what it is made of.

    `recorded` commits were known before. `needed` repeats of GOOD and BAD would tell a drop like the one seen from
    chance, None where none is seen. `also` are further metrics that regressed from GOOD to BAD.
    """

    advice: Advice
    state: State
    toplevel: Path
    recorded: int
    needed: int | None = None
    also: Sequence[str] = ()

    @property
    def named(self) -> bool:
        """Whether it is one commit."""
        return self.advice.outcome == "found"


def plan_lines(outlook: Outlook, cost: Cost) -> list[str]:
    """What is ahead, before anything is spent."""
    calls = "unknown: neither GOOD nor BAD is recorded" if outlook.calls is None else f"about {outlook.calls:,}"
    dollars = "unknown" if outlook.dollars is None else f"about ${outlook.dollars:.2f}"
    cases = f" of {cost.cases} cases" if cost.cases else ""
    return [
        f"{outlook.commits} commits between GOOD and BAD, {outlook.recorded} of them recorded",
        f"runs: about {outlook.runs} of {outlook.repeats} repeat{'' if outlook.repeats == 1 else 's'}{cases}, "
        f"at most {outlook.worst}",
        f"calls of the app: {calls}",
        f"cost: {dollars}",
    ]


def plan_json(outlook: Outlook) -> dict[str, Any]:
    return {
        "commits": outlook.commits,
        "recorded": outlook.recorded,
        "runs": {"expected": outlook.runs, "most": outlook.worst, "repeats": outlook.repeats},
        "calls": outlook.calls,
        "cost": outlook.dollars,
    }


def lines(found: Found) -> list[str]:
    """The answer, what it rests on, and what to do next."""
    advice = found.advice
    if advice.outcome == "same":
        return [*_same(found), *_rest(found)]
    if found.named:
        [sha] = advice.suspects
        head = [f"{sha[:8]} is the first bad commit (posterior {_share(advice.posterior[sha])})"]
        commit = git.note(found.toplevel, sha)
        head += [f"  {commit.subject}", f"  {commit.author}, {commit.authored}"]
    else:
        head = [f"the first bad commit is one of {len(advice.suspects)}, which the evidence does not tell apart:"]
        head += [_suspect(found, sha) for sha in advice.suspects[:SUSPECTS_SHOWN]]
        if len(advice.suspects) > SUSPECTS_SHOWN:
            head.append(f"  and {len(advice.suspects) - SUSPECTS_SHOWN} more")
    return [*head, *_change(advice), *_rest(found), *_next(found)]


def _same(found: Found) -> list[str]:
    seen, metric = found.advice.contrast, found.state.asked.metric
    if seen is None or seen.drop is None:
        return ["GOOD and BAD share no case that both scored: there is nothing to compare"]
    decision = seen.decision
    head = f"GOOD and BAD do not differ in {decision.name}: {_means(seen)}"
    if seen.better:
        return [f"BAD is better than GOOD in {decision.name}: {_means(seen)}; name them the other way round"]
    if found.needed is None:
        told = "no drop beyond its tolerance is to be seen"
    else:
        told = f"to tell such a drop from chance about {found.needed} repeats of each would be needed (--most)"
    other = "" if metric else "; name another metric with --metric"
    return [f"{head}; {told}{other}"]


def _suspect(found: Found, sha: str) -> str:
    skipped = found.state.skipped.get(sha)
    why = f" (skipped: {skipped})" if skipped else ""
    subject = git.note(found.toplevel, sha).subject
    return f"  {sha[:8]} {_share(found.advice.posterior[sha])} {subject}{why}"


def _change(advice: Advice) -> list[str]:
    seen = advice.contrast
    if seen is None:
        return []
    moved = seen.decision.worst[:MOVED]
    return [
        f"  {seen.decision.name}: {_means(seen)} ({advice.good[:8]} -> {advice.bad[:8]})",
        *(f"    {_number(case.baseline)} -> {_number(case.current)}  {case.case}" for case in moved),
    ]


def _rest(found: Found) -> list[str]:
    runs, commits = sum(found.state.runs.values()), len(found.state.runs)
    told = [
        f"  {runs} run{'s' * (runs != 1)} of {commits} commit{'s' * (commits != 1)}, {found.recorded} known before"
    ]
    told += [f"  {_short(note)}" for note in found.advice.notes]
    if found.also:
        told.append(f"  also worse in BAD than in GOOD: {', '.join(found.also)} (--metric)")
    return told


def _next(found: Found) -> list[str]:
    advice = found.advice
    if not found.named:
        return ["  next: let a skipped commit run, or give more repeats with --most"]
    [sha] = advice.suspects
    told = [f"  next: git show {sha[:8]}"]
    ends = inside_merge(found.toplevel, git.note(found.toplevel, sha))
    if ends is not None:
        arguments = found.state.asked.arguments
        rest = f" -- {shlex.join(arguments)}" if arguments else ""
        told.append(f"  it is a merge; within what it brought in: genaiver bisect {ends[0][:8]} {ends[1][:8]}{rest}")
    return told


def to_json(found: Found) -> dict[str, Any]:
    """The answer as plain JSON values."""
    advice, seen = found.advice, found.advice.contrast
    return {
        "outcome": advice.outcome,
        "first_bad": _commit_json(found, advice.suspects[0]) if found.named else None,
        "suspects": [
            {**_commit_json(found, sha), "posterior": advice.posterior[sha], "skipped": found.state.skipped.get(sha)}
            for sha in advice.suspects
        ],
        "good": advice.good,
        "bad": advice.bad,
        "metric": None if seen is None else seen.decision.name,
        "before": None if seen is None else seen.decision.baseline,
        "after": None if seen is None else seen.decision.current,
        "drop": None if seen is None else seen.drop,
        "moved": [] if seen is None else [_moved_json(seen, i) for i in range(len(seen.decision.worst))],
        "standings": dict(advice.standings),
        "notes": list(advice.notes),
        "also": list(found.also),
        "runs": dict(found.state.runs),
        "recorded": found.recorded,
        "skipped": dict(found.state.skipped),
    }


def _commit_json(found: Found, sha: str) -> dict[str, Any]:
    commit = git.note(found.toplevel, sha)
    return {
        "commit": sha,
        "subject": commit.subject,
        "author": commit.author,
        "authored": commit.authored,
        "merge": len(commit.parents) > 1,
    }


def _moved_json(seen: Contrast, place: int) -> dict[str, Any]:
    case = seen.decision.worst[place]
    return {"case": case.case, "before": case.baseline, "after": case.current}


def _means(seen: Contrast) -> str:
    return f"{_number(seen.decision.baseline)} -> {_number(seen.decision.current)}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}" if abs(value) >= 10 else f"{value:.2f}"


def _share(posterior: float) -> str:
    """Never 1.00: certainty is not to be had."""
    return f"{math.floor(posterior * 100) / 100:.2f}" if posterior >= 0.01 else "under 0.01"


def _short(note: str) -> str:
    """The note with the commits in it cut to eight digits."""
    return SHA.sub(lambda found: found[0][:8], note)
