"""Keys are named as there or not there; what they are is never said."""

from __future__ import annotations

import pytest

from pytest_genaiver.cli.checks import secrets


@pytest.fixture
def said(monkeypatch):
    """The findings where these clients are installed."""

    def of(*clients, autolog=None, **environ):
        monkeypatch.setattr(secrets, "_installed", lambda name: name in clients)
        found = list(secrets.check(environ, autolog))
        assert "sesame" not in repr(found)
        return [(f.state, f.text) for f in found]

    return of


def test_a_key_that_is_there_is_named(said) -> None:
    assert said("openai", OPENAI_API_KEY="sesame") == [("ok", "openai: OPENAI_API_KEY is set")]
    assert said("openai", AZURE_OPENAI_API_KEY="sesame") == [("ok", "openai: AZURE_OPENAI_API_KEY is set")]


def test_where_no_key_is_there_each_client_is_named(said) -> None:
    missing = ("warn", "openai: OPENAI_API_KEY or AZURE_OPENAI_API_KEY is not set")
    assert said("openai", "boto3") == [missing]
    assert said("openai", "groq") == [missing, ("warn", "groq: GROQ_API_KEY is not set")]
    assert said() == []


def test_where_one_key_is_there_only_configured_clients_need_theirs(said) -> None:
    assert said("openai", "anthropic", ANTHROPIC_API_KEY="sesame") == [("ok", "anthropic: ANTHROPIC_API_KEY is set")]
    found = said("openai", "anthropic", autolog=["openai", "gemini"], ANTHROPIC_API_KEY="sesame")
    assert [state for state, _ in found] == ["warn", "ok", "warn"]
    assert found[2] == ("warn", "google-genai: GEMINI_API_KEY or GOOGLE_API_KEY is not set")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", "set, but empty"),
        (" ", "set, but empty"),
        ("sesame\n", "or ends with white space"),
        (" sesame", "white space"),
    ],
)
def test_a_key_that_cannot_work_is_said_without_showing_it(said, value, text) -> None:
    ((state, said_of_it),) = said("openai", OPENAI_API_KEY=value)
    assert state == "warn"
    assert said_of_it.endswith(text)


def test_installed_is_what_the_interpreter_has() -> None:
    assert secrets._installed("pytest")
    assert not secrets._installed("no-such-client")
