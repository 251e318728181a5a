from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable

import pytest

from pytest_genaiver.options.settings import SessionGate, Settings, is_active, read_settings
from pytest_genaiver.options.table import EVERYWHERE, INI_ONLY
from pytest_genaiver.options.values import Code

CONFTEST = """
    from pytest_genaiver.options import settings as options

    def pytest_addoption(parser):
        options.add_options(parser)
"""

Configure = Callable[..., pytest.Config]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)
    return pytester


@pytest.fixture
def configure(project: pytest.Pytester) -> Configure:
    def configured(*args: str, ini: str = "", toml: str = "") -> pytest.Config:
        if toml:
            project.makepyprojecttoml(toml)
        else:
            project.makeini(f"[pytest]\n{ini}")
        return project.parseconfig(*args)

    return configured


def refusal(config: pytest.Config, **environ: str) -> str:
    with pytest.raises(pytest.UsageError) as refused:
        read_settings(config, environ)
    return str(refused.value)


def test_defaults(configure: Configure) -> None:
    assert read_settings(configure("--genai-version"), {}) == Settings()


def test_every_option_is_read_from_the_command_line(project: pytest.Pytester, configure: Configure) -> None:
    config = configure(
        "--genai-version",
        "--genai-version-name=v1",
        "--genai-baseline=main",
        "--genai-gate=strict",
        "--genai-require-baseline",
        "--genai-repeats=3",
        "--genai-report=a.json",
        "--genai-report=b.json",
        "--genai-min-cases=7",
    )
    assert read_settings(config, {}) == Settings(
        version_name="v1",
        baseline="main",
        gate=SessionGate.STRICT,
        require_baseline=True,
        repeats=(3, 3),
        fixed=True,
        reports=(project.path / "a.json", project.path / "b.json"),
        min_cases=7,
    )


def test_every_option_is_read_from_the_environment(project: pytest.Pytester, configure: Configure) -> None:
    environ = {
        "GENAI_VERSION_NAME": "v1",
        "GENAI_BASELINE": " main ",
        "GENAI_GATE": "warn",
        "GENAI_REQUIRE_BASELINE": "Yes",
        "GENAI_REPEATS": "2:4",
        "GENAI_REPORT": f"a.json{os.pathsep}b.json",
        "GENAI_MIN_CASES": "0",
    }
    assert read_settings(configure("--genai-version"), environ) == Settings(
        version_name="v1",
        baseline="main",
        gate=SessionGate.WARN,
        require_baseline=True,
        repeats=(2, 4),
        reports=(project.path / "a.json", project.path / "b.json"),
        min_cases=0,
    )


def test_every_key_is_read_from_the_ini_file(project: pytest.Pytester, configure: Configure) -> None:
    project.mkdir("apps").joinpath("model.py").write_text("set_model(1)")
    config = configure(
        "--genai-version",
        ini="""
genai_version_name = v1
genai_baseline = main
genai_gate = off
genai_require_baseline = false
genai_repeats = 1:2
genai_report =
    a.json
    b c.json
genai_min_cases = 3
genai_app = agent
genai_experiment = support team
genai_tracking_uri = http://localhost:5000
genai_code = model: apps/model.py
genai_variant = small
genai_autolog = openai, langchain
genai_alpha = 0.01
genai_metrics =
    accuracy: higher, tolerance=0.02
    latency:  lower, tolerance=10%, gate=warn
""",
    )
    settings = read_settings(config, {})
    assert [(policy.name, policy.gate) for policy in settings.metrics] == [
        ("accuracy", "fail"),
        ("latency", "warn"),
    ]
    assert dataclasses.replace(settings, metrics=()) == Settings(
        version_name="v1",
        baseline="main",
        gate=SessionGate.OFF,
        repeats=(1, 2),
        reports=(project.path / "a.json", project.path / "b c.json"),
        min_cases=3,
        app="agent",
        experiment="support team",
        tracking_uri="http://localhost:5000",
        code=Code("model", project.path / "apps" / "model.py"),
        variant="small",
        autolog=("openai", "langchain"),
        alpha=0.01,
    )


