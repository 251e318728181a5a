"""Texts that act on what shows them, if anything does: one list, used against every report."""

from __future__ import annotations

TEXTS = {
    "script": "<script>document.title = 'owned'; fetch('http://evil.example/1')</script>",
    "script end": "</script><script>window.owned = 1</script>",
    "comment": "<!--<script> --> <![CDATA[",
    "image": "<img src=x onerror=\"window.owned=1\"><img src='http://evil.example/2.png'>",
    "svg": "<svg/onload=window.owned=1>",
    "attribute": "\" onmouseover=window.owned=1 x='",
    "link": "[click](javascript:window.owned=1) ![x](http://evil.example/3.png) <http://evil.example>",
    "style": "</style><style>@import 'http://evil.example/4.css';</style>",
    "template": "{{ 7 * 7 }} {% raw %} ${window.owned=1} #{1}",
    "table": "a | b\n|--|--|\n| x | y |",
    "markdown": "# title\n- item\n> quote\n```\ncode\n```\n**bold** _em_ `code` ~~no~~ $x^2$",
    "details": "</details></summary></pre></code><details open>",
    "mention": "@everyone @octo/team #1 GH-2 octo/repo#3 0123456789abcdef0123456789abcdef01234567",
    "marker": "<!-- pytest-genaiver:app -->",
    "command": "::error file=a.py,line=1::owned",
    "command later": "ok\n::set-output name=x::y\n##[error]owned\n##vso[task.setvariable variable=x]y",
    "ansi": "\x1b[31mred\x1b[0m\x1b[2J\x9b1A",
    "osc": "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\x1b]0;title\x07",
    "bidi": "\u202eright\u2066 \u200fmark\u2069",
    "invisible": "zero\u200bwidth\u2060 \ufeff\U000e0041tag",
    "lines": "two\nlines\r\nand\u2028more\x85\x0b\x0c",
    "surrogate": "lone \udcff \ud800",
    "null": "nul \x00 \x08\x08\x7f",
    "entity": "&lt;b&gt; &#60; &amp;quot;",
    "emoji": "caf\xe9 \u4e2d\u6587 \U0001f600 e\u0301",
    "long": "x" * 5_000,
    "zalgo": "a" + "\u0301" * 300,
}
TEXTS["everything"] = "\n".join(TEXTS.values())
