"""One MLflow experiment as a record of versions and sessions."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking import files
from pytest_genaiver.adapters.tracking.failures import translated
from pytest_genaiver.adapters.tracking.paging import PAGE, pages
from pytest_genaiver.adapters.tracking.place import Place, locked, make_folder, shown_uri
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow import MlflowClient
    from mlflow.entities import Experiment, LoggedModel, Run

__all__ = ["SessionRef", "Store", "VersionRef", "metric_key", "ref_of", "shown_uri"]

_SETTLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRef:
    """A recorded version, as a search finds it. `runs` are the sessions that it holds a metric of."""

    model_id: str
    name: str
    commit: str | None
    variant: str | None
    dirty: bool
    created_ms: int
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRef:
    """A recorded session of a version; `complete` is False for one that was cut short. `baseline` is the name of the
    version that it was compared with, `tests_from` the commit that its tests came from, where that was another.
    """

    run_id: str
    artifact_uri: str
    complete: bool
    started_ms: int
    verdict: str | None = None
    tests_from: str | None = None
    baseline: str | None = None


class Store:
    """Every method raises StoreError, with one sentence, where MLflow or the database behind it fails."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.experiment_id = ""

    def open(self, experiment: str) -> str:
        """Connect, make the schema of a new local store, find or make the experiment; returns its id."""
        self.place.check()
        with translated(f"open the MLflow store {shown_uri(self.place.uri)!r}"), locked(self.place):
            if self.place.artifacts is not None:
                make_folder(self.place.artifacts)
            self.experiment_id = self._experiment(experiment)
        return self.experiment_id

    def find(self, experiment: str) -> bool:
        """Connect to what is recorded, and make nothing; whether there is such an experiment."""
        self.place.check()
        if self.place.database is not None and not self.place.database.exists():
            return False
        with translated(f"open the MLflow store {shown_uri(self.place.uri)!r}"), locked(self.place):
            found = self.client().get_experiment_by_name(experiment)
        if found is not None:
            self.experiment_id = _active(found)
        return found is not None

    def _experiment(self, name: str) -> str:
        client = self.client()
        found = client.get_experiment_by_name(name)
        if found is None:
            try:
                return self._create_experiment(client, name)
            except Exception:
                # Nothing locks a server: another session may have made it meanwhile.
                found = client.get_experiment_by_name(name)
                if found is None:
                    raise
        return _active(found)

    def version(self, name: str, tags: Mapping[str, str], params: Mapping[str, str]) -> str:
        """The model id of the version of this name; made once, however many sessions ask at the same time."""
        with translated(f"record the version {name!r}"), locked(self.place):
            if known := self._named(name):
                return known[0].model_id
            client = self.client()
            made = client.create_logged_model(
                self.experiment_id, name=name, tags=dict(tags), params=dict(params), model_type="genai_app"
            )
            client.finalize_logged_model(made.model_id, "READY")
            return self._settled(made.model_id, name) if self.place.database is None else made.model_id

    def _settled(self, made: str, name: str) -> str:
        """On a server nothing can be locked: of several made at once the oldest stays, the others are dropped."""
        time.sleep(_SETTLE_SECONDS)
        oldest = self._named(name)[0].model_id
        if oldest != made:
            self.client().delete_logged_model(made)
        return oldest

    def _named(self, name: str) -> list[VersionRef]:
        # MLflow's filters have no escape for a quote, and its names no quote.
        return [] if "'" in name else [ref_of(m) for m in self._search(f"name = '{name}'")]

    def versions_of_commits(self, shas: Sequence[str], app: str) -> list[VersionRef]:
        """The clean versions of this app recorded for any of these commits (full SHAs), oldest first."""
        with translated("look up recorded versions"):
            found = self.models_of_commits(shas)
        # An app's name may hold a quote, so that it is no matter for a filter.
        return [v for m in found if m.tags.get("genaiver.app") == app and not (v := ref_of(m)).dirty]

    def models_of_commits(self, shas: Sequence[str]) -> list[LoggedModel]:
        """Every version recorded for any of these commits, dirty ones and other apps' too, as MLflow has it."""
        quoted = ", ".join(f"'{s}'" for s in shas)
        return self._search(f"tags.`genaiver.commit` IN ({quoted})") if shas else []

    def version_named(self, name: str) -> VersionRef | None:
        with translated(f"look up the version {name!r}"):
            found = self._named(name)
        return found[0] if found else None

    def version_by_id(self, model_id: str) -> VersionRef | None:
        from mlflow.exceptions import MlflowException

        with translated(f"look up the model {model_id!r}"):
            try:
                return ref_of(self.client().get_logged_model(model_id))
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return None
                raise

    def versions_like(self, prefix: str) -> list[VersionRef]:
        """The versions whose name, or whose commit, starts like this, oldest first."""
        if not prefix or set(prefix) & set("'%\\"):
            return []
        either = (f"name LIKE '{prefix}%'", f"tags.`genaiver.commit` LIKE '{prefix}%'")
        with translated(f"look up versions named {prefix!r}"):
            refs = [ref_of(model) for condition in either for model in self._search(condition)]
        # LIKE takes _ for any character.
        return list({r.model_id: r for r in refs if _starts(r, prefix)}.values())

    def version_names(self, limit: int = 200) -> list[str]:
        """Names of the newest versions, for "did you mean"."""
        with translated("list the recorded versions"):
            found = self.client().search_logged_models(
                [self.experiment_id],
                max_results=limit,
                order_by=[{"field_name": "creation_timestamp", "ascending": False}],
            )
        return [m.name for m in found]

    def start_session(self, name: str, tags: Mapping[str, str], model_id: str) -> str:
        """A new run for this session, as MLflow's evaluation pages list it; never the active run."""
        from mlflow.entities import LoggedModelInput

        with translated("record the session"):
            client = self.client()
            run = client.create_run(self.experiment_id, run_name=name, tags=dict(tags))
            client.log_inputs(run.info.run_id, models=[LoggedModelInput(model_id)])
        return str(run.info.run_id)

    def sessions(self, model_id: str) -> list[SessionRef]:
        """The sessions of a version, newest first, those that were cut short included."""
        with translated("look up the version's sessions"):
            runs = self.client().search_runs(
                [self.experiment_id],
                filter_string=f"tags.`genaiver.model_id` = '{model_id}' AND tags.`genaiver.complete` != ''",
                order_by=["attributes.start_time DESC"],
                max_results=PAGE,
            )
        return [session_ref(r) for r in runs]

    def read_results(self, session: SessionRef) -> str:
        """The text of a session's results artifact. Raises ResultsError where a local store holds none."""
        with translated(f"read the results of run {session.run_id}"):
            return files.read(self.client(), self.place, session.run_id, session.artifact_uri)

    def read_more(self, run_id: str, name: str) -> str | None:
        """The text of another file of a session; None where the session left none."""
        with translated(f"read {name} of run {run_id}"):
            return files.read_if_there(self.client(), self.place, run_id, name)

    def save_results(
        self, run_id: str, text: str, table: Mapping[str, list[Any]], more: Mapping[str, str] | None = None
    ) -> None:
        """The results artifact, the cases as a table for MLflow's pages, and further files by name."""
        with translated("store the results"):
            files.save(self.client(), self.place, run_id, {files.RESULTS: text, **(more or {})}, table)

    def save_metrics(self, run_id: str, model_id: str, metrics: Mapping[str, float]) -> None:
        """Aggregates, on the run and on the version, so that MLflow's version table shows them."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        with translated("store the metrics"):
            self.client().log_batch(
                run_id,
                metrics=[
                    # MLflow records NaN as 0: unknown is unknown.
                    Metric(metric_key(k), v, now, 0, model_id=model_id)
                    for k, v in metrics.items()
                    if math.isfinite(v)
                ],
            )

    def log_params(self, model_id: str, params: Mapping[str, str]) -> None:
        with translated("record the version's parameters"):
            self.client().log_model_params(model_id, dict(params))

    def params(self, model_id: str) -> dict[str, str]:
        with translated("read the version's parameters"):
            return dict(self.client().get_logged_model(model_id).params)

    def end_session(self, run_id: str, tags: Mapping[str, str], *, ok: bool) -> None:
        """The last step of a session: only now may it serve as a baseline."""
        with translated("close the session's run"):
            client = self.client()
            for key, value in tags.items():
                client.set_tag(run_id, key, value)
            client.set_terminated(run_id, "FINISHED" if ok else "FAILED")

    def client(self) -> MlflowClient:
        """MLflow's own client of this store, for what has a file of its own."""
        from mlflow import MlflowClient

        return MlflowClient(self.place.uri)

    def _create_experiment(self, client: MlflowClient, name: str) -> str:
        folder = self.place.artifacts
        if folder is None:
            return str(client.create_experiment(name))
        return str(client.create_experiment(name, artifact_location=folder.as_uri(), tags={files.BESIDE: "beside"}))

    def _search(self, filter_string: str) -> list[LoggedModel]:
        """Oldest first."""
        client = self.client()
        found = pages(
            lambda token: client.search_logged_models(
                [self.experiment_id], filter_string=filter_string, max_results=PAGE, page_token=token
            )
        )
        return sorted(found, key=lambda m: (m.creation_timestamp, m.model_id))


