"""When two scorers' values may be compared, and when not."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from mlflow.genai import scorer
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import Correctness, Guidelines, Safety, Scorer, make_scorer_ensemble

from pytest_genaiver.adapters.scorers.fingerprints import fingerprint, made_of, source, version_of
from pytest_genaiver.adapters.scorers.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path


def of(given: object) -> str:
    return resolve(given).fingerprint


def from_file(path: Path, text: str) -> dict[str, Any]:
    path.write_text(text, encoding="utf-8")
    found: dict[str, Any] = {}
    exec(compile(text, str(path), "exec"), found)
    return found


def tone(**changed: Any) -> Any:
    settings: dict[str, Any] = {"name": "tone", "instructions": "Is {{ outputs }} kind?", "model": "openai:/a"}
    return make_judge(**(settings | changed))


class Within(Scorer):
    name: str = "within"
    limit: int = 100

    def __call__(self, *, outputs: str) -> bool:
        return len(outputs) <= self.limit


def test_it_is_16_characters_of_hex() -> None:
    assert len(of(Within)) == 16
    int(of(Within), 16)


FUNCTION = "def brief(outputs):\n    return len(outputs) < 100\n"


@pytest.mark.parametrize("decorated", ["", "from mlflow.genai import scorer\n"])
def test_a_functions_own_source_counts_never_its_files(tmp_path: Path, decorated: str) -> None:
    mark = "@scorer\n" if decorated else ""
    first = from_file(tmp_path / "a.py", decorated + mark + FUNCTION)["brief"]
    moved = from_file(tmp_path / "b.py", f"X = 1\n{decorated}\n\n{mark}{FUNCTION}\ndef other(): pass\n")["brief"]
    changed = from_file(tmp_path / "c.py", decorated + mark + FUNCTION.replace("100", "200"))["brief"]
    assert of(first) == of(moved)
    assert of(first) != of(changed)


def test_a_name_counts() -> None:
    assert of(scorer(lambda outputs: True, name="a")) != of(scorer(lambda outputs: True, name="b"))


def test_what_a_function_was_made_with_counts() -> None:
    def longer(than: int, other: object = None) -> Any:
        def long(outputs: str) -> bool:
            return len(outputs) > than or other is None

        return long

    assert of(longer(1)) == of(longer(1))
    assert of(longer(1)) != of(longer(2))
    assert of(longer(1, object())) == of(longer(1, object()))

    def least(outputs: str, least: int = 0) -> bool:
        return len(outputs) > least

    assert of(functools.partial(least, least=1)) != of(functools.partial(least, least=2))


def test_an_objects_configuration_counts() -> None:
    class Longer:
        def __init__(self, than: int) -> None:
            self.than, self.lock = than, object()

        def __call__(self, outputs: str) -> bool:
            return len(outputs) > self.than

        def method(self, outputs: str) -> bool:
            return self(outputs)

    assert of(Longer(1)) == of(Longer(1))
    assert of(Longer(1)) != of(Longer(2))
    assert of(Longer(1).method) != of(Longer(2).method)


def test_a_function_without_source_counts_by_its_code() -> None:
    def made(text: str) -> Any:
        found: dict[str, Any] = {}
        exec(text, found)
        return found["f"]

    assert of(made("def f(outputs): return 1")) == of(made("def f(outputs): return 1"))
    assert of(made("def f(outputs): return 1")) != of(made("def f(outputs): return not outputs"))
    assert source(len) == "builtins.len"
    assert made_of(len) == ["builtins.len"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (tone(), tone(model="openai:/b")),
        (tone(), tone(instructions="Is {{ outputs }} polite?")),
        (tone(), tone(feedback_value_type=int)),
        (tone(), tone(inference_params={"temperature": 0})),
        (Correctness(), Correctness(model="openai:/a")),
        (Correctness(), Safety()),
        (Guidelines(name="a", guidelines="Be kind."), Guidelines(name="a", guidelines="Be brief.")),
        (Within(), Within(limit=5)),
        (
            make_scorer_ensemble(name="e", scorers=[tone()], ensemble_fn="majority_vote"),
            make_scorer_ensemble(name="e", scorers=[tone(model="openai:/b")], ensemble_fn="majority_vote"),
        ),
    ],
)
def test_a_judges_model_prompt_and_configuration_count(first: object, second: object) -> None:
    assert of(first) != of(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (tone(), tone(description="said in other words")),
        (tone(), tone(extra_headers={"Authorization": "secret"})),
        (tone(), tone(base_url="http://127.0.0.1:1/v1")),
        (Safety(), Safety(extra_headers={"Authorization": "secret"})),
        (Safety, Safety()),
        (Safety(), Safety(description="said in other words")),
    ],
)
def test_where_a_judge_is_and_who_asks_it_do_not_count(first: object, second: object) -> None:
    assert of(first) == of(second)


def test_the_default_model_counts_as_if_it_had_been_named(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of(Safety())
    monkeypatch.setenv("MLFLOW_GENAI_JUDGE_DEFAULT_MODEL", "openai:/b")
    assert of(Safety()) != before
    assert resolve(Safety()).model == "openai:/b"


def test_mlflows_version_counts_for_what_is_mlflows(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_genaiver.adapters.scorers import mlflow_scorers

    before = {name: of(given) for name, given in (("judge", Safety()), ("own", Within()))}
    monkeypatch.setattr(mlflow_scorers, "version_of", lambda package: "99")
    assert of(Safety()) != before["judge"]
    assert of(Within()) == before["own"]


def test_an_ensemble_by_a_function_of_ones_own_counts_by_its_members() -> None:
    def ensemble(model: str) -> Any:
        return make_scorer_ensemble(name="e", scorers=[tone(model=model)], ensemble_fn=lambda values: values[0])

    assert of(ensemble("openai:/a")) == of(ensemble("openai:/a"))
    assert of(ensemble("openai:/a")) != of(ensemble("openai:/b"))


def test_every_process_finds_the_same(tmp_path: Path) -> None:
    code = (
        "from mlflow.genai.scorers import Correctness\n"
        "from pytest_genaiver.adapters.scorers.resolve import resolve\n"
        "print(resolve(Correctness()).fingerprint)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout.split()[-1] == of(Correctness())


def test_parts_are_told_apart_without_addresses_or_order() -> None:
    assert fingerprint("a", "b") != fingerprint("ab")
    assert fingerprint({"x": object(), "y": 1}) == fingerprint({"y": 1, "x": object()})
    assert fingerprint({"a", "b", "c"}) == fingerprint({"c", "b", "a"})
    assert version_of("no-such-package") == ""
    assert version_of("pytest")
