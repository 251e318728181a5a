from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_genaiver.report.parts import Counts, Fact, Row, WorstCase
from pytest_genaiver.report.terminal import lines, printable
from pytest_genaiver.report.text import columns, inert


def drawn(summary, width=80, verbosity=0, **more):
    return "\n".join(text for text, _ in lines(summary, width=width, verbosity=verbosity, **more))


REGRESSED_80 = """\
regressed: on_topic (1 of 2 gated metrics)
version support-3f2a91c0
baseline support-1a2b3c4d, 2 commits back, 3 hours old
  merge base with origin/main; 5 sessions, with 100% of the cases

metric        baseline  current  change  could hide  verdict
passed            1.00     1.00    0.00        none  pass
on_topic          0.96     0.55   -0.41        0.49  regressed
latency         812 ms   1.24 s  +52.2%       64.9%  regressed (warn)
cost           $0.0021  $0.0021   -1.9%        3.0%  pass
total_tokens         -      312       -           -  not gated
  on_topic: 0.96 -> 0.55, far beyond chance (p below 0.0001 at level 0.04)
  latency: 0.81 -> 1.24, beyond chance (p 0.01 at level 0.04)

cases that got worst
…::test_topic[question-03]  on_topic  1.00 -> 0.00  n 5 -> 1  broken
…::test_topic[question-00]  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-01]  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-02]  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-04]  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-05]  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-06]  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-07]  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-08]  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-09]  on_topic  1.00 -> 0.00  n 5 -> 1
and 2 more (-v shows them)

13 cases evaluated, 12 compared, 1 repeat each
1 case recorded nothing (no trace, no score, no output):
  tests/test_support.py::test_empty
1 new case:
  tests/test_support.py::test_new
1 removed case:
  tests/test_old.py::test_gone
3 calls failed at the provider: missing values, not bad ones
40 traces produced, 38 stored, 2 missing:
  tests/test_support.py::test_topic[question-00]
  tests/test_support.py::test_topic[question-01]

warning: shallow clone: run `git fetch --unshallow`
warning: latency is worse, which only warns: 812 ms -> 1.24 s (+52.2%)

next: the baseline's values are few: `pytest --genai-version --genai-baseline
run:1a2b3c4d` runs its app beside this one
version: http://127.0.0.1:5000/#/experiments/1/models/m-0123456789abcdef0123456789abcdef
browse: mlflow ui --backend-store-uri sqlite:////home/me/support/mlflow.db"""

REGRESSED_40 = """\
regressed: on_topic (1 of 2 gated
metrics)
version support-3f2a91c0
baseline support-1a2b3c4d, 2 commits back, 3 hours old
  merge base with origin/main; 5
  sessions, with 100% of the cases

passed: pass
  1.00 -> 1.00 (0.00), could hide none
on_topic: regressed
  0.96 -> 0.55 (-0.41), could hide 0.49
latency: regressed (warn)
  812 ms -> 1.24 s (+52.2%), could hide
  64.9%
cost: pass
  $0.0021 -> $0.0021 (-1.9%), could hide
  3.0%
total_tokens: not gated
  312
  on_topic: 0.96 -> 0.55, far beyond
  chance (p below 0.0001 at level 0.04)
  latency: 0.81 -> 1.24, beyond chance
  (p 0.01 at level 0.04)

cases that got worst
…::test_topic[question-03]
  on_topic  1.00 -> 0.00  n 5 -> 1
  broken
…::test_topic[question-00]
  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-01]
  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-02]
  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-04]
  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-05]
  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-06]
  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-07]
  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-08]
  on_topic  1.00 -> 0.00  n 5 -> 1
…::test_topic[question-09]
  on_topic  1.00 -> 0.00  n 5 -> 1
and 2 more (-v shows them)

13 cases evaluated, 12 compared, 1
repeat each
1 case recorded nothing (no trace, no
score, no output):
  tests/test_support.py::test_empty
1 new case:
  tests/test_support.py::test_new
1 removed case:
  tests/test_old.py::test_gone
3 calls failed at the provider: missing
values, not bad ones
40 traces produced, 38 stored, 2
missing:
  …::test_topic[question-00]
  …::test_topic[question-01]

warning: shallow clone: run `git fetch --unshallow`
warning: latency is worse, which only warns: 812 ms -> 1.24 s (+52.2%)

next: the baseline's values are few:
`pytest --genai-version --genai-baseline
run:1a2b3c4d` runs its app beside this
one
version: http://127.0.0.1:5000/#/experiments/1/models/m-0123456789abcdef0123456789abcdef
browse: mlflow ui --backend-store-uri sqlite:////home/me/support/mlflow.db"""

