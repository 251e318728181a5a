"""A command line without its secrets."""

from __future__ import annotations

import shlex

import pytest

from pytest_genaiver.core.command_line import masked


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--api-key=abc"], "--api-key=[masked]"),
        (["--api-key", "abc", "tests"], "--api-key [masked] tests"),
        (["--apiKey=abc"], "--apiKey=[masked]"),
        (["--openai_token", "-q"], "--openai_token -q"),
        (["-o", "key=sk-abc"], "-o key=[masked]"),
        (["-o", "api_key = abc"], "-o api_key =[masked]"),
        (["--override-ini=db_password=abc", "-q"], "--override-ini=db_password=[masked] -q"),
        (["-o", "tracking=https://ada:pw@host/x?a=1"], "-o tracking=https://[masked]@host/x?a=1"),
        (["--base-url", "https://host/?token=abc&b=2"], "--base-url https://host/?token=[masked]&b=2"),
        (["--header=Authorization: Bearer abcdefghij0123456789"], "--header=Authorization: Bearer [masked]"),
        (["--llm=sk-proj-12345678abcdefghijklmnop"], "--llm=[masked]"),
        (["ghp_0123456789abcdefghij0123456789abcd"], "[masked]"),
        (["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"], "[masked]"),
        (["AKIAABCDEFGHIJKLMNOP"], "[masked]"),
        (["--password="], "--password=[masked]"),
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
