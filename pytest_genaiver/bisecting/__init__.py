"""The search for the commit that broke it: what is recorded, what is run, what is remembered; no command line."""