REGRESSED_QUIET = """\
regressed: on_topic (1 of 2 gated metrics)
version support-3f2a91c0
baseline support-1a2b3c4d, 2 commits back, 3 hours old
on_topic: regressed, 0.96 -> 0.55 (-0.41), could hide 0.49
1 case recorded nothing (no trace, no score, no output)
3 calls failed at the provider: missing values, not bad ones
40 traces produced, 38 stored, 2 missing
warning: shallow clone: run `git fetch --unshallow`
warning: latency is worse, which only warns: 812 ms -> 1.24 s (+52.2%)"""

FIRST_80 = """\
pass: first session, there is no baseline to compare with
version support-3f2a91c0
baseline none: no ancestor of this commit was recorded

metric  baseline  current  change  could hide  verdict
passed         -     1.00       -           -  new

2 cases evaluated, 1 repeat each
40 traces produced, 40 stored

next: this session is recorded: `pytest --genai-version` on a later commit
compares with it
browse: mlflow ui --backend-store-uri sqlite:////home/me/support/mlflow.db"""

FIRST_QUIET = """\
pass: first session, there is no baseline to compare with
version support-3f2a91c0
baseline none: no ancestor of this commit was recorded"""


@pytest.mark.parametrize(
    ("width", "verbosity", "expected"),
    [(80, 0, REGRESSED_80), (40, 0, REGRESSED_40), (80, -1, REGRESSED_QUIET)],
    ids=["80 columns", "40 columns", "quiet"],
)
def test_a_regression_reads_like_this(regressed, width, verbosity, expected):
    assert drawn(regressed, width, verbosity) == expected


@pytest.mark.parametrize(("verbosity", "expected"), [(0, FIRST_80), (-1, FIRST_QUIET)], ids=["default", "quiet"])
def test_a_first_session_says_so_and_what_to_do_next(first, verbosity, expected):
    assert drawn(first, 80, verbosity) == expected


def test_ascii_differs_only_in_the_mark_of_what_was_cut(regressed):
    text = drawn(regressed, ascii=True)
    assert text.isascii()
    assert text == REGRESSED_80.replace("\u2026", "...")


def test_verbose_shows_every_case_with_its_place_traces_and_notes(regressed):
    text = drawn(regressed, verbosity=1)
    assert (
        """\
\u2026::test_topic[question-11]  on_topic  1.00 -> 0.00  n 5 -> 1
    tests/test_support.py::test_topic[question-11]
    tests/test_support.py:12
    traces tr-on-11
    answered: we open at nine

"""
        in text
    )
    assert "more (-v" not in text
    assert "  passed: reason of passed\n" in text


def test_markup_follows_the_verdict(regressed, first):
    markup = dict(lines(regressed, width=80, verbosity=0))
    assert markup["regressed: on_topic (1 of 2 gated metrics)"] == {"red": True, "bold": True}
    assert markup["warning: shallow clone: run `git fetch --unshallow`"] == {"yellow": True}
    assert markup["version support-3f2a91c0"] == {}
    assert lines(first, width=80, verbosity=0)[0][1] == {"green": True, "bold": True}


def row(metric="m", **more):
    shown = {"baseline": "0.96", "current": "0.55", "change": "-0.41", "hides": "0.49", "verdict": "regressed"}
    return Row(**{"metric": metric, "tone": "bad", "gated": True, "reason": "", **shown, **more})


def worst(case="t.py::test[a]", metric="m", **more):
    more = {"mark": "", "location": None, "traces": (), "notes": (), **more}
    return WorstCase(case=case, metric=metric, baseline="1.00", current="0.00", n_baseline=5, n_current=1, **more)


