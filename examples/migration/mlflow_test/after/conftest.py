"""MLflow's own pytest plugin, which `@mlflow.test` needs."""

from __future__ import annotations

import os

pytest_plugins = ["mlflow.pytest.plugin"]

# Else MLflow calls the function once more in each test, to see whether it is traced.
os.environ.setdefault("MLFLOW_GENAI_EVAL_SKIP_TRACE_VALIDATION", "true")
