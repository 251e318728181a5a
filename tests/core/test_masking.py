"""A command line without its secrets."""

from __future__ import annotations

import shlex

import pytest

from pytest_genaiver.core.masking import masked


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--api-key=abc"], "--api-key=***"),
        (["--api-key", "abc", "tests"], "--api-key *** tests"),
        (["--apiKey=abc"], "--apiKey=***"),
        (["--openai_token", "-q"], "--openai_token -q"),
        (["-o", "key=sk-abc"], "-o key=***"),
        (["-o", "api_key = abc"], "-o api_key =***"),
        (["--override-ini=db_password=abc", "-q"], "--override-ini=db_password=*** -q"),
        (["-o", "tracking=https://ada:pw@host/x?a=1"], "-o tracking=https://***@host/x?a=1"),
        (["--base-url", "https://host/?token=abc&b=2"], "--base-url https://host/?token=***&b=2"),
        (["--header=Authorization: Bearer abc.def"], "--header=Authorization: Bearer ***"),
        (["--llm=sk-proj-12345678abc"], "--llm=***"),
        (["ghp_0123456789abcdefghij"], "***"),
        (["eyJhbGciOiJI.eyJzdWIiOiIx.sig"], "***"),
        (["AKIAABCDEFGHIJKLMNOP"], "***"),
        (["--password="], "--password=***"),
    ],
)
def test_secrets_are_masked(arguments: list[str], expected: str) -> None:
    assert masked(arguments) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ["--genai-version", "-n", "2", "tests/test_a.py::test_risk-assessment[sk-1]", "-k", "key and not token"],
        ["--max-tokens=5", "--genai-baseline", "git@host:app.git", "-m", "slow or fast"],
        ["-o", "genai_metrics=accuracy: higher, tolerance=0.02", "--monkey=1", "-p", "no:cacheprovider"],
        [],
    ],
)
def test_all_else_stands_as_it_was_given(arguments: list[str]) -> None:
    assert shlex.split(masked(arguments)) == arguments
