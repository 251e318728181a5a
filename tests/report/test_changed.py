"""What changed since the baseline, as the report draws it."""

from __future__ import annotations

from dataclasses import replace

from pytest_genaiver.core.since import Since
from pytest_genaiver.core.snapshot import Change
from pytest_genaiver.report.changed import changed
from pytest_genaiver.report.terminal import lines

SINCE = Since(
    changes=(
        Change(area="configuration", name="top_k", before="5", after="9"),
        Change(area="model", name="model", before="gpt-4o-mini", after="gpt-4o"),
        Change(area="model", name="gpt-4o temperature", before="0", after="0.7"),
        Change(area="prompt", name="support", before="3", after="4"),
        *(Change(area="dependency", name=f"package-{i}", before="1", after="2") for i in range(5)),
        Change(area="python", name="python", before="3.11", after="3.12"),
        Change(area="code", name="commit", before="a" * 40, after="b" * 40),
        Change(area="code", name="not committed", before=None, after="abc123"),
    ),
    commits=(("b" * 40, "Kinder \x1b[31mprompt\n"), ("c" * 40, "Mend")),
    count=2,
)


def drawn(build, since, *, width=80, verbosity=0):
    shown = build.summary(build.decision("pass", build.metric("ok")))
    text = [line for line, _ in lines(replace(shown, since=tuple(changed(since))), width=width, verbosity=verbosity)]
    if (start := next((i for i, line in enumerate(text) if line.startswith("changed since")), None)) is None:
        return None
    return text[start : text.index("", start)]


def test_each_area_has_a_line(build):
    assert drawn(build, SINCE) == [
        "changed since the baseline (-v shows all)",
        "  configuration  top_k 5 -> 9",
        "  models         gpt-4o-mini -> gpt-4o, gpt-4o temperature 0 -> 0.7",
        "  prompts        support 3 -> 4",
        "  dependencies   package-0 1 -> 2, package-1 1 -> 2, package-2 1 -> 2 and 2 more",
        "  Python         3.11 -> 3.12",
        r"  2 commits      bbbbbbbb Kinder \x1b[31mprompt\n, cccccccc Mend",
        "  code           not committed abc123 (new)",
    ]


def test_verbose_each_change_has_a_line(build):
    text = drawn(build, SINCE, verbosity=1)
    assert text[0] == "changed since the baseline"
    assert "  dependencies   package-4 1 -> 2" in text
    assert r"  2 commits      bbbbbbbb Kinder \x1b[31mprompt\n" in text
    assert len(text) == 1 + len(SINCE.changes) - 1 + len(SINCE.commits)


def test_lines_fit_a_narrow_terminal(build):
    text = drawn(build, SINCE, width=40)
    assert max(map(len, text)) <= 40
    assert text[0] == "changed since the baseline"
    assert text[4] == "  dependencies   packag… -> 2 and 4 more"


def test_quiet_says_nothing_of_it(build):
    shown = replace(build.summary(build.decision("pass", build.metric("ok"))), since=tuple(changed(SINCE)))
    assert not [line for line, _ in lines(shown, width=80, verbosity=-1) if "changed since" in line]


def test_without_a_change_nothing_is_shown(build):
    assert drawn(build, Since(changes=())) is None
    assert drawn(build, Since(changes=None)) is None


def test_commits_are_told_where_the_baseline_recorded_no_snapshot(build):
    since = Since(commits=(("b" * 40, "Kinder"),), count=1)
    assert drawn(build, since) == ["changed since the baseline", "  1 commit  bbbbbbbb Kinder"]


def test_more_commits_than_are_listed_are_counted(build):
    since = Since(commits=tuple(("b" * 40, f"Step {i}") for i in range(100)), count=1234)
    assert drawn(build, since)[1].startswith("  1,234 commits  bbbbbbbb Step 0, ")


def test_a_commit_that_is_not_here_is_told_as_a_change(build):
    change = Change(area="code", name="commit", before="a" * 40, after="b" * 40)
    assert drawn(build, Since(changes=(change,)))[1] == "  code  commit aaaaaaaa -> bbbbbbbb"
