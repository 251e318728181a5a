"""MLflow's tracking store: experiment, versions (LoggedModels), sessions (runs), results (artifacts)."""

from __future__ import annotations
