"""MLflow tracing: what the tests produce is held in memory, completed, counted, and written once.

MLflow's own exporter sends each trace as it ends, through a queue that drops what does not fit, and merges a
trace's spans with its record row by row. Here a trace that ended is kept until its repeat has its scores, then
leaves with them in one write, many traces at a time: nothing is dropped, and storing costs half.
"""

from __future__ import annotations
