"""The end of a session: what the gate is asked, what is decided, saved and told."""
