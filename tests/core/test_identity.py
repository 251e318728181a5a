from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_genaiver.core.identity import app_from_url, clean_url, sanitise, version_name

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"sha": SHA}, "bot-01234567"),
        ({"sha": SHA, "variant": "gpt-4"}, "bot-01234567-gpt-4"),
        ({"sha": SHA, "dirty": "abc123"}, "bot-01234567-dirty-abc123"),
        ({"sha": SHA, "dirty": "abc123def", "variant": "v"}, "bot-01234567-dirty-abc123-v"),
        ({"sha": SHA, "variant": ""}, "bot-01234567"),
        ({}, "bot-local-dev"),
        ({"dirty": "abc123"}, "bot-local-dev"),
        ({"variant": "gpt-4.1: mini"}, "bot-local-dev-gpt-4-1-mini"),
    ],
)
def test_a_version_is_named_after_app_commit_change_and_variant(parts: dict[str, str], name: str) -> None:
    assert version_name("bot", **parts) == name


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("support-agent", "support-agent"),
        ("acme/support.agent", "acme-support-agent"),
        ("a:b%c\"d'e", "a-b-c-d-e"),
        ("  two words\n", "two-words"),
        ("back\\slash\x1b[31m", "back-slash-[31m"),
        ("größe", "größe"),
        ("bad\udcffbyte", "bad-byte"),
        ("...", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_a_name_loses_what_mlflow_forbids(text: str, clean: str) -> None:
    assert sanitise(text) == clean


@given(st.text())
def test_every_text_becomes_a_name_that_mlflow_takes_and_that_stays(text: str) -> None:
    name = sanitise(text)
    assert name
    assert not set(name) & set("/:.%\"'")
    assert sanitise(name) == name
    name.encode()


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://github.com/acme/bot.git", "https://github.com/acme/bot.git"),
        ("https://user:tok@github.com/acme/bot.git", "https://github.com/acme/bot.git"),
        ("https://tok@github.com:8443/acme/bot", "https://github.com:8443/acme/bot"),
        ("https://ada@acme.com:tok@github.com/acme/bot", "https://github.com/acme/bot"),
        ("https://git:tok@github.com/acme/bot", "https://github.com/acme/bot"),
        ("https://user:to/ken@github.com/acme/bot", "https://github.com/acme/bot"),
        ("https://host/bot.git?private_token=tok#tok", "https://host/bot.git"),
        ("https://[::1]:80/acme@home/bot", "https://[::1]:80/acme@home/bot"),
        ("https://host:80/acme@home/bot", "https://host:80/acme@home/bot"),
        ("ssh://git@host:22/acme/bot", "ssh://git@host:22/acme/bot"),
        ("ssh://git:tok@host/acme/bot", "ssh://git@host/acme/bot"),
        ("ssh://ada:tok@host/acme/bot", "ssh://host/acme/bot"),
        ("git@github.com:acme/bot.git", "git@github.com:acme/bot.git"),
        ("ada@host:acme/bot.git", "host:acme/bot.git"),
        ("ada:tok@host:acme/bot.git", "host:acme/bot.git"),
        ("ada:tok@host/acme/bot.git", "host/acme/bot.git"),
        ("git:tok@host:acme/bot.git", "git@host:acme/bot.git"),
        ("codecommit::us-east-1://profile@bot", "codecommit::us-east-1://bot"),
        ("/srv/ada@acme/bot.git", "/srv/ada@acme/bot.git"),
        ("../ada@acme/bot?.git", "../ada@acme/bot?.git"),
        ("~/ada@acme", "~/ada@acme"),
        ("file:///srv/ada@acme/bot.git", "file:///srv/ada@acme/bot.git"),
        ("file://ada:tok@host/bot.git", "file://host/bot.git"),
        ("C:\\repos\\a@b", "C:\\repos\\a@b"),
        (" https://host/bot\n", "https://host/bot"),
        ("", ""),
    ],
)
def test_a_remote_url_loses_its_credentials_and_a_path_stays(url: str, clean: str) -> None:
    assert clean_url(url) == clean
    assert clean_url(clean) == clean


@given(
    st.sampled_from(["https", "http", "ssh", "git", "ftp"]),
    st.text(st.sampled_from("abc:@/?#%+ "), min_size=1).map(lambda text: "S3CRET" + text),
)
def test_no_password_survives_however_badly_it_is_quoted(scheme: str, password: str) -> None:
    assert "S3CRET" not in clean_url(f"{scheme}://ada:{password}@host/acme/bot.git")


@pytest.mark.parametrize(
    ("url", "app"),
    [
        ("https://github.com/acme/support-agent.git", "support-agent"),
        ("https://user:tok@github.com/acme/support-agent/", "support-agent"),
        ("git@github.com:acme/support-agent.git", "support-agent"),
        ("host:support-agent.git", "support-agent"),
        ("ssh://git@host:22/support-agent", "support-agent"),
        ("https://dev.azure.com/acme/shop/_git/My%20Agent", "My Agent"),
        ("https://host/My%0AAgent%00", "MyAgent"),
        ("/srv/git/support-agent.git", "support-agent"),
        ("/srv/git/100%25", "100%25"),
        ("/srv/support-agent/.git", "support-agent"),
        ("../support-agent", "support-agent"),
        ("C:\\repos\\support-agent", "support-agent"),
        ("file:///srv/git/support-agent.git/", "support-agent"),
        ("https://github.com/", None),
        ("https://github.com", None),
        ("..", None),
        ("", None),
    ],
)
def test_an_app_is_named_after_the_last_part_of_its_remote(url: str, app: str | None) -> None:
    assert app_from_url(url) == app
