from __future__ import annotations

import pytest

from pytest_genaiver.options.table import EVERYWHERE, INI_ONLY

CONFTEST = """
    import os

    from pytest_genaiver.options import settings as options

    def pytest_addoption(parser):
        options.add_options(parser)

    def pytest_configure(config):
        if options.is_active(config):
            options.read_settings(config, os.environ)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)
    return pytester


def test_without_the_flag_the_ini_file_is_not_looked_at(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\ngenai_gate = loud\ngenai_repeats = many")
    project.makepyfile("def test_plain(): pass")
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize("args", [("--genai-version", "--genai-repeats=0"), ("--genai-repeats=3",)])
def test_a_mistake_ends_the_run_with_one_line_and_exit_code_4(
    project: pytest.Pytester, args: tuple[str, ...]
) -> None:
    result = project.runpytest(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in result.stderr.lines if line]
    assert len(lines) == 1
    assert lines[0].startswith("ERROR: --genai-repeats")


def test_a_prefix_of_an_option_is_not_expanded(project: pytest.Pytester) -> None:
    result = project.runpytest("--genai-version-n=v1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unrecognized arguments: --genai-version-n=v1"])


def test_help_shows_every_option_and_key_in_one_style(project: pytest.Pytester) -> None:
    result = project.runpytest("--help")
    assert result.ret == pytest.ExitCode.OK
    text = result.stdout.str()
    assert "genai version regression:" in text
    for option in EVERYWHERE:
        assert option.flag in text
    for option in (*EVERYWHERE, *INI_ONLY):
        assert f"  {option.key}" in text
        assert option.help[0].isupper() or option.help.startswith("MLflow")
        assert option.help.endswith(".") == (". " in option.help)
