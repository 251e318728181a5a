"""`genaiver`: the record of versions on the command line."""
