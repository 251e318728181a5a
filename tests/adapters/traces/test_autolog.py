"""Which client libraries are traced, from when to when."""

from __future__ import annotations

import logging
import subprocess
import sys
import types
from typing import TYPE_CHECKING, Any

import mlflow
import pytest

from pytest_genaiver.adapters.traces import internals
from pytest_genaiver.adapters.traces.autolog import Autolog, flavours
from pytest_genaiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import App, SessionMaker
    from pytest_genaiver.adapters.tracking.store import Store


def is_traced() -> bool:
    from openai.resources.chat.completions import Completions

    return hasattr(Completions.create, "__wrapped__") or "safe_patch" in repr(Completions.create)


@pytest.fixture
def user_configured() -> Iterator[None]:
    """Undoes what a test configured as a user does."""
    yield
    mlflow.openai.autolog(disable=True, silent=True)
    internals.autologging("openai").clear()


def test_a_flavour_mlflow_does_not_trace_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"genai_autolog: MLflow does not trace 'opneai'; allowed: none or any of .*openai"
    ):
        Autolog(["openai", "opneai"])


def test_openai_anthropic_and_litellm_are_flavours() -> None:
    assert {"openai": "openai", "anthropic": "anthropic", "litellm": "litellm"}.items() <= flavours().items()


def test_without_a_list_every_flavour_is_wanted_and_an_empty_one_wants_none(app: App) -> None:
    import openai  # noqa: F401

    for wanted, expected in ((None, True), ([], False), (["anthropic"], False), (["openai"], True)):
        autolog = Autolog(wanted)
        autolog.enable()
        try:
            assert bool(internals.autologging("openai")) is expected
        finally:
            autolog.disable()
        assert internals.autologging("openai") == {}


def test_the_clients_methods_are_the_real_ones_again() -> None:
    from openai.resources.chat.completions import Completions

    before = Completions.create
    autolog = Autolog(["openai"])
    autolog.enable()
    assert Completions.create is not before
    autolog.disable()
    assert Completions.create is before


@pytest.mark.usefixtures("user_configured")
@pytest.mark.parametrize("configured", [{"disable": True}, {"log_traces": False}, {"log_traces": True}])
def test_what_the_user_configured_stays(
    store: Store, session_on: SessionMaker, app: App, configured: dict[str, bool]
) -> None:
    mlflow.openai.autolog(**configured, silent=True)
    before = dict(internals.autologging("openai"))

    session = session_on(store)
    ran = session.run(app.ask)
    session.finish()
    session.stop()

    assert internals.autologging("openai") == before
    assert ran.measured.calls == (1 if configured == {"log_traces": True} else 0)


@pytest.mark.usefixtures("user_configured")
def test_what_the_user_configures_within_the_session_stays_after_it(
    store: Store, session_on: SessionMaker, app: App
) -> None:
    session = session_on(store)
    session.run(lambda: mlflow.openai.autolog(log_traces=False, silent=True))
    assert session.run(app.ask).measured.calls == 0
    session.finish()
    session.stop()
    assert internals.autologging("openai")["log_traces"] is False


def test_a_library_that_mlflow_cannot_trace_is_a_warning_and_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """mlflow.groq needs what this stand-in for groq has not."""
    (tmp_path / "groq.py").write_text("VALUE = 7\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "groq", raising=False)
    autolog = Autolog(["groq"])
    autolog.enable()
    try:
        with caplog.at_level(logging.WARNING, "pytest_genaiver"):
            import groq  # type: ignore[import-not-found,unused-ignore]
        assert groq.VALUE == 7
        assert "MLflow could not trace groq" in caplog.text
    finally:
        autolog.disable()
        sys.modules.pop("groq", None)


def test_an_error_while_stopping_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config: dict[str, Any] = {}

    def odd(*, disable: bool = False, silent: bool = False) -> None:
        if disable:
            raise RuntimeError("cannot")
        config["silent"] = silent

    monkeypatch.setitem(sys.modules, "mlflow.groq", types.SimpleNamespace(autolog=odd))  # type: ignore[misc]
    monkeypatch.setattr(internals, "autologging", lambda name: config)
    monkeypatch.setitem(sys.modules, "groq", types.ModuleType("groq"))
    autolog = Autolog(["groq"])
    autolog.enable()
    with caplog.at_level(logging.WARNING, "pytest_genaiver"):
        autolog.disable()
    assert "MLflow could not stop tracing groq: cannot" in caplog.text


LAZY = """
import sys, warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", module="mlflow")
from pathlib import Path
from pytest_genaiver.adapters.traces.autolog import Autolog
from pytest_genaiver.adapters.traces.scope import Destination, Scope
from pytest_genaiver.adapters.traces.surroundings import Surroundings, calm, prepare
from pytest_genaiver.adapters.traces.tracer import Tracer
from pytest_genaiver.adapters.tracking.place import place_of
from pytest_genaiver.adapters.tracking.store import Store
with calm():
    prepare()
    store = Store(place_of(sys.argv[1], Path.cwd()))
    experiment = store.open("lazy")
    model = store.version("v", {}, {})
    run = store.start_session("s", {}, model)
    to = Destination(tracking_uri=store.place.uri, experiment_id=experiment, model_id=model, run_id=run)
    tracer, autolog = Tracer(to, surroundings=Surroundings(to)), Autolog(None)
    tracer.start()
    autolog.enable()
assert "openai" not in sys.modules
scope = Scope(key="0", test_name="t")
with tracer.open(scope), tracer.root(scope, "t", {}):
    import openai
    client = openai.OpenAI(base_url=sys.argv[2], api_key="none", max_retries=0)
    with client:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
loader = openai.__spec__.loader
print(tracer.measured(scope).calls, type(loader).__name__, openai.__loader__ is loader)
tracer.close(scope, ())
print(tracer.finish().missing)
"""


def test_a_client_first_imported_in_a_test_is_traced_from_its_first_call(
    new_store: Any, app: App, tmp_path: Path
) -> None:
    """With warnings as errors, as many suites have them."""
    command = [sys.executable, "-c", LAZY, f"sqlite:///{new_store()}", app.base_url]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1 SourceFileLoader True", "{}"]