def test_the_command_line_beats_the_environment_beats_the_ini_file(configure: Configure) -> None:
    ini = "genai_gate = off\ngenai_baseline = a\ngenai_min_cases = 2\ngenai_report = a.json"
    settings = read_settings(
        configure("--genai-version", "--genai-gate=strict", "--genai-report=b.json", ini=ini),
        {"GENAI_GATE": "warn", "GENAI_BASELINE": "b"},
    )
    assert (settings.gate, settings.baseline, settings.min_cases) == (SessionGate.STRICT, "b", 2)
    assert [path.name for path in settings.reports] == ["b.json"]


@pytest.mark.parametrize("empty", ["", "  ", os.pathsep])
def test_an_empty_environment_value_counts_as_unset(configure: Configure, empty: str) -> None:
    environ = {"GENAI_REPORT": empty, "GENAI_GATE": "" if empty == os.pathsep else empty}
    settings = read_settings(configure("--genai-version", ini="genai_gate = off"), environ)
    assert (settings.gate, settings.reports) == (SessionGate.OFF, ())


@pytest.mark.parametrize("option", [option for option in EVERYWHERE if option.metavar])
def test_an_empty_value_on_the_command_line_is_refused(configure: Configure, option: object) -> None:
    flag = option.flag  # type: ignore[attr-defined]
    assert refusal(configure("--genai-version", f"{flag}=")).startswith(f"{flag}: '' cannot be used; ")


@pytest.mark.parametrize("option", [option for option in (*EVERYWHERE, *INI_ONLY) if not option.many])
def test_an_empty_value_in_the_ini_file_is_refused(configure: Configure, option: object) -> None:
    key = option.key  # type: ignore[attr-defined]
    message = refusal(configure("--genai-version", ini=f"{key} ="))
    assert message.startswith(f"{key} in tox.ini: '' cannot be used; ")


def test_empty_lists_in_the_ini_file_are_empty_but_for_autolog(configure: Configure) -> None:
    settings = read_settings(configure("--genai-version", ini="genai_report =\ngenai_metrics ="), {})
    assert (settings.reports, settings.metrics) == ((), ())
    message = refusal(configure("--genai-version", ini="genai_autolog ="))
    assert message.startswith("genai_autolog in tox.ini: '' cannot be used; ")


def test_a_bad_value_names_where_it_came_from(configure: Configure) -> None:
    allowed = "'loud' cannot be used; allowed: fail, strict, warn, off"
    assert refusal(configure("--genai-version", "--genai-gate=loud")) == f"--genai-gate: {allowed}"
    assert refusal(configure("--genai-version"), GENAI_GATE="loud") == f"GENAI_GATE: {allowed}"
    in_ini = configure("--genai-version", ini="genai_gate = loud")
    assert refusal(in_ini) == f"genai_gate in tox.ini: {allowed}"
    override = configure("--genai-version", "-o", "genai_gate=loud")
    assert refusal(override) == f"-o genai_gate: {allowed}"


def test_relative_paths_start_from_where_they_were_written(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makeini("[pytest]\ngenai_report = a.json\ngenai_baseline = old.json")
    monkeypatch.chdir(project.mkdir("below"))
    settings = read_settings(project.parseconfig("--genai-version", "--rootdir=.."), {})
    assert settings.reports == (project.path / "a.json",)
    assert settings.baseline == str(project.path / "old.json")
    given = project.parseconfig("--genai-version", "--genai-report=a.json", "--genai-baseline=old.json")
    assert read_settings(given, {}).reports == (project.path / "below" / "a.json",)
    assert read_settings(given, {}).baseline == "old.json"


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("genai_baselin", "did you mean 'genai_baseline'?"),
        ("genai-gate", "did you mean 'genai_gate'?"),
        ("GENAI_GATE", "did you mean 'genai_gate'?"),
        ("genai_zzzzzzzz", "allowed: genai_version_name, genai_baseline,"),
        ("genai_version", "give --genai-version on the command line or in addopts"),
    ],
)
@pytest.mark.parametrize("override", [False, True])
def test_an_unknown_key_is_refused_with_the_near_one(
    configure: Configure, key: str, near: str, override: bool
) -> None:
    args = ("-o", f"{key}=1") if override else ()
    message = refusal(configure("--genai-version", *args, ini="" if override else f"{key} = 1"))
    assert message.startswith(f"{key} is no ")
    assert near in message


