"""What a version is made of beside its commit: the installed distributions, the interpreter, the packed code."""
