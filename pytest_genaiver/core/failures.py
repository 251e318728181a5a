"""Which exceptions mean that the model's provider failed, not the app."""

from __future__ import annotations

_STATUS = {408, 429}
# By name: a client library is never imported to ask. These are the classes of openai, anthropic, httpx, requests,
# aiohttp, urllib3 and litellm for "no answer came".
_NAMES = {
    "APIConnectionError",
    "APITimeoutError",
    "ClientConnectionError",
    "ConnectTimeout",
    "ConnectionError",
    "InternalServerError",
    "NetworkError",
    "RateLimitError",
    "ReadTimeout",
    "ServerTimeoutError",
    "ServiceUnavailableError",
    "Timeout",
    "TimeoutException",
    "TransportError",
}


def is_provider_failure(error: BaseException | None) -> bool:
    """True for 408, 429, 5xx, a lost connection or a time-out, raised by a client or wrapped by the app.

    Asks the exception's `status_code` (also that of its `response`), its class and its bases, then the exception
    it was raised from.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if _failed(error):
            return True
        error = error.__cause__
    return False


def _failed(error: BaseException) -> bool:
    if isinstance(error, AssertionError):
        return False
    status = _status(error)
    if status is not None:
        return status in _STATUS or 500 <= status <= 599
    return isinstance(error, (ConnectionError, TimeoutError)) or any(
        c.__name__ in _NAMES and c.__module__ != "builtins" for c in type(error).__mro__
    )


def _status(error: BaseException) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int) and not isinstance(status, bool):
            return status
    return None