def test_keys_of_others_are_left_alone(project: pytest.Pytester, configure: Configure) -> None:
    project.makeconftest(
        CONFTEST.replace(
            "options.add_options(parser)",
            "options.add_options(parser); parser.addini('genai_theirs', 'Registered elsewhere')",
        )
    )
    config = configure("--genai-version", ini="genai_theirs = 1\nunknown = 2")
    assert read_settings(config, {}) == Settings()


def test_no_baseline_contradicts_a_required_one(configure: Configure) -> None:
    config = configure("--genai-version", "--genai-baseline=none", ini="genai_require_baseline = on")
    assert refusal(config).startswith("genai_require_baseline in tox.ini contradicts --genai-baseline 'none'")


def test_a_metric_is_named_once(configure: Configure) -> None:
    config = configure("--genai-version", ini="genai_metrics =\n    tone: higher\n    tone: min=3")
    assert refusal(config) == (
        "genai_metrics in tox.ini: 'tone: min=3' cannot be used; "
        "the metric 'tone' has a line already; keep one of them"
    )


def test_a_list_for_a_single_value_is_refused(configure: Configure) -> None:
    config = configure("--genai-version", toml='[tool.pytest.ini_options]\ngenai_gate = ["fail"]')
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pytest 9.2 deprecates such a list
        message = refusal(config)
    assert message == "genai_gate in pyproject.toml: ['fail'] cannot be used; give one value, not a list"


def test_toml_in_ini_mode_may_hold_numbers_and_lists(configure: Configure) -> None:
    config = configure(
        "--genai-version",
        toml="[tool.pytest.ini_options]\ngenai_alpha = 0.1\ngenai_require_baseline = true\n"
        'genai_autolog = ["openai", "anthropic"]',
    )
    settings = read_settings(config, {})
    assert (settings.alpha, settings.require_baseline) == (0.1, True)
    assert settings.autolog == ("openai", "anthropic")


@pytest.mark.skipif(pytest.version_tuple < (9, 2), reason="typed ini keys came with pytest 9.2")
def test_native_toml_may_hold_numbers_and_booleans(configure: Configure) -> None:
    config = configure(
        "--genai-version",
        toml="[tool.pytest]\ngenai_alpha = 0.1\ngenai_require_baseline = true\ngenai_repeats = 4\n"
        'genai_min_cases = 2\ngenai_metrics = ["tone: higher"]\ngenai_gate = "off"',
    )
    settings = read_settings(config, {})
    assert (settings.alpha, settings.require_baseline, settings.repeats) == (0.1, True, (4, 4))
    assert (settings.min_cases, settings.gate) == (2, SessionGate.OFF)
    assert [policy.name for policy in settings.metrics] == ["tone"]


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="native TOML came with pytest 9")
def test_native_toml_of_another_type_is_a_usage_error(configure: Configure) -> None:
    message = refusal(configure("--genai-version", toml="[tool.pytest]\ngenai_gate = 5"))
    assert "config option 'genai_gate' expects a string, got int: 5" in message


def test_a_type_error_of_pytest_is_a_usage_error(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure("--genai-version")

    def getini(name: str) -> object:
        raise TypeError(f"config option {name!r} expects a string, got int: 5")

    with monkeypatch.context() as patch:
        patch.setattr(config, "getini", getini)
        assert refusal(config) == "config option 'genai_repeats' expects a string, got int: 5"


def test_an_option_without_the_flag_is_refused(configure: Configure) -> None:
    with pytest.raises(pytest.UsageError) as caught:
        is_active(configure("--genai-repeats=3"))
    assert str(caught.value) == (
        "--genai-repeats needs --genai-version, which turns the plugin on; "
        "for a default that waits for it, use the ini key genai_repeats"
    )
