"""What customers ask, and who must answer."""

from __future__ import annotations

QUESTIONS = [
    ("I want my money back", "billing"),
    ("The invoice is wrong", "billing"),
    ("You charged my card twice", "billing"),
    ("Can I pay in instalments?", "billing"),
    ("Where is my parcel?", "delivery"),
    ("The courier never came", "delivery"),
    ("Do you ship to Norway?", "delivery"),
    ("I forgot my password", "account"),
    ("Change my email address", "account"),
    ("Please delete my profile", "account"),
]
