"""What lies between the baseline and a version, and what a version was recorded as before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_genaiver.core.since import Since, otherwise, seen, told
from pytest_genaiver.core.snapshot import Change, Snapshot

RECORDED = Snapshot(
    commit="a" * 40,
    models={"m": {"temperature": "0, 0.2", "seed": "7"}},
    prompts={"p@1": "d" * 64},
    params={"k": "1"},
    dependencies={"openai": "1.2", "httpx": "0.27", "numpy": "2.0", "pandas": "2.0"},
    python="3.11.9",
)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change(area="model", name="model", before="a", after="b"), "a -> b"),
        (Change(area="model", name="b temperature", before="0", after="1"), "b temperature 0 -> 1"),
        (Change(area="python", name="python", before="3.11", after="3.12"), "3.11 -> 3.12"),
        (Change(area="dependency", name="httpx", before=None, after="0.28"), "httpx 0.28 (new)"),
        (Change(area="dependency", name="httpx", before="0.28", after=None), "httpx 0.28 (gone)"),
        (Change(area="code", name="commit", before="a" * 40, after="b" * 40), "commit aaaaaaaa -> bbbbbbbb"),
        (Change(area="code", name="not committed", before=None, after="abc123"), "not committed abc123 (new)"),
    ],
)
def test_a_change_is_told_in_a_few_words(change: Change, text: str) -> None:
    assert told(change) == text


def test_the_json_form_tells_unknown_from_nothing() -> None:
    change = Change(area="python", name="python", before="3.11", after="3.12")
    assert Since().to_json() == {"changes": None, "commits": [], "count": None}
    assert Since(changes=(change,), commits=(("a" * 40, "Mend"),), count=1).to_json() == {
        "changes": [{"area": "python", "name": "python", "before": "3.11", "after": "3.12"}],
        "commits": [{"sha": "a" * 40, "subject": "Mend"}],
        "count": 1,
    }


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"models": {"m": {"temperature": "0.2"}}},
        {"models": {"m": {"temperature": "varies", "seed": "7"}}},
        {"models": {"m": {"temperature": "0.2", "seed": "7", "served as": "m-2"}, "n": {}}},
        {"models": {}, "prompts": {}, "params": {}},
        {"params": {"k": "1", "l": "2"}},
        {"command": "pytest -k one", "python": "3.11.2"},
    ],
)
def test_what_a_session_does_not_call_is_no_contradiction(same: dict[str, Any]) -> None:
    assert otherwise(RECORDED, replace(RECORDED, **same)) is None


def test_served_as_another_is_the_providers_doing() -> None:
    before, now = ({"m": {"served as": f"m-{n}"}} for n in (1, 2))
    assert otherwise(replace(RECORDED, models=before), replace(RECORDED, models=now)) is None


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (
            {"dependencies": {**RECORDED.dependencies, "openai": "1.3"}},
            "this version was recorded with other dependencies: openai 1.2 -> 1.3",
        ),
        (
            {"dependencies": {}},
            "this version was recorded with other dependencies: httpx 0.27 (gone), numpy 2.0 (gone), "
            "openai 1.2 (gone) and 1 more",
        ),
        (
            {"commit": "b" * 40, "dependencies": {**RECORDED.dependencies, "openai": "1.3"}},
            "this version was recorded otherwise: openai 1.2 -> 1.3, commit aaaaaaaa -> bbbbbbbb",
        ),
        ({"python": "3.12"}, "this version was recorded otherwise: 3.11 -> 3.12"),
        (
            {"models": {"m": {"temperature": "0.9"}}},
            "this version was recorded otherwise: m temperature 0, 0.2 -> 0.9",
        ),
        ({"models": {"n": {}}}, "this version was recorded otherwise: m -> n"),
        ({"prompts": {"p@2": "d" * 64}}, "this version was recorded otherwise: p 1 -> 2"),
    ],
)
def test_a_version_that_was_recorded_otherwise_is_told(other: dict[str, Any], line: str) -> None:
    assert otherwise(RECORDED, replace(RECORDED, **other)) == line


def test_a_session_that_left_cases_out_does_not_know_what_is_gone() -> None:
    gone = [Change(area=area, name="x", before="1", after=None) for area in ("configuration", "model", "prompt")]  # type: ignore[arg-type]
    known = [
        Change(area="dependency", name="x", before="1", after=None),
        Change(area="model", name="x", before=None, after="1"),
        Change(area="prompt", name="x", before="1", after="2"),
    ]
    assert list(seen([*gone, *known], whole=True)) == [*gone, *known]
    assert list(seen([*gone, *known], whole=False)) == known
