"""The action and the examples of docs/ci.md are what their services read, by the services' public schemas."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema.validators import validator_for
from ruamel.yaml import YAML

from pytest_genaiver.options.table import EVERYWHERE

ROOT = Path(__file__).parents[2]
ACTIONS = [ROOT / "action.yml", ROOT / "comment" / "action.yml"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCHEMAS = {".gitlab-ci.yml": "gitlab-ci", "azure-pipelines.yml": "azure-pipelines"}
USES = re.compile(r"uses: pytest-genaiver/pytest-genaiver(/comment)?@v1")


def load(text):
    # YAML 1.2, as the services read it: in 1.1 the key `on` is true.
    return YAML(typ="safe").load(text)


def documented():
    """File name -> text of the examples in docs/ci.md."""
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    return dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', text, re.MULTILINE | re.DOTALL))


EXAMPLES = documented()


def problems(text, schema):
    schema = json.loads((files("check_jsonschema.builtin_schemas.vendor") / f"{schema}.json").read_text("utf-8"))
    return [error.message for error in validator_for(schema)(schema).iter_errors(load(text))]


def schema_of(name):
    return SCHEMAS.get(name, "github-workflows")


@pytest.mark.parametrize("file", ACTIONS, ids=lambda f: str(f.relative_to(ROOT)))
def test_the_actions_are_actions(file) -> None:
    assert problems(file.read_text(), "github-actions") == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda f: f.name)
def test_our_own_workflows_are_workflows(file) -> None:
    assert problems(file.read_text(), "github-workflows") == []


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name.endswith(".yml")])
def test_the_examples_are_what_their_service_reads(name) -> None:
    assert problems(EXAMPLES[name], schema_of(name)) == []


def test_a_schema_refuses_what_is_wrong() -> None:
    broken = EXAMPLES[".github/workflows/evaluate.yml"].replace("runs-on:", "run-on:")
    assert problems(broken, "github-workflows")


def test_the_examples_give_the_action_inputs_that_it_has() -> None:
    inputs = {"": load(ACTIONS[0].read_text())["inputs"], "/comment": load(ACTIONS[1].read_text())["inputs"]}
    used = 0
    for name, text in EXAMPLES.items():
        if not name.startswith(".github"):
            continue
        for job in load(text)["jobs"].values():
            for step in job["steps"]:
                if found := USES.match(f"uses: {step.get('uses', '')}"):
                    used += 1
                    assert set(step.get("with", {})) <= set(inputs[found[1] or ""]), name
    assert used == 4


def test_every_input_and_output_is_documented() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    action = load(ACTIONS[0].read_text())
    assert [name for name in (*action["inputs"], *action["outputs"]) if f"`{name}`" not in text] == []


def test_options_in_examples_exist() -> None:
    flags = {"--genai-version", *(option.flag for option in EVERYWHERE)}
    text = "\n".join([*EXAMPLES.values(), ACTIONS[0].read_text()])
    assert set(re.findall(r"--genai-[a-z-]+", text)) <= flags


@pytest.mark.parametrize("file", ACTIONS, ids=lambda f: str(f.relative_to(ROOT)))
def test_no_expression_is_pasted_into_a_shell(file) -> None:
    """What a pull request names (a branch, a title) would run as a command."""
    for step in load(file.read_text())["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), step["name"]
