from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_genaiver.report.cases import Case, Repeat
from pytest_genaiver.report.markdown import MOST, block, code, document, marker, sentence
from pytest_genaiver.report.parts import Fact, Row, WorstCase

REGRESSED = """\
<!-- pytest-genaiver:support -->
### \N{CROSS MARK} regressed&#58; on&#95;topic &#40;1 of 2 gated metrics&#41;

version <code>support&#45;3f2a91c0</code> beside baseline \
<code>support&#45;1a2b3c4d&#44; 2 commits back&#44; 3 hours old</code>
<br><sub>merge base with origin&#47;main&#59; 5 sessions&#44; with 100&#37; of the cases</sub>

| metric | baseline | current | change | could hide | verdict |
|:--|--:|--:|--:|--:|:--|
| <code>passed</code> | 1&#46;00 | 1&#46;00 | 0&#46;00 | none | pass |
| <code>on&#95;topic</code> | 0&#46;96 | 0&#46;55 | &#45;0&#46;41 | 0&#46;49 | \N{CROSS MARK} regressed |
"""


def names(count, length=20):
    return tuple(f"t.py::test[{index:{length}}]" for index in range(count))


def row(index):
    return Row(
        metric=f"metric_{index}_" * 9, baseline="0.96", current="0.55", change="-0.41", hides="0.49",
        verdict="regressed", tone="bad", gated=True, reason="reason " * 60,
    )  # fmt: skip


def worst(case):
    return WorstCase(
        case=case, metric="ok", baseline="1.00", current="0.00", n_baseline=5, n_current=1, mark="broken",
        location=None, traces=(), notes=(),
    )  # fmt: skip


def case(name, output):
    repeat = Repeat(number=0, output=output, notes=(("why", "<b>because</b>"),))
    return Case(
        id=name, verdict="worse", location=None, values=(), inputs="how?", expectations=None,
        before=(replace(repeat, output="was"),), now=(repeat,), traces=(), baseline_traces=(), notes=(),
    )  # fmt: skip


def test_a_regression_reads_like_this(regressed):
    text = document(regressed, app="support")
    assert text.startswith(REGRESSED)
    for start in ("<details open>\n<summary>12 cases that got worst", "- \N{WARNING SIGN} shallow clone"):
        assert f"\n{start}" in text
    assert '<a href="http&#58;&#47;&#47;127&#46;0' in text
    assert text.count("<details") == text.count("</details>")
    assert "<pre>" not in text


def test_a_first_session_says_what_to_do_next(first):
    text = document(first, app="support")
    assert "### \N{WHITE HEAVY CHECK MARK} pass&#58; first session" in text
    assert "\nnext: this session is recorded" in text


def test_the_marker_is_the_same_for_every_session_of_an_app():
    assert marker("support agent-->x") == "<!-- pytest-genaiver:support-agent-x -->"


@pytest.mark.parametrize(
    ("rows", "cases", "length"), [(3, 5_000, 20), (600, 600, 300), (5, 300, 3_000), (2_000, 0, 9)]
)
def test_it_fits_a_comment_and_says_what_was_cut(first, rows, cases, length):
    many = names(cases, length)
    summary = replace(
        first,
        rows=tuple(map(row, range(rows))),
        worst=tuple(map(worst, many)),
        facts=(Fact(text="new cases", names=many),),
        warnings=tuple(many),
        headline="regressed: " + "very " * 10_000,
    )
    text = document(summary, app="support")
    assert 10_000 < len(text.encode()) <= MOST
    assert text.count("more cases") == (cases > 100)
    assert text.count("more metrics") == (rows > 100)


def test_what_cannot_fit_at_all_is_left_out(first):
    many = tuple(Fact(text="x" * 600) for _ in range(5_000))
    assert document(replace(first, facts=many), app="a") == "<!-- pytest-genaiver:a -->\n"


def test_inputs_and_outputs_are_shown_of_the_cases_that_are_given(first):
    summary = replace(first, worst=(worst("t[a]"), worst("t[b]")))
    text = document(summary, app="a", outputs=[case("t[a]", "two\n\n</pre>lines"), case("t[c]", "other")])
    assert "<p>inputs</p><pre>how&#63;</pre>" in text
    assert "<p>baseline</p><pre>was</pre>" in text
    assert "<p>current</p><pre>two&#10;&#10;&#60;&#47;pre&#62;lines</pre>" in text
    assert "<p>current: <code>why</code></p><pre>&#60;b&#62;because&#60;&#47;b&#62;</pre>" in text
    assert "other" not in text


def test_a_case_without_outputs_shows_none(first):
    bare = replace(case("t[a]", None), inputs=None, before=(), now=())
    assert "<pre>" not in document(replace(first, worst=(worst("t[a]"),)), app="a", outputs=[bare])


def test_what_changed_since_the_baseline_is_folded(first):
    text = document(replace(first, since=(Fact(text="2 commits", names=("3f2a91c0 Prompt",)),)), app="a")
    assert (
        "<details><summary>What changed since the baseline</summary>\n\n- 2 commits\n"
        "  - <code>3f2a91c0 Prompt</code>\n\n</details>" in text
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@ada fixed #7", "&#64;&#8203;ada fixed &#35;&#8203;7"),
        ("a_b *c* `d` |", "a&#95;b &#42;c&#42; &#96;d&#96; &#124;"),
        ("caf\xe9 \u4e2d", "caf\xe9 \u4e2d"),
        ("\x1b[0m", "&#92;x1b&#91;0m"),
    ],
)
def test_a_sentence_is_text_and_nothing_else(text, shown):
    assert sentence(text) == shown


def test_names_and_blocks():
    assert code("a`b") == "<code>a&#96;b</code>"
    assert code("x" * 500).count("x") == 159
    assert block("a\n  b\t|") == "<pre>a&#10;  b\t&#124;</pre>"
    assert "more characters" in block("y" * 5_000)
