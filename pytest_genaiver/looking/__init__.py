"""What is recorded, looked at again: one version, several side by side, a branch's history, how to recreate it."""
