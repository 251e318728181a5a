"""Judges: scorers that ask a model. Which one, where it is, whether it answers, and what it spent."""

from __future__ import annotations

import os
import socket
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_genaiver.adapters.scorers import internals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from urllib.parse import SplitResult

    from pytest_genaiver.adapters.scorers.scorer import Scorer

_OPENAI = "https://api.openai.com/v1"
_PORTS = {"http": 80, "https": 443}
_PATIENCE = 2.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What one judgement cost, each part None where it is not known."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None


def spend(feedback: Any) -> Spend | None:
    """What MLflow recorded of a judge's own calls for this feedback; None where it recorded nothing."""
    metadata = feedback.metadata or {}
    found = {name: _number(metadata.get(key)) for name, key in internals.judge_usage_keys().items()}
    if all(value is None for value in found.values()):
        return None
    tokens = {name: None if found[name] is None else int(found[name]) for name in ("input_tokens", "output_tokens")}
    return Spend(**tokens, cost=found["cost"])


def _number(value: object) -> Any:
    try:
        return float(value)  # type: ignore[arg-type]  # a number, or its text: MLflow writes either
    except (TypeError, ValueError):
        return None


def endpoint(model: str | None, base_url: str | None) -> str | None:
    """The URL that MLflow asks for this model; None where it depends on more than an address."""
    if base_url:
        return base_url
    if model is None or not model.startswith("openai:/"):
        return None
    return os.environ.get("OPENAI_API_BASE") or os.environ.get("OPENAI_BASE_URL") or _OPENAI


def preflight(scorers: Iterable[Scorer]) -> list[str]:
    """One sentence for each endpoint of these judges that does not answer; each is tried once, for 2 s at most.

    MLflow asks a dead endpoint again for minutes before it gives up.
    """
    judges: dict[str, list[str]] = {}
    for scorer in scorers:
        if scorer.judge and (url := scorer.endpoint) is not None:
            judges.setdefault(_address(url), []).append(scorer.name)
    return [_sentence(at, names, reason) for at, names in judges.items() if (reason := _deaf(at)) is not None]


def _sentence(address: str, names: list[str], reason: str) -> str:
    who = f"the judge {names[0]}" if len(names) == 1 else f"the judges {', '.join(dict.fromkeys(names))}"
    return (
        f"{address} does not answer ({reason}), so {who} cannot score: is it running, and is OPENAI_BASE_URL "
        f"(or the judge's base_url) right?"
    )


def _address(url: str) -> str:
    """Scheme, host and port: judges share them, and a URL may hold a password."""
    parts = _split(url)
    if parts is None:
        return url.rpartition("@")[2]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or _PORTS[parts.scheme]}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _deaf(address: str) -> str | None:
    """Why nobody answers there; None when somebody does."""
    parts = _split(address)
    if parts is None:
        return "it is no URL such as http://127.0.0.1:8000/v1"
    host, port = _way(parts, urllib.request.getproxies())
    try:
        with socket.create_connection((host, port), timeout=_PATIENCE):
            return None
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__


def _way(parts: SplitResult, proxies: Mapping[str, str]) -> tuple[str, int]:
    """Where a client connects to: the host itself, or the proxy that leads to it."""
    proxy = proxies.get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = _split(proxy if "://" in proxy else f"http://{proxy}") or parts
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]
