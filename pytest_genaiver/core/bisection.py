"""Which commit broke it: a search over commits whose every look is noisy.

A probabilistic bisection (Horstein 1963; Burnashev and Zigangirov 1974; Waeber, Frazier and Henderson 2013): a
posterior over "commit k is the first bad one", uniform at the start, is multiplied by the likelihood of what was
measured; the next look goes to the commit that splits it most evenly. A commit that looks good and bad at once stays
the one that splits it, and so is measured again. The likelihood is normal in the gate's own statistic: a commit's
position between the ends, `t = (drop from GOOD + drop from BAD) / 2`, is expected at -D/2 for a good commit and at
D/2 for a bad one, D the drop from GOOD to BAD; with V, the mean of both drops' squared standard errors, in which the
noise of GOOD and BAD counts too, the log likelihood ratio is `t D / V`. No commit is believed more than 1,000 : 1.

The posterior directs; the gate decides. A commit is `good` when the gate finds it better than BAD and not worse than
GOOD, `bad` the other way round. The first bad commit is named only when it and its predecessor are separated so, and
the posterior agrees. All of these tests share alpha. Everything is a function of the evidence: a search that was
interrupted goes on where it was when it is asked again with the same values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from pytest_genaiver.core.contrast import Contrast, Evidence, contrast, repeats_to_tell

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_genaiver.core.policy import MetricPolicy

Standing = Literal["good", "bad", "between", "unclear"]
Outcome = Literal["going", "found", "range", "same"]

MOST_BELIEVED = math.log(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a search is held to: the metric, the chance of a wrong answer, the values a case that it may ask for.

    `ends` are the values a case that GOOD and BAD should have: every look is held against them.
    """

    policy: MetricPolicy
    alpha: float = 0.05
    most: int = 20
    ends: int = 5

    @property
    def confidence(self) -> float:
        return 1 - self.alpha

    def level(self, commits: int) -> float:
        """Each test's share of alpha: one for each step of a bisection, one for GOOD against BAD."""
        return self.alpha / (1 + steps(commits))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Run this commit, every case so many times."""

    commit: str
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Where the search stands.

    `going`: `ask` says what to run. `found`: `suspects` is the first bad commit alone. `range`: what is left cannot
    be told apart. `same`: GOOD and BAD do not differ. `posterior` maps each suspect to its probability. `good` and
    `bad` are the ends of the search now: where a commit was found between both levels, or good after a bad one, they
    are not the first ones, and `notes` say so. `before` and `after`: the metric at the ends.
    """

    outcome: Outcome
    good: str
    bad: str
    contrast: Contrast | None
    ask: Ask | None = None
    suspects: tuple[str, ...] = ()
    posterior: dict[str, float] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def steps(commits: int) -> int:
    """Looks of a bisection without noise over so many candidates."""
    return math.ceil(math.log2(commits)) if commits > 1 else 0