LONG = "answer_relevance_" * 8
WIDE = "\u8a55\u4fa1\u6307\u6a19" * 12


@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("name", [LONG, WIDE, "short"], ids=["long", "wide", "short"])
@pytest.mark.parametrize("ascii", [False, True])
def test_tables_and_ids_of_any_length_fit_the_width(first, width, name, ascii):
    summary = replace(
        first,
        headline=f"regressed: {name}",
        rows=(row(name, reason=f"{name} fell far"), row("passed", verdict="inconclusive (warn)")),
        worst=(worst(f"tests/{name}.py::test_{name}[{name}]", name, mark="suspect"), worst()),
        facts=(Fact(text="1 new case", names=(f"t.py::test[{name}]",)),),
        links=(),
    )
    drawing = lines(summary, width=width, verbosity=0, ascii=ascii)
    # The baseline stays whole: it is there to be copied.
    assert [text for text, _ in drawing if columns(text) > width] == (
        ["baseline none: no ancestor of this commit was recorded"] if width == 40 else []
    )
    assert any("regressed" in text for text, _ in drawing[1:])


def test_a_table_is_aligned_below_its_headings(first):
    table = drawn(replace(first, rows=(row(WIDE), row("passed", baseline="1.00")), facts=(), links=()))
    heading, wide, passed = table.split("\n")[4:7]
    assert columns(wide.partition("0.96")[0]) == len(passed.partition("1.00")[0])
    assert heading.index("baseline") + len("baseline") == passed.index("1.00") + len("1.00")
    assert heading.index("verdict") == passed.index("regressed")


def test_hostile_names_and_outputs_cannot_act_on_the_terminal(first):
    evil = "\x1b[2J\nversion other-deadbeef\u202e\udcff"
    summary = replace(
        first,
        headline=evil,
        version=evil,
        baseline=evil,
        about_baseline=evil,
        rows=(row(evil, reason=evil),),
        worst=(worst(evil, evil, location=evil, traces=(evil,), notes=(evil,)),),
        facts=(Fact(text=evil, names=(evil,), tone="warn"),),
        warnings=(evil,),
        next_step=evil,
    )
    for width, verbosity in [(80, 1), (40, 1), (80, -1)]:
        texts = [text for text, _ in lines(summary, width=width, verbosity=verbosity)]
        assert all(text.isprintable() for text in texts)
        assert not any(text.startswith("version other") for text in texts)
        "".join(texts).encode("utf-8")


def test_quiet_names_only_gated_metrics_that_are_not_pass(first):
    rows = (
        row("worse"),
        row("doubtful", verdict="inconclusive", change="-", baseline="-", hides="-"),
        replace(row("fine", verdict="pass"), tone="plain"),
        replace(row("slow", verdict="regressed (warn)"), tone="warn", gated=False),
    )
    assert drawn(replace(first, rows=rows), verbosity=-1).split("\n")[3:] == [
        "worse: regressed, 0.96 -> 0.55 (-0.41), could hide 0.49",
        "doubtful: inconclusive, 0.55",
    ]


def test_long_lists_are_cut_and_say_so(first):
    names = tuple(f"t.py::test[{index}]" for index in range(300))
    summary = replace(
        first, facts=(Fact(text="300 new cases", names=names),), worst=tuple(worst(name) for name in names)
    )
    assert drawn(summary).count("and 295 more (-v shows them)") == 1
    assert drawn(summary).count("and 290 more (-v shows them)") == 1
    assert drawn(summary, verbosity=1).count("and 100 more (-vv shows them)\n") == 2
    assert "more" not in drawn(summary, verbosity=2)


def test_a_note_of_any_length_stays_short(first):
    summary = replace(first, worst=(worst(notes=("word " * 10_000,)),))
    assert len(drawn(summary, verbosity=1)) < 2000
    assert 4000 < len(drawn(summary, verbosity=2)) < 8000


def test_nothing_to_show_leaves_no_empty_blocks(first):
    empty = replace(first, rows=(), worst=(), facts=(), warnings=(), links=(), next_step="")
    assert drawn(empty) == FIRST_QUIET


