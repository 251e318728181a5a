"""Command line, environment and ini file, read into one frozen `Settings`."""
