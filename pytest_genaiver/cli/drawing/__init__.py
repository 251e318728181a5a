"""How commands lay out what they found: lines that fit the terminal, with colour where there is any."""
