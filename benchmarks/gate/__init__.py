"""What the gate finds, its false alarms and its price, beside the usual rules on the same draws."""

from __future__ import annotations
