"""What `genaiver doctor` looks at, one file for each subject; each check yields findings."""

from __future__ import annotations
