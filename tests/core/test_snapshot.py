"""The snapshot of a version: its JSON form, its digest, and what changed between two."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from pytest_genaiver.core.snapshot import Change, Snapshot, changes, dependencies_digest, resolved
from pytest_genaiver.errors import ResultsError

DIGEST = "ab12cd34" + "0" * 56
OTHER = "ffee9988" + "0" * 56
WHOLE = Snapshot(
    commit="a" * 40,
    branch="main",
    remote="https://example.org/app.git",
    dirty="d" * 64,
    tree="b" * 40,
    params={"top_k": "5"},
    models={"gpt-4o-mini": {"temperature": "0.2", "tools": "search"}},
    prompts={"support@3": DIGEST, "system:You are terse": OTHER},
    dependencies={"openai": "1.2.0", "PyYAML": "6.0"},
    python="3.11.9",
    platform="Linux-6.1-x86_64",
    command="pytest --genai-version",
)


def change(area: Any, name: str, before: str | None, after: str | None) -> Change:
    return Change(area=area, name=name, before=before, after=after)


def test_a_snapshot_survives_its_json_form() -> None:
    read = Snapshot.from_json(json.loads(json.dumps(WHOLE.to_json())))
    assert read == WHOLE
    assert read.digest == WHOLE.to_json()["digest"]


def test_of_a_snapshot_only_the_schema_must_be_there() -> None:
    assert Snapshot.from_json({"schema": 1, "of a later release": []}) == Snapshot()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the data must be an object, not a list"),
        ({}, "the data has no 'schema'"),
        ({"schema": "1"}, "schema must be a whole number, not '1'"),
        ({"schema": 0}, "schema is 0, but the first one is 1"),
        ({"schema": 2}, "schema is 2, newer than 1, the newest snapshot that this version of pytest-genaiver reads"),
        ({"schema": 1, "commit": 7}, "commit must be a string or null, not 7"),
        ({"schema": 1, "python": None}, "python must be a string, not null"),
        ({"schema": 1, "params": {"k": 5}}, r"params\['k'\] must be a string, not 5"),
        ({"schema": 1, "dependencies": []}, "dependencies must be an object, not a list"),
        ({"schema": 1, "models": {"m": 1}}, r"models\['m'\] must be an object, not 1"),
        ({"schema": 1, "models": {"m": {"n": 1}}}, r"models\['m'\]\['n'\] must be a string, not 1"),
    ],
)
def test_what_is_no_snapshot_is_refused_by_its_path(data: object, message: str) -> None:
    with pytest.raises(ResultsError, match=message):
        Snapshot.from_json(data)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"platform": "macOS-15-arm64"},
        {"command": "pytest --genai-version -n 2"},
        {"branch": None},
        {"remote": None},
        {"tree": "c" * 40},
        {"python": "3.11.2"},
        {"dependencies": {"OpenAI": "1.2.0", "pyyaml": "6.0"}},
        {"dependencies": {"openai": "1.2.0", "PyYAML": "6.0", "pip": "26.1", "setuptools": "80", "uv": "1"}},
        {"models": {"gpt-4o-mini": {"tools": "search", "temperature": "0.2"}}},
    ],
)
def test_the_same_app_elsewhere_has_the_same_digest(elsewhere: dict[str, Any]) -> None:
    other = replace(WHOLE, **elsewhere)
    assert other.digest == WHOLE.digest
    assert changes(WHOLE, other) == ()


ANOTHER_APP = [
    ({"commit": "c" * 40}, [change("code", "commit", "a" * 40, "c" * 40)]),
    ({"commit": None}, [change("code", "commit", "a" * 40, None)]),
    ({"dirty": None}, [change("code", "not committed", "d" * 64, None)]),
    ({"params": {"top_k": "9"}}, [change("configuration", "top_k", "5", "9")]),
    (
        {"params": {"a": "1"}},
        [change("configuration", "a", None, "1"), change("configuration", "top_k", "5", None)],
    ),
    (
        {"models": {"gpt-4o-mini": {"temperature": "0.9", "tools": "search"}}},
        [change("model", "gpt-4o-mini temperature", "0.2", "0.9")],
    ),
    (
        {"models": {"gpt-5": {"temperature": "1", "tools": "search"}}},
        [change("model", "model", "gpt-4o-mini", "gpt-5"), change("model", "gpt-5 temperature", "0.2", "1")],
    ),
    ({"models": {}}, [change("model", "gpt-4o-mini", "temperature=0.2, tools=search", None)]),
    (
        {"models": {**WHOLE.models, "text-embedding-3": {}, "gpt-5": {"seed": "7"}}},
        [change("model", "gpt-5", None, "seed=7"), change("model", "text-embedding-3", None, "used")],
    ),
    (
        {"prompts": {"support@10": DIGEST, "support@9": DIGEST, "system:You are terse": OTHER}},
        [change("prompt", "support", "3", "9, 10")],
    ),
    (
        {"prompts": {"support@3": OTHER, "system:You are terse": OTHER}},
        [change("prompt", "support", "3 (ab12cd34)", "3 (ffee9988)")],
    ),
    (
        {"prompts": {"support@3": DIGEST, "system:You are terse": f"{DIGEST}, {OTHER}"}},
        [change("prompt", "system:You are terse", "ffee9988", "ab12cd34, ffee9988")],
    ),
    ({"prompts": {"support@3": DIGEST}}, [change("prompt", "system:You are terse", "ffee9988", None)]),
    (
        {"prompts": {**WHOLE.prompts, "unversioned": OTHER}},
        [change("prompt", "unversioned", None, "ffee9988")],
    ),
    ({"dependencies": {"openai": "1.3.0", "PyYAML": "6.0"}}, [change("dependency", "openai", "1.2.0", "1.3.0")]),
    (
        {"dependencies": {"openai": "1.2.0", "httpx": "0.28"}},
        [change("dependency", "httpx", None, "0.28"), change("dependency", "pyyaml", "6.0", None)],
    ),
    ({"python": "3.12.1"}, [change("python", "python", "3.11", "3.12")]),
    ({"python": "3.11.9 (PyPy)"}, [change("python", "python", "3.11", "3.11 (PyPy)")]),
]


@pytest.mark.parametrize(("given", "expected"), ANOTHER_APP)
def test_another_app_has_another_digest_and_what_changed_is_told(
    given: dict[str, Any], expected: list[Change]
) -> None:
    other = replace(WHOLE, **given)
    assert other.digest != WHOLE.digest
    assert list(changes(WHOLE, other)) == expected
    back = [replace(c, before=c.after, after=c.before) for c in changes(other, WHOLE)]
    assert {(c.area, c.before, c.after) for c in back} == {(c.area, c.before, c.after) for c in expected}


def test_what_a_model_was_served_as_is_told_and_no_other_app() -> None:
    other = replace(WHOLE, models={"gpt-4o-mini": {**WHOLE.models["gpt-4o-mini"], "served as": "gpt-4o-mini-2"}})
    assert other.digest == WHOLE.digest
    assert changes(WHOLE, other) == (change("model", "gpt-4o-mini served as", None, "gpt-4o-mini-2"),)


def test_changes_come_area_by_area() -> None:
    other = replace(
        WHOLE, commit="c" * 40, params={}, models={}, prompts={}, dependencies={}, python="3.12", command="x"
    )
    areas = [c.area for c in changes(WHOLE, other)]
    assert list(dict.fromkeys(areas)) == ["configuration", "model", "prompt", "dependency", "python", "code"]


def test_digests_that_differ_late_are_a_change() -> None:
    other = replace(WHOLE, prompts={"support@3": DIGEST[:-1] + "9", "system:You are terse": OTHER})
    assert changes(WHOLE, other) == (change("prompt", "support", "3 (ab12cd34)", "3 (ab12cd34)"),)


def test_the_dependencies_have_a_digest_of_their_own() -> None:
    assert WHOLE.dependencies_digest == dependencies_digest({"pyyaml": "6.0", "OpenAI": "1.2.0", "pip": "1"})
    assert WHOLE.dependencies_digest != dependencies_digest({"pyyaml": "6.0", "openai": "1.2.1"})
    assert resolved({"A_b.c": "1", "wheel": "0.4"}) == {"a-b-c": "1"}


def test_a_text_that_utf8_cannot_carry_still_has_a_digest() -> None:
    assert len(replace(WHOLE, params={"k": "\ud800"}, dependencies={"x": "\ud800"}).digest) == 64
    assert len(dependencies_digest({"x": "\ud800"})) == 64
