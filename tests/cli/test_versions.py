"""What a user calls a version."""

from __future__ import annotations

import click
import pytest

from pytest_genaiver.cli.main import main
from pytest_genaiver.cli.project import open_project
from pytest_genaiver.cli.versions import VersionName, find_version
from pytest_genaiver.errors import ConfigError


@pytest.fixture
def find(recorded):
    def by(name, *overrides):
        with click.Context(main, obj=overrides) as context:
            return find_version(open_project(context), name)

    return by


def test_by_name_prefix_commit_branch_tag_and_model_id(recorded, find) -> None:
    old = recorded.session()
    recorded.repo.git("tag", "v1")
    recorded.commit()
    new = recorded.session()
    assert {
        find(name).name for name in (old.name, old.name[:10], old.commit, old.commit[:8], "v1", old.model_id)
    } == {old.name}
    assert {find(name).name for name in ("main", "HEAD", new.name)} == {new.name}


def test_a_commit_that_this_clone_lacks_is_found_by_what_is_recorded(recorded, find) -> None:
    old = recorded.session()
    recorded.repo.git("commit", "--quiet", "--amend", "--message", "other", "--date", "2020-01-01T00:00:00")
    recorded.repo.git("reflog", "expire", "--expire=now", "--all")
    recorded.repo.git("gc", "--quiet", "--prune=now")
    assert find(old.commit[:10]).name == old.name


def test_an_ambiguous_start_lists_them(recorded, find) -> None:
    names = [recorded.session(name=name).name for name in ("agent-v1", "agent-v2")]
    with pytest.raises(ConfigError, match=f"'agent' is the start of several versions: {', '.join(names)}; write"):
        find("agent")


def test_an_underscore_is_no_wildcard(recorded, find) -> None:
    recorded.session(name="agentx1")
    with pytest.raises(ConfigError, match="'agent_' is no recorded version"):
        find("agent_")


def test_variants_of_a_commit(recorded, find) -> None:
    small = recorded.session(variant="small")
    assert find("HEAD").name == small.name
    large = recorded.session(variant="large")
    with pytest.raises(ConfigError, match=r"'HEAD' is recorded as several variants: .*small, .*large; name one"):
        find("HEAD")
    assert find("HEAD", "genai_variant=large").name == large.name
    with pytest.raises(ConfigError, match="of which no session is recorded as variant tiny"):
        find("HEAD", "genai_variant=tiny")


@pytest.mark.parametrize("name", ["", " ", "%", "'", "--all", "a\x1b[31m", "app-", "m-" + "0" * 32, "nope/../.."])
def test_what_is_none_is_said_with_what_is_near(recorded, find, name) -> None:
    version = recorded.session()
    recorded.session(name="app-other")
    with pytest.raises(ConfigError, match=r"near: |recorded: |several versions") as error:
        find(name)
    assert version.name in str(error.value)
    assert "\x1b" not in str(error.value)


def test_a_commit_recorded_dirty_only_says_so(recorded, find) -> None:
    recorded.session(name="app-elsewhere")
    recorded.commit()
    recorded.repo.write("app.py", "# edited\n")
    dirty = recorded.session()
    with pytest.raises(ConfigError, match=f"recorded with uncommitted changes: {dirty.name}"):
        find("HEAD")


def test_names_are_completed(recorded) -> None:
    version = recorded.session()
    with click.Context(main, obj=()) as context:
        argument = click.Argument(["version"])
        found = VersionName().shell_complete(context, argument, "app-")
        assert [item.value for item in found] == [version.name]
        assert VersionName().shell_complete(context, argument, "x") == []


def test_completion_in_a_folder_without_a_record_is_silent(recorded) -> None:
    with click.Context(main, obj=()) as context:
        assert VersionName().shell_complete(context, click.Argument(["version"]), "a") == []
