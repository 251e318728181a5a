"""What differs between two texts, and how much of many texts fits a report."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Piece = tuple[Literal[0, 1, 2], str]
"""0: on both sides, 1: in the first text only, 2: in the second only."""

_MOST_TOKENS = 1_500
_MOST_EXACT = 200
_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")


def diff(before: str, now: str) -> list[Piece]:
    """The pieces of both texts in order. By words; longer texts by lines, the longest not at all: time is bounded."""
    if before == now:
        return [(0, now)] if now else []
    for tokens in (_WORDS.findall, _lines):
        old, new = tokens(before), tokens(now)
        if max(len(old), len(new)) <= _MOST_TOKENS:
            return list(_pieces(old, new))
    return [(1, before), (2, now)]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _pieces(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    # In long texts what is frequent counts for nothing, which is what keeps the time bounded.
    long = max(len(old), len(new)) > _MOST_EXACT
    for what, i, j, k, m in SequenceMatcher(None, old, new, autojunk=long).get_opcodes():
        if what == "equal":
            yield 0, "".join(old[i:j])
            continue
        if i < j:
            yield 1, "".join(old[i:j])
        if k < m:
            yield 2, "".join(new[k:m])


def fair_share(sizes: Sequence[int], budget: int) -> int:
    """The most that each may take so that together they fit: what short ones leave, the long ones share."""
    left, remaining = budget, sorted(sizes)
    for index, size in enumerate(remaining):
        share = left // (len(remaining) - index)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0)


def cut(text: str, size: int, most: int) -> str:
    """The text, of which `most` of its `size` may stay, with a count of what was cut."""
    if size <= most:
        return text
    kept = text[: len(text) * most // size]
    return f"{kept}\N{HORIZONTAL ELLIPSIS} ({len(text) - len(kept):,} more characters)"
