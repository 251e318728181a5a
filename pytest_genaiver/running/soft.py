"""Soft assertions: what a test's body asserts in vain is evidence for the gate, not a failure of the item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

SOFT = "genaiver_soft"
"""The attribute of a report whose item failed softly; it holds the message, and xdist carries it over."""

CATEGORY, WORD = "soft-failed", "SOFT-FAILED"

PROPERTY = "genai_soft_failed"
"""The property of such an item in JUnit XML."""

TRACEBACK = "genaiver_soft_traceback"
"""The attribute of such a report that holds its traceback as text."""

PLACE = "genaiver_soft_place"
"""And where it failed, as one line, for `--tb=line`."""

MOST_TRACEBACK = 20_000

MOST_TEXT = 4_000
"""Characters kept of a message: pytest shows both sides of a comparison, and one may be what a model wrote."""


def soften(report: pytest.TestReport, call: pytest.CallInfo[None]) -> str | None:
    """Make the failed report of a test's body a passed one, if an assertion failed in it; its message.

    An assertion is an AssertionError or a `pytest.fail()`, so a `pytest.raises` that saw nothing too. None where the
    report stays as it is: for other exceptions, for fixtures, for what xfail already explained.
    """
    if report.when != "call" or not report.failed or call.excinfo is None:
        return None
    error = call.excinfo.value
    if not isinstance(error, (AssertionError, pytest.fail.Exception)) or _timed_out(call.excinfo):
        return None
    setattr(report, TRACEBACK, report.longreprtext[:MOST_TRACEBACK])
    setattr(report, PLACE, _place(report))
    report.outcome, report.longrepr = "passed", None
    return (str(error).strip() or type(error).__name__)[:MOST_TEXT]


def _place(report: pytest.TestReport) -> str:
    crash: Any = getattr(report.longrepr, "reprcrash", None)
    return "" if crash is None else f"{crash.path}:{crash.lineno}: {crash.message.partition(chr(10))[0]}"


def _timed_out(failed: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether pytest-timeout ended the test: it too calls `pytest.fail()`, and a test that hangs asserts nothing."""
    return any(entry.frame.f_globals.get("__name__") == "pytest_timeout" for entry in failed.traceback)


def mark(report: pytest.TestReport, failed: Mapping[int, str], repeats: int) -> None:
    """Say on an item's last reports that it failed softly; `failed` maps each such repeat to its message."""
    text = failed[min(failed)]
    if repeats > 1:
        text = f"repeat {', '.join(str(repeat + 1) for repeat in sorted(failed))} of {repeats}: {text}"
    if report.when == "call":
        setattr(report, SOFT, text)
    elif report.when == "teardown":
        report.user_properties.append((PROPERTY, text))


def status(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Category, letter and word of an item that failed softly; None for every other report.

    pytest's own subtests turn a passed report into a failed one as late as here: that is no soft failure any more.
    """
    if report.when == "call" and report.passed and hasattr(report, SOFT):
        return CATEGORY, "f", (WORD, {"yellow": True})
    return None
