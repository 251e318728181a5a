"""Which version to compare with, and what is on record of it."""
