"""MLflow's own pytest plugin, which `@mlflow.test` needs."""

from __future__ import annotations

pytest_plugins = ["mlflow.pytest.plugin"]