def test_printable_is_offered_where_lines_are_drawn():
    assert printable("a\nb\xe9", ascii=True) == "a\\nb\\xe9"


WIDE_132 = """\
cases that got worst
tests/test_support.py::test_topic[question-03]  on_topic  1.00 -> 0.00  n 5 -> 1  broken
tests/test_support.py::test_topic[question-00]  on_topic  1.00 -> 0.00  n 5 -> 1
"""

INCONCLUSIVE_60 = """\
inconclusive: ok (1 of 1 gated metric)
version support-3f2a91c0
baseline support-1a2b3c4d, 2 commits back, 3 hours old
  merge base with origin/main; 5 sessions, with 100% of the
  cases

metric  baseline  current  change  could hide  verdict
ok          0.96     0.96    0.00        0.40  inconclusive
  ok: 3 cases cannot tell

changed since the baseline (-v shows all)
  2 commits  3f2a91c0 Prompt: shorter answers and 1 more
  models     gpt-4o -> gpt-4o-mini

These values cannot tell: neither that something got worse,
nor that nothing did.
A drop could still hide in ok up to 0.40.
More cases help too, and more repeats: now at most 5
(--genai-repeats).

3 cases evaluated, 3 compared, 1 repeat each
40 traces produced, 40 stored"""

VERBOSE_60 = """\
cases that got worst
t.py::test_ask[a]  ok  1.00 -> 0.00  n 5 -> 1  suspect
    t.py:7
    traces tr-0123456789abcdef0123456789abcdef,
    tr-fedcba9876543210fedcba9876543210
    repeat 1: off topic"""


def test_a_wide_terminal_shows_ids_whole(regressed):
    assert WIDE_132 in drawn(regressed, 132)


@pytest.fixture
def doubtful(build):
    """Too little data: a verdict that says how to get a better one."""
    cases = [build.case(f"t.py::test_ask[{name}]", ok=[0.0, 1.0]) for name in "abc"]
    now, old = build.session(cases), build.session(cases, name="support-1a2b3c4d")
    unsure = build.metric("ok", verdict="inconclusive", upper=0.4, reason="3 cases cannot tell")
    since = (
        Fact(text="2 commits", names=("3f2a91c0 Prompt: shorter answers", "9d1b7a22 Retriever: top 5")),
        Fact(text="models", names=("gpt-4o -> gpt-4o-mini",)),
    )
    made = build.summary(build.decision("inconclusive", unsure), now, old, counts=Counts(evaluated=3))
    return replace(made, since=since, sure=tuple(text for text in made.sure if not text.startswith("To be surer")))


def test_what_is_not_sure_says_what_would_help(doubtful):
    assert drawn(doubtful, 60) == INCONCLUSIVE_60


def test_quiet_is_short_whatever_there_is(doubtful):
    assert drawn(doubtful, 60, -1).split("\n")[3:] == ["ok: inconclusive, 0.96 -> 0.96 (0.00), could hide 0.40"]


def test_a_regression_says_how_sure_it_is_when_asked(regressed):
    told = "An unchanged version is found regressed in at most 5% of sessions"
    assert told not in drawn(regressed)
    assert told in drawn(regressed, verbosity=1)


def test_a_verbose_case_reads_like_this(first):
    traces = ("tr-0123456789abcdef0123456789abcdef", "tr-fedcba9876543210fedcba9876543210")
    case = worst(
        "t.py::test_ask[a]", "ok", mark="suspect", location="t.py:7", traces=traces, notes=("repeat 1: off topic",)
    )
    assert VERBOSE_60 in drawn(replace(first, worst=(case,)), 60, 1)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("  ::set-output name=a::b", r"  \x3a:set-output name=a::b"),
        ("a ##[error]x ##vso[task]y", r"a #\x23[error]x #\x23vso[task]y"),
        ("tests/a.py::test[x] ## 7", "tests/a.py::test[x] ## 7"),
    ],
)
def test_no_line_is_a_command_to_a_ci_service(line, shown):
    assert inert(line) == shown