class Search:
    """A search over `commits`, oldest first: GOOD, the commits between, BAD.

    `advise` may be asked any number of times with evidence that grows; tests whose evidence did not are not repeated.
    """

    def __init__(self, commits: Sequence[str], terms: Terms) -> None:
        if len(commits) < 2:
            raise ValueError("a search needs GOOD and BAD")
        self.commits = tuple(commits)
        self.terms = terms
        self.level = terms.level(len(commits) - 1)
        self._tested = lru_cache(maxsize=4 * len(commits))(self._test)
        self._evidence: dict[str, Evidence] = {}

    def advise(self, evidence: Mapping[str, Evidence], skipped: Collection[str] = ()) -> Advice:
        """What the evidence (commit -> what is known of it) says; `skipped` are commits that cannot be run."""
        self._evidence = {c: evidence[c] for c in self.commits if c in evidence and evidence[c].repeats}
        good, bad = self.commits[0], self.commits[-1]
        if ask := self._wanted_of_ends(good, bad):
            return Advice(outcome="going", good=good, bad=bad, contrast=self._ends(good, bad), ask=ask)
        if not self.of(good, bad).worse:
            return Advice(outcome="same", good=good, bad=bad, contrast=self._ends(good, bad))
        return self._narrowed(good, bad, ()).advice(skipped)

    def _wanted_of_ends(self, good: str, bad: str) -> Ask | None:
        """GOOD and BAD first get the values that they should have, then what it takes to tell them apart.

        Their noise is in every look: where a commit would need more values than they have, they are measured better.
        """
        have = {c: self.repeats(c) for c in (bad, good)}
        least = min(have, key=lambda c: have[c])
        if have[least] < self.terms.ends:
            return Ask(commit=least, repeats=self.terms.ends - have[least])
        blurred = not self.of(good, bad).worse or self.repeats_to_tell(good, bad) > self.terms.ends
        if blurred and have[least] < self.terms.most:
            return Ask(commit=least, repeats=min(self.terms.ends, self.terms.most - have[least]))
        return None

    def _narrowed(self, good: str, bad: str, notes: tuple[str, ...]) -> _Window:
        """The ends between which the metric moved once, as far as is known.

        A commit that took a part of the drop is of as much interest as the one that took the rest: the search goes on
        to the first. A commit that is good after a bad one was mended: what broke it last is later. Either is
        surprising enough to be measured as well as GOOD and BAD are before it is believed.
        """
        found = self.standings(good, bad)
        between = next((c for c, standing in found.items() if standing == "between"), None)
        broken = list(found.values()).index("bad") if "bad" in found.values() else len(found)
        mended = [c for c, standing in list(found.items())[broken:] if standing == "good"]
        if between is not None:
            if (have := self.repeats(between)) < self.terms.ends:
                return _Window(self, good, bad, notes, Ask(commit=between, repeats=self.terms.ends - have))
            note = f"{between} is worse than {good} and better than {bad}: more than one commit broke it"
            return self._narrowed(good, between, (*notes, note))
        if mended:
            doubtful = [c for c in (list(found)[broken], mended[-1]) if self.repeats(c) < self.terms.ends]
            if doubtful:
                ask = Ask(commit=doubtful[0], repeats=self.terms.ends - self.repeats(doubtful[0]))
                return _Window(self, good, bad, notes, ask)
            note = f"{mended[-1]} is good after a bad commit: it was broken, mended and broken again"
            return self._narrowed(mended[-1], bad, (*notes, note))
        return _Window(self, good, bad, notes)

    def standings(self, good: str, bad: str) -> dict[str, Standing]:
        """Of the commits between of which something is known, oldest first."""
        return {c: self.standing(c, good, bad) for c in self.between(good, bad) if c in self._evidence}

    def between(self, good: str, bad: str) -> tuple[str, ...]:
        return self.commits[self.commits.index(good) + 1 : self.commits.index(bad)]

    def standing(self, commit: str, good: str, bad: str) -> Standing:
        worse, better = self.of(good, commit).worse, self.of(bad, commit).better
        if worse and better:
            return "between"
        return "bad" if worse else "good" if better else "unclear"

    def log_ratio(self, commit: str, good: str, bad: str) -> float:
        """Log likelihood ratio of "bad" to "good" for a commit of which something is known."""
        ends, from_good, from_bad = self.of(good, bad), self.of(good, commit), self.of(bad, commit)
        if from_good.drop is None or from_bad.drop is None or ends.drop is None:
            return 0.0
        lean = (from_good.drop + from_bad.drop) / 2 * ends.drop
        noise = (from_good.se**2 + from_bad.se**2) / 2
        ratio = lean / noise if noise > 0 else math.copysign(math.inf, lean) if lean else 0.0
        return max(-MOST_BELIEVED, min(MOST_BELIEVED, ratio))

    def repeats_for(self, commit: str, good: str, bad: str) -> int:
        """Repeats that one more run of a commit should have; 0 where it has as many as may be asked for.

        What was not enough is doubled: a session costs time beside its calls.
        """
        have, wanted = self.repeats(commit), self.repeats_to_tell(good, bad)
        return min(wanted - have if have < wanted else have, self.terms.most - have)

    def repeats_to_tell(self, good: str, bad: str) -> int:
        """Repeats of one commit that tell on which side of the drop it is, as a rule."""
        sides = self.repeats(good), self.repeats(bad)
        return repeats_to_tell(self.of(good, bad), *sides, self.level, self.terms.most)

    def repeats(self, commit: str) -> int:
        """Values a case that are known of a commit."""
        return self._evidence[commit].repeats if commit in self._evidence else 0

    def _ends(self, good: str, bad: str) -> Contrast | None:
        return self.of(good, bad) if {good, bad} <= self._evidence.keys() else None

    def of(self, before: str, after: str) -> Contrast:
        """One commit held against another, at each test's share of alpha."""
        return self._tested(before, self._evidence[before].size, after, self._evidence[after].size)

    def _test(self, before: str, _: int, after: str, __: int) -> Contrast:
        return contrast(self._evidence[before], self._evidence[after], self.terms.policy, self.level)


