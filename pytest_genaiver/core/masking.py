"""A command line as it may be stored and shown: whatever looks like a secret in it is masked."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MASK = "***"

_SECRET_WORDS = frozenset(
    {
        *("key", "apikey", "token", "secret", "secrets", "password", "passwd", "passphrase", "pwd", "pass"),
        *("credential", "credentials", "auth", "authorization", "bearer", "cookie"),
    }
)
# What keys look like wherever they stand: of OpenAI and Anthropic, GitHub, GitLab, Slack, AWS, Google, Hugging Face,
# Databricks, and JSON web tokens.
_KEYS = re.compile(
    r"""
    \bsk-[\w-]{8,} | \bgh[opsur]_\w{16,} | \bgithub_pat_\w{16,} | \bglpat-[\w-]{16,} | \bxox[a-z]-[\w-]{8,}
    | \bAKIA[0-9A-Z]{16}\b | \bAIza[\w-]{20,} | \bhf_\w{16,} | \bdapi[0-9a-f]{32}\b
    | \beyJ[\w-]{8,}\.[\w-]+\.[\w-]* | (?<=\bBearer\s)\S+
    """,
    re.VERBOSE,
)
_USER = re.compile(r"(?<=://)[^/\s?#]*@")
_NAME = re.compile(r"-{0,2}[\w.-]+\s*")
_ASSIGNED = re.compile(
    r"([\w.-]*(?:key|token|secret|pass|pwd|credential|auth|bearer|cookie)[\w.-]*)(\s*=\s*)[^&\s]+", re.IGNORECASE
)


def masked(arguments: Sequence[str]) -> str:
    """The arguments as a shell takes them, without the secrets in them."""
    return " ".join(one if MASK in one else shlex.quote(one) for one in _masked(arguments))


def _masked(arguments: Sequence[str]) -> Iterator[str]:
    awaited = False
    for argument in arguments:
        if awaited and not argument.startswith("-"):
            yield MASK
            awaited = False
            continue
        # `--api-key VALUE`: a secret's name without its value waits for it.
        awaited = argument.startswith("--") and "=" not in argument and _is_secret(argument)
        yield _without_secrets(argument)


def _without_secrets(argument: str) -> str:
    argument = _USER.sub(f"{MASK}@", argument)
    name, equals, _ = argument.partition("=")
    if equals and _NAME.fullmatch(name) and _is_secret(name):
        return f"{name}={MASK}"
    return _KEYS.sub(MASK, _ASSIGNED.sub(_value_masked, argument))


def _value_masked(match: re.Match[str]) -> str:
    """Of `-o api_key=...`, `--override-ini=api_key=...` and `https://host/?token=...`."""
    return match[1] + match[2] + MASK if _is_secret(match[1]) else match[0]


def _is_secret(name: str) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name)
    return not _SECRET_WORDS.isdisjoint(re.split(r"[^a-z0-9]+", words.lower()))
