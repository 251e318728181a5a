"""From pytest's items to evaluation cases: the marker, rows of `data=`, ids, parameters."""