class _Window:
    """The commits after `good` up to `bad`, one of which is the first bad one."""

    def __init__(
        self, search: Search, good: str, bad: str, notes: tuple[str, ...], surprise: Ask | None = None
    ) -> None:
        self.search, self.good, self.bad, self.notes, self.surprise = search, good, bad, notes, surprise
        self.inner = search.between(good, bad)
        self.suspects = (*self.inner, bad)
        self.standings = search.standings(good, bad)
        self.posterior = _posterior(self.suspects, {c: search.log_ratio(c, good, bad) for c in self.standings})
        self.is_bad = dict(zip(self.suspects, accumulate(self.posterior.values()), strict=True))
        self.doubt = (1 - search.terms.confidence) / 2

    def advice(self, skipped: Collection[str]) -> Advice:
        if self.surprise and self.surprise.commit not in skipped:
            return self._told("going", self._left(), self.surprise)
        likeliest = max(self.suspects, key=lambda c: self.posterior[c])
        unclear = self._unclear(likeliest)
        sure = self.posterior[likeliest] >= self.search.terms.confidence
        if sure and not unclear:
            return self._told("found", (likeliest,))
        open_ones = [
            c for c in self.inner if c not in skipped and self.search.repeats_for(c, self.good, self.bad) > 0
        ]
        if sure:
            ask = next((c for c in unclear if c in open_ones), None)
        else:
            split = [c for c in open_ones if self.doubt < self.is_bad[c] < 1 - self.doubt]
            ask = min(split, key=lambda c: (abs(self.is_bad[c] - 0.5), self.search.repeats(c)), default=None)
        if ask is None:
            return self._told("range", self._left())
        repeats = self.search.repeats_for(ask, self.good, self.bad)
        return self._told("going", self._left(), Ask(commit=ask, repeats=repeats))

    def _unclear(self, first_bad: str) -> list[str]:
        """Of the first bad commit and its predecessor, those that the gate does not separate so."""
        place = self.suspects.index(first_bad)
        wanted: dict[str, Standing] = {} if first_bad == self.bad else {first_bad: "bad"}
        if place > 0:
            wanted[self.suspects[place - 1]] = "good"
        return [c for c, standing in wanted.items() if self.standings.get(c) != standing]

    def _left(self) -> tuple[str, ...]:
        """The suspects but for the first and the last that the confidence can spare."""
        before = [0.0, *self.is_bad.values()]
        earlier = zip(self.suspects, before, strict=False)
        return tuple(c for c, low in earlier if self.is_bad[c] > self.doubt and low < 1 - self.doubt)

    def _told(self, outcome: Outcome, suspects: tuple[str, ...], ask: Ask | None = None) -> Advice:
        return Advice(
            outcome=outcome,
            good=self.good,
            bad=self.bad,
            contrast=self.search.of(self.good, self.bad),
            ask=ask,
            suspects=suspects,
            posterior={c: self.posterior[c] for c in suspects},
            standings=self.standings,
            notes=self.notes,
        )


def _posterior(suspects: Sequence[str], ratios: Mapping[str, float]) -> dict[str, float]:
    """P(k is the first bad one), uniform before: the commits before k count as good, k and those after it as bad."""
    total = math.fsum(ratios.values())
    before = accumulate((ratios.get(c, 0.0) for c in suspects[:-1]), initial=0.0)
    logs = [total - passed for passed in before]
    weights = [math.exp(value - max(logs)) for value in logs]
    return {c: weight / math.fsum(weights) for c, weight in zip(suspects, weights, strict=True)}
