"""One MLflow experiment as a record of versions and sessions."""

from __future__ import annotations

import contextlib
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_genaiver.adapters.tracking.place import Place, locked, make_folder, moved
from pytest_genaiver.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

RESULTS = "genaiver/results.json"
_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRef:
    """A recorded version, as a search finds it."""

    model_id: str
    name: str
    commit: str | None
    variant: str | None
    dirty: bool
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRef:
    """A recorded session of a version; `complete` is False for one that was cut short."""

    run_id: str
    artifact_uri: str
    complete: bool
    started_ms: int


class Store:
    """Every method raises StoreError, with one sentence, where MLflow or the database behind it fails."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.experiment_id = ""

    def open(self, experiment: str) -> str:
        """Connect, make the schema of a new local store, find or make the experiment; returns its id."""
        with self._translated(f"open the MLflow store {shown_uri(self.place.uri)!r}"), locked(self.place):
            if self.place.artifacts is not None:
                make_folder(self.place.artifacts)
            client = self._client()
            found = client.get_experiment_by_name(experiment)
            self.experiment_id = found.experiment_id if found else self._create_experiment(client, experiment)
        return self.experiment_id

    def find(self, experiment: str) -> bool:
        """Whether the experiment exists; makes nothing."""
        with self._translated(f"open the MLflow store {shown_uri(self.place.uri)!r}"):
            found = self._client().get_experiment_by_name(experiment)
            self.experiment_id = found.experiment_id if found else ""
        return bool(self.experiment_id)

    def version(self, name: str, tags: Mapping[str, str], params: Mapping[str, str]) -> str:
        """The model id of the version of this name; made once, however many sessions ask at the same time."""
        with self._translated(f"record the version {name!r}"), locked(self.place):
            if known := self._named(name):
                return known[0].model_id
            client = self._client()
            made = client.create_logged_model(
                self.experiment_id, name=name, tags=dict(tags), params=dict(params), model_type="genai_app"
            )
            client.finalize_logged_model(made.model_id, "READY")
            return self._settled(made.model_id, name) if self.place.database is None else made.model_id

    def _settled(self, made: str, name: str) -> str:
        """On a server nothing can be locked: of several made at once the oldest stays, the others are dropped."""
        time.sleep(0.1)
        oldest = self._named(name)[0].model_id
        if oldest != made:
            self._client().delete_logged_model(made)
        return oldest

    def _named(self, name: str) -> list[VersionRef]:
        return self._search(f"name = '{name}'")

    def versions_of_commits(self, shas: Sequence[str], app: str) -> list[VersionRef]:
        """The clean versions of this app recorded for any of these commits (full SHAs)."""
        quoted = ", ".join(f"'{s}'" for s in shas)
        with self._translated("look up recorded versions"):
            found = self._search(f"tags.`genaiver.commit` IN ({quoted}) AND tags.`genaiver.app` = '{_literal(app)}'")
        return [v for v in found if not v.dirty]

    def version_named(self, name: str) -> VersionRef | None:
        with self._translated(f"look up the version {name!r}"):
            found = self._search(f"name = '{_literal(name)}'")
        return found[0] if found else None

    def version_by_id(self, model_id: str) -> VersionRef | None:
        from mlflow.exceptions import MlflowException

        with self._translated(f"look up the model {model_id!r}"):
            try:
                return _ref(self._client().get_logged_model(model_id))
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return None
                raise

    def version_names(self, limit: int = 200) -> list[str]:
        """Names of the newest versions, for "did you mean"."""
        with self._translated("list the recorded versions"):
            found = self._client().search_logged_models(
                [self.experiment_id],
                max_results=limit,
                order_by=[{"field_name": "creation_timestamp", "ascending": False}],
            )
        return [m.name for m in found]

    def start_session(self, name: str, tags: Mapping[str, str], model_id: str) -> str:
        """A new run for this session, as MLflow's evaluation pages list it; never the active run."""
        from mlflow.entities import LoggedModelInput

        with self._translated("record the session"):
            client = self._client()
            run = client.create_run(self.experiment_id, run_name=name, tags=dict(tags))
            client.log_inputs(run.info.run_id, models=[LoggedModelInput(model_id)])
        return str(run.info.run_id)

    def sessions(self, model_id: str) -> list[SessionRef]:
        """The sessions of a version, newest first, those that were cut short included."""
        with self._translated("look up the version's sessions"):
            runs = self._client().search_runs(
                [self.experiment_id],
                filter_string=f"tags.`genaiver.model_id` = '{model_id}' AND tags.`genaiver.complete` != ''",
                order_by=["attributes.start_time DESC"],
                max_results=_PAGE,
            )
        return [_session_ref(r) for r in runs]

    def read_results(self, session: SessionRef) -> str:
        """The text of a session's results artifact."""
        with self._translated(f"read the results of run {session.run_id}"):
            folder = moved(session.artifact_uri, self.place)
            if folder is not None:
                return (folder / RESULTS).read_text(encoding="utf-8")
            with tempfile.TemporaryDirectory() as tmp:
                path = self._client().download_artifacts(session.run_id, RESULTS, tmp)
                return Path(path).read_text(encoding="utf-8")

    def save_results(self, run_id: str, text: str, table: Mapping[str, list[Any]]) -> None:
        """The results artifact, and the cases as a table for MLflow's pages."""
        with self._translated("store the results"):
            client = self._client()
            recorded = str(client.get_run(run_id).info.artifact_uri)
            folder = moved(recorded, self.place)
            if folder is not None and folder != moved(recorded, Place(uri=self.place.uri)):
                (folder / RESULTS).parent.mkdir(parents=True, exist_ok=True)
                (folder / RESULTS).write_text(text, encoding="utf-8")
                return
            client.log_text(run_id, text, RESULTS)
            client.log_table(run_id, dict(table), "genaiver/cases.json")

    def save_metrics(self, run_id: str, model_id: str, metrics: Mapping[str, float]) -> None:
        """Aggregates, on the run and on the version, so that MLflow's version table shows them."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        with self._translated("store the metrics"):
            self._client().log_batch(
                run_id, metrics=[Metric(_key(k), v, now, 0, model_id=model_id) for k, v in metrics.items()]
            )

    def log_params(self, model_id: str, params: Mapping[str, str]) -> None:
        with self._translated("record the version's parameters"):
            self._client().log_model_params(model_id, dict(params))

    def params(self, model_id: str) -> dict[str, str]:
        with self._translated("read the version's parameters"):
            return dict(self._client().get_logged_model(model_id).params)

    def end_session(self, run_id: str, tags: Mapping[str, str], *, ok: bool) -> None:
        """The last step of a session: only now may it serve as a baseline."""
        with self._translated("close the session's run"):
            client = self._client()
            for key, value in tags.items():
                client.set_tag(run_id, key, value)
            client.set_terminated(run_id, "FINISHED" if ok else "FAILED")

    def trace_ids(self, run_id: str) -> set[str]:
        """The ids of all traces that the store holds for a session."""
        ids: set[str] = set()
        token: str | None = None
        with self._translated("count the stored traces"):
            while True:
                page = self._client().search_traces(
                    locations=[self.experiment_id],
                    run_id=run_id,
                    include_spans=False,
                    max_results=_PAGE,
                    page_token=token,
                )
                ids.update(t.info.trace_id for t in page)
                token = page.token
                if not token:
                    return ids

    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(self.place.uri)

    def _create_experiment(self, client: MlflowClient, name: str) -> str:
        folder = self.place.artifacts
        return str(client.create_experiment(name, artifact_location=folder.as_uri() if folder else None))

    def _search(self, filter_string: str) -> list[VersionRef]:
        found: list[VersionRef] = []
        token: str | None = None
        while True:
            page = self._client().search_logged_models(
                [self.experiment_id], filter_string=filter_string, max_results=_PAGE, page_token=token
            )
            found += [_ref(m) for m in page]
            token = page.token
            if not token:
                return sorted(found, key=lambda v: (v.created_ms, v.model_id))

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            # A user's filter that turns warnings into errors is about the user's code, not MLflow's.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except StoreError:
            raise
        except Exception as error:
            raise StoreError(f"cannot {doing}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """The first line of what went wrong, without credentials."""
    first = (str(error).splitlines() or [""])[0].strip()
    return f"{type(error).__name__}: {first}"[:300] if first else type(error).__name__


def shown_uri(uri: str) -> str:
    """A tracking URI as it may be printed: without user and password."""
    scheme, mark, rest = uri.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def _ref(model: LoggedModel) -> VersionRef:
    tags = model.tags
    return VersionRef(
        model_id=model.model_id,
        name=model.name,
        commit=tags.get("genaiver.commit"),
        variant=tags.get("genaiver.variant"),
        dirty=tags.get("genaiver.dirty") == "true",
        created_ms=model.creation_timestamp,
    )


def _session_ref(run: Run) -> SessionRef:
    return SessionRef(
        run_id=run.info.run_id,
        artifact_uri=run.info.artifact_uri,
        complete=run.data.tags.get("genaiver.complete") == "true",
        started_ms=run.info.start_time,
    )


def _literal(text: str) -> str:
    """MLflow's filters have no escape for a quote; names and apps never hold one."""
    return text.replace("'", "")


def _key(metric: str) -> str:
    """A metric's name as MLflow takes it as a key."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-. :/") else "_" for c in metric)[:250]
