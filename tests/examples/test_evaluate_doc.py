"""What docs/evaluate.md shows is true: its file and its test give the cases that it names."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_rows_are_the_cases_that_the_page_names(
    examples: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (examples.parent / "docs" / "evaluate.md").read_text(encoding="utf-8")
    section = page.partition("## Cases from data\n")[2].partition("\n## ")[0]
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\npythonpath = .\n")
    agent = "def support_agent(question): return 'billing' if 'money' in question else 'delivery'\n"
    for name, text in (("support.jsonl", blocks["json"]), ("test_support.py", blocks["python"])):
        (pytester.path / name).write_text(text, encoding="utf-8")
    pytester.makepyfile(support_agent=agent)
    # The example's app has the same name, and another test of this process may have imported it.
    monkeypatch.delitem(sys.modules, "support_agent", raising=False)
    result = pytester.runpytest_inprocess("-p", "pytest_genaiver.plugin", "-v", "-k", "refund")
    result.assert_outcomes(passed=1, deselected=1)
    (case,) = re.findall(r"# (test_support\.py::\S+), ", blocks["sh"])
    assert [line.partition(" ")[0] for line in result.outlines if " PASSED" in line] == [case]


def test_the_page_links_to_its_own_headings_and_to_files_that_are_there(examples: Path) -> None:
    docs = examples.parent / "docs"
    page = (docs / "evaluate.md").read_text(encoding="utf-8")
    headings = {"#" + h.lower().replace(" ", "-") for h in re.findall(r"^## (.*)", page, re.MULTILINE)}
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert links
    assert [link for link in links if link not in headings and not (docs / link).exists()] == []
