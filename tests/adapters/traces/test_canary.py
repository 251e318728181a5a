"""MLflow's names that are not public, and what is used of each: a release that moves one fails here, by name."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import pkgutil
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import mlflow
import pytest

import pytest_genaiver

PACKAGE = Path(pytest_genaiver.__file__).parent
INTERNALS = "adapters/traces/internals.py"
WRITER = "adapters/traces/writer.py"
STATE = "adapters/traces/process_state.py"
ATTRIBUTION = "adapters/traces/attribution.py"
JUDGES = "adapters/traces/body_judges.py"
HEALTH = "adapters/tracking/health.py"

FUNCTIONS = [
    ("mlflow.tracing.export.mlflow_v3:MlflowV3SpanExporter.export", ["self", "spans"], INTERNALS),
    ("mlflow.tracing.processor.base_mlflow:flush_all_batch_processors", ["timeout_millis", "terminate"], INTERNALS),
    ("mlflow.tracing.provider:_get_span_processor", [], INTERNALS),
    ("mlflow.tracing.provider:get_context_api", [], INTERNALS),
    ("mlflow.tracing.trace_manager:InMemoryTraceManager.get_instance", [], INTERNALS),
    ("mlflow.tracing.trace_manager:InMemoryTraceManager.get_trace", ["self", "trace_id"], INTERNALS),
    ("mlflow.tracing.trace_manager:InMemoryTraceManager.pop_trace", ["self", "otel_trace_id"], INTERNALS),
    ("mlflow.tracing.trace_manager:InMemoryTraceManager.has_open_spans", ["self", "otel_trace_id"], INTERNALS),
    (
        "mlflow.tracing.trace_manager:InMemoryTraceManager.get_mlflow_trace_id_from_otel_id",
        ["self", "otel_trace_id"],
        INTERNALS,
    ),
    ("mlflow.tracing.utils:maybe_get_request_id", ["is_evaluate"], INTERNALS),
    ("mlflow.tracing.utils:add_size_stats_to_trace_metadata", ["trace"], INTERNALS),
    (
        "mlflow.tracing.utils:calculate_cost_by_model_and_token_usage",
        ["model_name", "usage", "model_provider"],
        INTERNALS,
    ),
    (
        "mlflow.tracing.export.utils:try_link_prompts_to_trace",
        ["client", "trace_id", "prompts", "synchronous"],
        INTERNALS,
    ),
    ("mlflow.tracing.config:get_config", [], STATE),
    ("mlflow.tracing.client:TracingClient._upload_trace_data", ["self", "trace_info", "trace_data"], INTERNALS),
    ("mlflow.tracing.client:TracingClient._upload_attachments", ["self", "trace_info", "attachments"], INTERNALS),
    ("mlflow.tracing.client:TracingClient.start_trace", ["self", "trace_info"], WRITER),
    ("mlflow.tracing.client:TracingClient.log_spans", ["self", "location", "spans"], WRITER),
    ("mlflow.tracing.client:TracingClient.log_assessment", ["self", "trace_id", "assessment"], WRITER),
    ("mlflow.tracing.client:TracingClient.get_trace_info", ["self", "trace_id"], WRITER),
    ("mlflow.store.tracking.abstract_store:AbstractStore.get_experiment", ["self", "experiment_id"], INTERNALS),
    ("mlflow.tracking.fluent:ActiveModelContext.__init__", ["self", "model_id", "set_by_user"], STATE),
    ("mlflow.genai.judges.adapters.base_adapter:BaseJudgeAdapter.invoke", ["self", "input_params"], JUDGES),
    ("mlflow.store.db.utils:_get_latest_schema_revision", [], HEALTH),
    ("mlflow.utils.credentials:get_default_host_creds", ["store_uri"], HEALTH),
    ("mlflow.utils.rest_utils:http_request", ["host_creds", "endpoint", "method", "max_retries"], HEALTH),
    ("mlflow:ActiveModel.__enter__", ["self"], INTERNALS),
    ("mlflow:ActiveModel.__exit__", ["self", "exc_type", "exc_val", "exc_tb"], INTERNALS),
]

ATTRIBUTES = [
    ("mlflow.store.db_migrations:__path__", object, HEALTH),
    ("mlflow.tracing.provider:provider.once._done", bool, INTERNALS),
    ("mlflow.tracking.fluent:_active_experiment_id", (str, type(None)), STATE),
    ("mlflow.tracking.fluent:_ACTIVE_MODEL_CONTEXT.get", object, STATE),
    ("mlflow.tracking.fluent:_ACTIVE_MODEL_CONTEXT.set", object, STATE),
    ("mlflow.tracking.fluent:_ACTIVE_MODEL_CONTEXT.reset", object, STATE),
    ("mlflow.tracking._tracking_service.utils:_tracking_uri", (str, type(None)), STATE),
    ("mlflow.ml_package_versions:GENAI_FLAVOR_TO_MODULE_NAME", dict, INTERNALS),
    ("mlflow.utils.autologging_utils:AUTOLOGGING_INTEGRATIONS", dict, INTERNALS),
    ("mlflow.tracing.constant:TraceMetadataKey.SIZE_BYTES", str, INTERNALS),
    ("mlflow.tracing.client:TracingClient.store", property, INTERNALS),
    ("mlflow.entities:NoOpSpan", type, INTERNALS),
    *(
        (f"mlflow.environment_variables:{name}", object, "adapters/traces/surroundings.py")
        for name in (
            "MLFLOW_USE_BATCH_SPAN_PROCESSOR",
            "MLFLOW_TRACE_BUFFER_MAX_SIZE",
            "MLFLOW_TRACE_BUFFER_TTL_SECONDS",
            "MLFLOW_MODEL_CATALOG_URI",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
            "MLFLOW_HTTP_REQUEST_TIMEOUT",
        )
    ),
    ("mlflow.tracing:context", object, ATTRIBUTION),
    ("mlflow.genai.scorers.base:_in_scorer_call", ContextVar, JUDGES),
]

# Documented packages of MLflow's, whose names its own users import.
PUBLIC_FEATURES = {"adapters/datasets.py", "adapters/scorers/named.py", "adapters/scorers/internals.py"}
PUBLIC = {
    "mlflow",
    "mlflow.artifacts",
    "mlflow.entities",
    "mlflow.exceptions",
    "mlflow.models",
    "mlflow.tracing.client",
}


def resolve(name: str, user: str) -> Any:
    try:
        return pkgutil.resolve_name(name)
    except (ImportError, AttributeError) as error:
        return pytest.fail(f"MLflow {mlflow.__version__} has no {name}, which {user} uses: {error}", pytrace=False)


@pytest.mark.parametrize(("name", "parameters", "user"), FUNCTIONS, ids=[n for n, _, _ in FUNCTIONS])
def test_a_function_takes_what_we_give(name: str, parameters: list[str], user: str) -> None:
    found = list(inspect.signature(resolve(name, user)).parameters)
    assert found[: len(parameters)] == parameters, (
        f"MLflow {mlflow.__version__}: {name} takes {found}, and {user} calls it with {parameters}"
    )


@pytest.mark.parametrize(("name", "kind", "user"), ATTRIBUTES, ids=[n for n, _, _ in ATTRIBUTES])
def test_an_attribute_is_what_we_take_it_for(name: str, kind: Any, user: str) -> None:
    found = resolve(name, user)
    assert isinstance(found, kind), (
        f"MLflow {mlflow.__version__}: {name} is {found!r}, and {user} takes it for {kind}"
    )


def test_the_attributes_of_objects_are_there() -> None:
    """Those that only an instance has."""
    from mlflow.tracing.processor.base_mlflow import BaseMlflowSpanProcessor
    from mlflow.tracing.provider import _get_span_processor

    with mlflow.start_span("canary") as span:
        manager = resolve("mlflow.tracing.trace_manager:InMemoryTraceManager.get_instance", INTERNALS)()
        processor = _get_span_processor()
        with manager.get_trace(span.trace_id) as trace:
            wanted = {
                "InMemoryTraceManager": (manager, ["_traces", "_lock"]),
                "_Trace": (trace, ["info", "span_dict", "is_remote_trace", "to_mlflow_trace"]),
                "LiveSpan": (span, ["end_time_ns", "_attachments"]),
                "BaseMlflowSpanProcessor": (processor, ["_batch_delegate"]),
                "TracingConfig": (resolve("mlflow.tracing.config:get_config", INTERNALS)(), ["span_processors"]),
            }
            for kind, (thing, names) in wanted.items():
                missing = [n for n in names if not hasattr(thing, n)]
                assert not missing, f"MLflow {mlflow.__version__}: {kind} has no {missing}, which {INTERNALS} uses"
    assert isinstance(processor, BaseMlflowSpanProcessor)


def test_what_a_judge_spent_is_told_by_these_fields() -> None:
    output = resolve("mlflow.genai.judges.adapters.base_adapter:AdapterInvocationOutput", JUDGES)
    names = {field.name for field in dataclasses.fields(output)}
    assert {"num_prompt_tokens", "num_completion_tokens", "cost"} <= names


def test_a_scorer_sets_the_variable_that_says_so() -> None:
    variable = resolve("mlflow.genai.scorers.base:_in_scorer_call", JUDGES)
    assert mlflow.genai.scorer(lambda outputs: variable.get())(outputs="x") is True


def test_a_name_that_moved_is_named_with_the_file_that_uses_it() -> None:
    with pytest.raises(
        pytest.fail.Exception, match=r"MLflow .* has no mlflow.tracing:_gone, which .*internals.py uses"
    ):
        resolve("mlflow.tracing:_gone", INTERNALS)


def test_few_files_know_what_is_not_public() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        user = path.relative_to(PACKAGE).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "mlflow":
                private = [a.name for a in node.names if a.name.startswith("_")]
                if node.module not in PUBLIC or private:
                    found.add(user)
            if isinstance(node, ast.Import) and any(a.name.startswith("mlflow.") for a in node.names):
                found.add(user)
    assert found <= {INTERNALS, STATE, JUDGES, HEALTH, *PUBLIC_FEATURES}
