"""A command line as it may be stored and shown: whatever looks like a secret in it is masked."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from pytest_genaiver.core.secrets import MASK, Mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SECRET_WORDS = frozenset(
    {
        *("key", "apikey", "token", "secret", "secrets", "password", "passwd", "passphrase", "pwd", "pass"),
        *("credential", "credentials", "auth", "authorization", "bearer", "cookie"),
    }
)
_SHAPES = Mask()
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
    return _SHAPES.text(_ASSIGNED.sub(_value_masked, argument))


def _value_masked(match: re.Match[str]) -> str:
    """Of `-o api_key=...`, `--override-ini=api_key=...` and `https://host/?token=...`."""
    return match[1] + match[2] + MASK if _is_secret(match[1]) else match[0]


def _is_secret(name: str) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name)
    return not _SECRET_WORDS.isdisjoint(re.split(r"[^a-z0-9]+", words.lower()))
