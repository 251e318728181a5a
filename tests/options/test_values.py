from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.errors import ConfigError
from pytest_genaiver.options import values as option_values
from pytest_genaiver.options.values import Code, Given


def given(*values: str, folder: Path = Path("/nowhere"), from_ini: bool = False) -> Given:
    return Given(source="--genai-x", values=values, folder=folder, from_ini=from_ini)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", (1, 1, True)), ("5", (5, 5, True)), ("1:5", (1, 5, False)), ("3:3", (3, 3, False))],
)
def test_repeats(text: str, expected: tuple[int, int, bool]) -> None:
    assert option_values.repeats(given(text)) == expected


@pytest.mark.parametrize(
    "text", ["0", "-1", "5:1", "0:2", "1:", ":", ":5", "1:2:3", "1.5", "1_0", "٣", "many", "9" * 5000]
)
def test_bad_repeats_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="give a whole number N, 1 or more, or MIN:MAX"):
        option_values.repeats(given(text))


@pytest.mark.parametrize("text", ["-1", "1.0", "one", ""])
def test_bad_counts_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="give a whole number, 0 or more"):
        option_values.count(given(text))


@pytest.mark.parametrize(("text", "expected"), [("0.05", 0.05), ("1e-3", 0.001), (".5", 0.5)])
def test_alpha(text: str, expected: float) -> None:
    assert option_values.alpha(given(text)) == expected


@pytest.mark.parametrize("text", ["0", "0.51", "1", "-0.1", "nan", "inf", "5%", ""])
def test_bad_alpha_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"above 0 and at most 0\.5"):
        option_values.alpha(given(text))


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False)]
)
def test_booleans(text: str, expected: bool) -> None:
    assert option_values.boolean(given(text)) is expected


def test_a_bad_boolean_is_refused() -> None:
    with pytest.raises(ConfigError, match="allowed: 1, true, yes, on, 0, false, no, off"):
        option_values.boolean(given("maybe"))


def test_a_word_is_refused_with_the_near_one() -> None:
    with pytest.raises(ConfigError, match=r"^--genai-x: 'Strikt' cannot be used; .*did you mean 'strict'\?$"):
        option_values.one_of(given("Strikt"), ["fail", "strict"])


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\x00"])
def test_texts_without_visible_content_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="give a text that is not empty"):
        option_values.text(given(text))


@pytest.mark.parametrize(
    "ref", ["auto", "none", "HEAD~1", "origin/main", "m-0123", "run:main", "v1.2 rc", "a/b.json"]
)
def test_baselines_are_taken_as_given(ref: str) -> None:
    assert option_values.baseline(given(f" {ref} ")) == ref


def test_only_a_results_file_in_the_ini_file_becomes_absolute(tmp_path: Path) -> None:
    assert option_values.baseline(given("a.json", folder=tmp_path, from_ini=True)) == str(tmp_path / "a.json")
    for reference in ("main", "deployed:production", "deployed:eu.json"):
        assert option_values.baseline(given(reference, folder=tmp_path, from_ini=True)) == reference


@pytest.mark.parametrize("ref", ["deployed:", "deployed: x", "deployed:a/b"])
def test_what_runs_nowhere_is_refused(ref: str) -> None:
    with pytest.raises(
        ConfigError, match=f"'{ref}' cannot be used; .* is no name of an environment; allowed: letters"
    ):
        option_values.baseline(given(ref))


def test_a_baseline_is_never_an_option_of_git() -> None:
    with pytest.raises(ConfigError, match="'--upload-pack=x' cannot be used"):
        option_values.baseline(given("--upload-pack=x"))


