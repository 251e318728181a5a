"""MLflow's scorers, judges and metrics, and plain functions, as one kind of thing: a `Scorer`.

`resolve.resolve` makes one of whatever a user gave, `named.named` finds what an ini file names. Everything runs in
process, one sample at a time, from many threads at once; `mlflow.genai.evaluate` is never called.
"""

from __future__ import annotations
