from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.report import html
from pytest_genaiver.report.cases import Recorded, cases_of
from pytest_genaiver.report.parts import Fact, Past, Row, Versus


@pytest.fixture
def page_of(build):
    """A page of so many cases whose outputs have so many characters, and what differs from a plain one."""

    def made(count=3, size=40, **more):
        names = [f"tests/test_a.py::test_topic[question-{i}]" for i in range(count)]
        old = build.session([build.case(n, ok=[1.0], passed=[1.0]) for n in names], name="app-1")
        now = build.session([build.case(n, ok=[0.0], passed=[1.0], cost=[0.1]) for n in names])
        comparison = compare(pool([old]), now)
        bad = build.metric(
            "ok", verdict="regressed", drop=0.4, upper=0.5, worst=tuple(build.finding(n, "ok") for n in names)
        )
        found = build.decision("regressed", bad, build.metric("cost", "cost", drop=0.01, gate="warn"))
        text = ("one of many words " * (size // 18 + 1))[:size]
        left = {n: {"0": {"inputs": {"q": f"why {i}?"}, "output": f"{text} {i}"}} for i, n in enumerate(names)}
        was = {n: {"0": {"output": f"{text} was {i}"}} for i, n in enumerate(names)}
        cases = cases_of(comparison, found, left, Recorded(details=was, traces={}))
        summary = replace(build.summary(found, now, old), **more.pop("summary", {}))
        decision = more.pop("decision", found)
        extra = {"history": (), "keys": {}, "traces_page": "", "app": "support", **more}
        return html.document(summary, decision, html.Extra(cases=cases, **extra))

    return made


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(page_of):
    text = page_of()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    hashes = [
        base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        for code in (
            re.search(r"<style>(.*?)</style>", text, re.S)[1],
            re.search(r"<script>(.*?)</script>", text, re.S)[1],
        )
    ]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "http://" not in re.sub(r"http://127\.0\.0\.1[^\"<]*", "", text)


def test_what_matters_is_there_without_a_script(page_of):
    text = re.sub(r"<script.*?</script>", "", page_of(), flags=re.S)
    for shown in ('<span class="word">regressed</span>', "ok (1 of 1 gated metric)", "support-3f2a91c0", "why 0?"):
        assert shown in text
    assert "<del>was </del>" in text


def test_metrics_have_an_interval_and_a_history_where_there_is_one(page_of):
    history = (
        Past(version="a", metrics={"o_k": 0.9}),
        Past(version="b", metrics={}),
        Past(version="c", metrics={"o_k": 0.5}),
    )
    text = page_of(history=history, keys={"ok": "o_k"})
    assert text.count('<svg class="plot"') == 3
    assert "over 2 versions, from 0.9 in a to 0.5" in text
    assert "could hide a drop of 0.50; worse is to the left, the band is the tolerance of 0.02" in text
    assert "as a logarithm of the ratio" in text


def test_without_matplotlib_and_without_a_gate_there_are_no_plots(page_of, monkeypatch):
    assert "<svg" not in page_of(decision=None)
    monkeypatch.setattr(html.plots, "available", lambda: False)
    assert "<svg" not in page_of()


def test_more_moved_cases_than_are_shown_are_counted(page_of):
    assert "and 8 more, in the list of all cases" in page_of(20)


def test_a_thousand_cases_stay_below_three_megabytes(page_of):
    assert len(page_of(1_000, 3_000).encode()) < 3_000_000


def test_where_names_alone_are_long_texts_are_cut_further(page_of, monkeypatch):
    whole = page_of(60, 2_000)
    monkeypatch.setattr(html, "_MOST_BYTES", 150_000)
    assert 50_000 < len(page_of(60, 2_000).encode()) < 150_000 < len(whole.encode())
    monkeypatch.setattr(html, "_MOST_BYTES", 1)
    assert "more characters" in page_of(3, 2_000)


def test_everything_of_a_summary_is_shown(page_of):
    row = Row(
        metric="m2",
        baseline="1",
        current="2",
        change="+1",
        hides="-",
        verdict="pass",
        tone="plain",
        gated=True,
        reason="",
    )
    names = tuple(f"name-{i}" for i in range(250))
    summary = {
        "since": (Fact(text="2 commits", names=("3f2a91c0 Prompt",)), Fact(text="many", names=names)),
        "sure": ("As sure as that.",),
        "next_step": "do this",
        "warnings": ("mind the gap",),
        "versus": (Versus(version="v2", reference="v1", rows=(row,)), Versus(version="v3", reference="", rows=())),
    }
    text = page_of(summary=summary)
    for shown in (
        "3f2a91c0 Prompt",
        "As sure as that.",
        "Next: do this",
        "mind the gap",
        "m2",
        "show 250",
        "and 50 more",
    ):
        assert shown in text


def test_the_same_session_gives_the_same_page(page_of):
    assert page_of() == page_of()