def test_reports_are_absolute_and_each_once(tmp_path: Path) -> None:
    reports = option_values.reports(given("a.json", "B.JSON", str(tmp_path / "a.json"), folder=tmp_path))
    assert reports == (tmp_path / "a.json", tmp_path / "B.JSON")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("a.htm", "a report's format follows from its suffix; allowed: .json, .md, .html"),
        ("json", "a report's format follows from its suffix; allowed: .json, .md, .html"),
        ("dir.json", "it is a folder; give the path of a file"),
        ("missing/a.json", "there is no folder '.*missing'; make it first"),
    ],
)
def test_reports_that_cannot_be_written_are_refused(tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "dir.json").mkdir()
    with pytest.raises(ConfigError, match=f"^--genai-x: '{path}' cannot be used; {why}$"):
        option_values.reports(given("fine.json", path, folder=tmp_path))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("openai",), ("openai",)),
        (("openai, langchain llama_index",), ("openai", "langchain", "llama_index")),
        (("openai", "openai", "dspy,"), ("openai", "dspy")),
        (("none",), ()),
    ],
)
def test_flavours(values: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert option_values.flavours(given(*values)) == expected


@pytest.mark.parametrize(
    ("values", "named"),
    [((), "''"), (("none, openai",), "'none'"), (("OpenAI",), "'OpenAI'"), (("a-b",), "'a-b'")],
)
def test_bad_flavours_are_refused(values: tuple[str, ...], named: str) -> None:
    with pytest.raises(ConfigError, match=f"^--genai-x: {named} cannot be used; give MLflow flavours"):
        option_values.flavours(given(*values))


def test_a_bad_metric_line_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="genai_metrics line 'tone: loud'"):
        option_values.metrics(given("tone: loud"))


def test_metrics_of_hooks_are_added_and_the_ini_file_wins() -> None:
    declared = (MetricPolicy("tone", min=3.0),)
    answers = [None, [], ["tone: min=1", MetricPolicy("brief")], ("clear: higher",)]
    found = option_values.with_hook_metrics(declared, answers)
    assert [(policy.name, policy.min) for policy in found] == [("tone", 3.0), ("brief", None), ("clear", None)]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (["tone: higher"], "'tone: higher' cannot be used; return a list of MetricPolicy"),
        ([[5]], "5 cannot be used; return a list of MetricPolicy"),
        ([["tone: higher"], [MetricPolicy("tone")]], "the metric 'tone' is named twice"),
    ],
)
def test_bad_metrics_of_hooks_are_refused(answers: list[object], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^pytest_genai_metrics: {message}"):
        option_values.with_hook_metrics((), answers)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "kind"), [("link", "link"), (" archive ", "archive")])
def test_code_is_linked_or_archived(text: str, kind: str) -> None:
    assert option_values.code(given(text)) == Code(kind)


@pytest.mark.parametrize("call", ["mlflow.models.set_model(app)", "if True:\n    set_model(app)"])
def test_code_may_be_a_model(tmp_path: Path, call: str) -> None:
    (tmp_path / "my model.py").write_text(call)
    expected = Code("model", tmp_path / "my model.py")
    assert option_values.code(given("model: my model.py", folder=tmp_path)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "allowed: link, archive, model:PATH"),
        ("archiv", "allowed: link, archive, model:PATH; did you mean 'archive'?"),
        ("link:x", "allowed: link, archive, model:PATH"),
        ("model:", "allowed: link, archive, model:PATH"),
        ("model:gone.py", "gone.py' cannot be read: No such file or directory"),
        ("model:folder", "folder' cannot be read: Is a directory"),
        ("model:prose.py", "prose.py' is not Python: invalid syntax"),
        ("model:zero.py", "zero.py' is not Python: source code string cannot contain null bytes"),
        ("model:app.py", "app.py' is no model: it must call mlflow.models.set_model(...)"),
    ],
)
def test_other_code_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "prose.py").write_text("this is no code")
    (tmp_path / "zero.py").write_bytes(b"\0")
    (tmp_path / "app.py").write_text("def set_model(model): ...\nprint([f for f in ()])")
    with pytest.raises(ConfigError, match=re.escape(why)):
        option_values.code(given(text, folder=tmp_path))
