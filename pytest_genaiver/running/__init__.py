"""Cases run: targets ahead of their tests, repeats, scorers, one record for each execution."""
