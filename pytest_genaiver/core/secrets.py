"""Secrets in text: keys of known shapes, and the values of secret-looking environment variables."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

T = TypeVar("T")

MASK = "[masked]"
LEAST = 8
"""Characters that the value of a variable has at least: shorter ones are words that occur everywhere."""
_LEAST_WORD = 12
_MOST_KEYS = 10_000


class _Shape(NamedTuple):
    """A kind of secret: one of `marks` is in every text that holds one; what `pattern` finds is masked but for its
    group. Looking for marks first is what makes this quick: hardly any text has one.
    """

    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _key(rest: str, *marks: str) -> _Shape:
    """A key that begins with one of these marks. Neither quotes nor backslashes: JSON stays JSON."""
    return _Shape(marks, re.compile(f"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, marks))}){rest}"))


_SHAPES = (
    _key(r"[\w-]{16,}", "sk-ant-"),  # Anthropic
    # OpenAI, OpenRouter, Langfuse and others; a digit tells a key from words joined by hyphens.
    _key(r"(?=[\w-]*\d)(?:[a-z]{2,8}-(?:v\d-)?)?[\w-]{20,}", "sk-"),
    _key(r"[0-9a-f-]{36}", "pk-lf-"),  # Langfuse
    _key(r"(?:live|test)_\w{16,}", "sk_", "rk_", "pk_"),  # Stripe
    _key(r"[\w+/=]{24,}", "whsec_"),  # Stripe's webhooks
    _key(r"[A-Z0-9]{16}(?![A-Za-z0-9])", "AKIA", "ASIA", "AROA", "AIDA"),  # AWS
    _key(r"[A-Za-z0-9]{30,}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),  # GitHub
    _key(r"\w{22,}", "github_pat_"),
    _key(r"[\w.-]{20,}", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-"),  # GitLab
    _key(r"[\w-]{10,}", "xoxa-", "xoxb-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"),  # Slack
    _key(r"[\w/+-]{20,}", "hooks.slack.com/services/", "hooks.slack.com/workflows/"),
    _key(r"\d+/[\w-]{20,}", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/"),
    _key(r"[\w-]{35}", "AIza"),  # Google
    _key(r"[\w.-]{20,}", "ya29.", "GOCSPX-"),
    _key(r"[A-Za-z0-9]{30,}", "hf_", "api_org_"),  # Hugging Face
    _key(r"[0-9a-f]{32}(?:-\d)?", "dapi"),  # Databricks
    _key(r"[A-Za-z0-9]{30,}", "gsk_", "r8_", "pplx-", "xai-"),  # Groq, Replicate, Perplexity, xAI
    _key(r"[A-Za-z0-9]{20,}", "fw_"),  # Fireworks
    _key(r"[\w-]{40,}", "nvapi-"),  # NVIDIA
    _key(r"[0-9a-f]{32}_[0-9a-f]{10}", "lsv2_pt_", "lsv2_sk_"),  # LangSmith
    _key(r"\w{30,}", "pcsk_"),  # Pinecone
    _key(r"[\w-]{20,}", "tvly-"),  # Tavily
    _key(r"[\w-]{16,}\.[\w-]{16,}", "SG."),  # SendGrid
    _key(r"[A-Za-z0-9]{36}", "npm_"),
    _key(r"[\w-]{50,}", "pypi-AgE"),
    _key(r"[\w-]{20,}", "dckr_pat_", "dckr_oat_"),  # Docker
    _key(r"[0-9a-f]{64}", "dop_v1_", "doo_v1_", "dor_v1_"),  # DigitalOcean
    _key(r"[0-9a-f]{32}(?![0-9A-Za-z])", "SK"),  # Twilio
    _key(r"[0-9a-fA-F]{32}", "shpat_", "shpca_", "shppa_", "shpss_"),  # Shopify
    _key(r"[A-Z0-9]{27}", "NRAK-"),  # New Relic
    _key(r"[\w+/=]{32,}", "glsa_", "glc_"),  # Grafana
    _key(r"[\w-]{24,}", "hvs.", "hvb.", "hvr."),  # HashiCorp Vault
    _key(r"[A-Za-z0-9]{40,}", "lin_api_", "ntn_"),  # Linear, Notion
    _key(r"[A-Za-z0-9+/%]{40,}=*", "AccountKey=", "SharedAccessKey="),  # Azure
    _key(r"[A-Z0-9]{58}", "AGE-SECRET-KEY-1"),
    _key(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]*", "eyJ"),  # JSON web tokens
    _Shape(
        ("PRIVATE KEY",),
        # Newlines may be written as \n, as often escaped as JSON holds JSON.
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:\\+[nrt]|(?!-----)[\w+/=\s:,.-])*(?:-----END [A-Z0-9 ]{1,40}-----)?"
        ),
    ),
    _Shape(
        ("earer ", "EARER ", "asic ", "ASIC "),
        # Of HTTP headers; a digit or sign tells a token from prose.
        re.compile(r"\b((?i:bearer|basic) )(?=[\w.~+/-]*[\d+/=._])[\w.~+/-]{16,}=*"),
    ),
    # A password in a URL: what is around it stays.
    _Shape(("://",), re.compile(r"(://[^\s/?#@:\"'\\]*:)[^\s/?#@\"'\\]+(?=@)")),
)

_MARKED = [(mark, shape.pattern) for shape in _SHAPES for mark in shape.marks]

_SECRET_NAME = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL)S?(?:_?\d+)?(?:_[A-Z0-9]+)*$", re.IGNORECASE
)
# A file or a setting that a name speaks of is no secret.
_HARMLESS_NAME = re.compile(r"_(?:FILE|PATH|DIR|NAME|TYPE|ALGORITHM|URL|PARALLELISM)$", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[0-9][0-9_.,]*(?:[eE][-+]?[0-9]+)?")
_PLACEHOLDERS = {"changeme", "undefined", "placeholder", "development", "not-needed", "disabled", "production"}


def secret_values(environ: Mapping[str, str]) -> frozenset[str]:
    """The values of the variables whose names speak of a key, token, secret or password.

    Left out is what occurs everywhere, or would break what it occurs in: short values, numbers, a single word of
    fewer than 12 letters, placeholders.
    """
    named = [value for name, value in environ.items() if _is_secret(name)]
    return frozenset(value for given in named if not _is_trivial(value := given.strip()))


@lru_cache(maxsize=10_000)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None and _HARMLESS_NAME.search(name) is None


def _is_trivial(value: str) -> bool:
    return (
        len(value) < LEAST
        or len(set(value)) < 4
        or (value.isalpha() and len(value) < _LEAST_WORD)
        or value.lower() in _PLACEHOLDERS
        or _NUMBER.fullmatch(value) is not None
    )


class Mask:
    """Replaces every secret that it finds by `[masked]`. `values` are known ones, as `secret_values` gives them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._given: frozenset[str] = frozenset()
        self._values: tuple[str, ...] = ()
        self._clean: set[Any] = set()
        self.learn(values)

    def learn(self, values: Iterable[str]) -> None:
        """Mask these too, from now on."""
        given = self._given.union(values)
        if given != self._given:
            self._given = given
            self._clean = set()
            # The longest first: one may be a part of another.
            forms = {form for value in given for form in _forms(value)}
            self._values = tuple(sorted(forms, key=lambda v: (-len(v), v)))

    def text(self, text: str) -> str:
        if len(text) < LEAST:
            return text
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        for pattern in [pattern for mark, pattern in _MARKED if mark in text]:
            text = pattern.sub(_masked, text)
        return text

    def plain(self, value: T) -> T:
        """A value of JSON types, keys included; the value itself where nothing in it is masked."""
        masked: T = self._plain(value)
        return masked

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            pairs = [(self._key(key), self._plain(one)) for key, one in value.items()]
            same = all(a is b and c is d for (a, c), (b, d) in zip(pairs, value.items(), strict=True))
            return value if same else dict(pairs)
        if isinstance(value, (list, tuple)):
            items = [self._plain(one) for one in value]
            return value if all(a is b for a, b in zip(items, value, strict=True)) else type(value)(items)
        return value

    def _key(self, key: Any) -> Any:
        # The same few names again and again.
        if key in self._clean:
            return key
        masked = self._plain(key)
        if masked is key and len(self._clean) < _MOST_KEYS:
            self._clean.add(key)
        return masked


def _masked(found: re.Match[str]) -> str:
    return f"{found[1] if found.re.groups else ''}{MASK}"


def _forms(value: str) -> Iterator[str]:
    """The value as it is, and as JSON writes it."""
    yield value
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield json.dumps(value)[1:-1]
