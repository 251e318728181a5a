"""Every report against every hostile text: it is shown as text, and does nothing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.pooling import BaselineFacts, pool
from pytest_genaiver.report import html, json_report, markdown, page
from pytest_genaiver.report.cases import Recorded, cases_of
from pytest_genaiver.report.parts import Fact, Link, Past, Row, Versus
from pytest_genaiver.report.terminal import lines

VOID = {"meta", "link", "input", "br", "img", "path"}


class Tags(HTMLParser):
    """What an HTML parser sees."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append((self.open[-1] if self.open else "", data))


@pytest.fixture
def made(build, evil):
    """A report in which everything that comes from elsewhere is this text."""
    name = f"t.py::test[{evil}]"
    old = build.session([build.case(name, **{evil: [1.0], "passed": [1.0]})], name=evil)
    now = build.session(
        [replace(c, location=evil, notes=[evil], traces=[evil]) for c in old.cases.values()], name=evil
    )
    now.cases[name].scores = {evil: [0.0], "passed": [1.0]}
    comparison = compare(pool([old]), now)
    bad = build.metric(evil, verdict="regressed", drop=0.4, reason=evil, worst=(build.finding(name, evil),))
    decision = build.decision("regressed", bad, reason=evil)
    left = {
        name: {"0": {"inputs": {evil: evil}, "output": evil, "logged": {evil: [evil]}, "rationales": {evil: evil}}}
    }
    was = {name: {"0": {"output": f"was {evil}"}}}
    row = Row(
        metric=evil,
        baseline="1",
        current="0",
        change="-1",
        hides="-",
        verdict="v",
        tone="bad",
        gated=True,
        reason=evil,
    )
    facts = BaselineFacts(why=evil, name=evil, commit=None)
    summary = replace(
        build.summary(decision, now, old, warnings=(evil,), baseline=facts),
        links=(Link(label=evil, target=evil), Link(label="page", target=f"http://host/{evil}")),
        since=(Fact(text=evil, names=(evil,)),),
        versus=(Versus(version=evil, reference=evil, rows=(row,)),),
        next_step=evil,
    )
    cases = cases_of(comparison, decision, left, Recorded(details=was, traces={name: [evil]}))
    return summary, comparison, decision, cases


def is_plain(text):
    """Nothing in it moves, hides or turns anything."""
    return all(char.isprintable() or char in "\n\t" for char in text)


def test_the_terminal(made):
    for width, verbosity in [(80, 0), (80, 2), (40, 1), (80, -1)]:
        for ascii in (False, True):
            texts = [text for text, _ in lines(made[0], width=width, verbosity=verbosity, ascii=ascii)]
            assert all(text.isprintable() for text in texts)
            assert not [text for text in texts if re.match(r"\s*::", text) or re.search(r"##\w*\[", text)]
            assert not ascii or "".join(texts).isascii()


def test_markdown(made, evil):
    summary, _, _, cases = made
    for outputs in ((), cases):
        text = markdown.document(summary, app=evil, outputs=outputs)
        assert is_plain(text)
        assert len(text.encode()) <= markdown.MOST
        assert text.count("<!--") == 1
        seen = Tags(text)
        assert set(seen.tags) <= {"code", "details", "summary", "sub", "pre", "p", "br", "a"}
        assert {(t, n) for t, n, _ in seen.attributes} <= {("details", "open"), ("a", "href")}
        assert not [v for t, _, v in seen.attributes if t == "a" and not v.startswith("http://host/")]
        ours = re.sub(r"&#\d+;|<[^<>]*>", "", text)
        assert set(re.findall(r"[`@\[\]!{}$~^=\\]", ours)) == set()
        assert not re.search(r"\w://", ours)


def test_html(made, evil):
    summary, _, decision, cases = made
    history = (Past(version=evil, metrics={evil: 1.0}), Past(version="now", metrics={evil: 0.0}))
    extra = html.Extra(cases=cases, history=history, keys={}, traces_page="http://host/#/traces/", app=evil)
    text = html.document(summary, decision, extra)
    text.encode("utf-8")
    assert is_plain(text)
    seen = Tags(text)
    assert seen.open == []
    assert seen.tags.count("script") == 2
    assert seen.tags.count("style") == 1
    assert not {"img", "iframe", "object", "base", "form", "a href"} & set(seen.tags)
    assert not [n for _, n, _ in seen.attributes if n.startswith("on") or n in {"style", "src", "srcset"}]
    hrefs = [v for _, n, v in seen.attributes if n == "href"]
    assert all(v.startswith(("#", "data:,", "http://host/")) for v in hrefs)
    shown = page.visible(evil)
    data = json.loads(next(text for tag, text in seen.text if tag == "script"))
    (case,) = data["cases"]
    assert shown[:50] in "".join(piece for kind, piece in case[6] if kind != 1)
    assert shown[:50] in "".join(text for tag, text in seen.text if tag in {"pre", "ins", "del"})


def test_json(made):
    _, comparison, decision, _ = made
    written = json.dumps(json_report.payload(comparison, decision, baseline=BaselineFacts(why="w")), indent=1)
    assert written.isascii()
    assert all(line.isprintable() for line in written.split("\n"))
    assert json.loads(written)["decision"]["verdict"] == "regressed"