def _active(experiment: Experiment) -> str:
    if experiment.lifecycle_stage != "active":
        raise StoreError(
            f"the MLflow experiment {experiment.name!r} is deleted; restore it with `mlflow experiments restore "
            f"--experiment-id {experiment.experiment_id}`, or name another with genai_experiment"
        )
    return str(experiment.experiment_id)


def _starts(ref: VersionRef, prefix: str) -> bool:
    return ref.name.startswith(prefix) or (ref.commit or "").startswith(prefix)


def ref_of(model: LoggedModel) -> VersionRef:
    tags = model.tags
    return VersionRef(
        model_id=model.model_id,
        name=model.name,
        commit=tags.get("genaiver.commit"),
        variant=tags.get("genaiver.variant"),
        dirty=tags.get("genaiver.dirty") == "true",
        created_ms=model.creation_timestamp,
        runs=tuple(dict.fromkeys(m.run_id for m in model.metrics or () if m.run_id)),
    )


def session_ref(run: Run) -> SessionRef:
    return SessionRef(
        run_id=run.info.run_id,
        artifact_uri=run.info.artifact_uri,
        complete=run.data.tags.get("genaiver.complete") == "true",
        started_ms=run.info.start_time,
        verdict=run.data.tags.get("genaiver.verdict"),
        tests_from=run.data.tags.get("genaiver.tests_from"),
        baseline=run.data.tags.get("genaiver.baseline"),
    )


def metric_key(metric: str) -> str:
    """A metric's name as MLflow takes it as a key."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-. :/") else "_" for c in metric)[:250]
