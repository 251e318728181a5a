from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_genaiver.core.judgements import Judgement, Judgements, key, read
from pytest_genaiver.errors import ResultsError

YES = Judgement(name="polite", value=1.0, rationale="it thanks", given="yes")
BARE = Judgement(name="tone", value=4.0)


def test_a_key_is_who_judges_and_what() -> None:
    def named(mark: str = "judge", output: object = "out", **more: Any) -> str | None:
        return key(mark, more.get("inputs", {"a": 1}), output, more.get("expectations", {"b": 2}))

    assert named() == named()
    assert (named() or "").startswith("judge-")
    others = [named("other"), named(output="no"), named(inputs={"a": 2}), named(expectations={"b": 3})]
    assert len({named(), *others}) == 5
    # An expectation that is called like the output is not the output.
    assert named(expectations={"output": "x"}) != named(output="x", expectations={})


def test_a_value_without_a_form_that_could_be_compared_has_no_key() -> None:
    assert key("judge", {}, object(), {}) is None


def test_what_was_kept_is_found_and_counts_as_used() -> None:
    judgements = Judgements(known={"earlier": [BARE]})
    judgements.keep("new", [YES])
    assert judgements.find("new") == [YES]
    assert judgements.to_json() == {"new": [["polite", 1.0, "it thanks", "yes"]]}
    assert judgements.find("earlier") == [BARE]
    assert set(judgements.to_json()) == set(judgements.known_to_json()) == {"new", "earlier"}


@pytest.mark.parametrize("name", [None, "never asked"])
def test_what_nobody_said_is_not_found(name: str | None) -> None:
    assert Judgements(known={"x": [YES]}).find(name) is None


def test_without_a_key_or_a_value_nothing_is_kept() -> None:
    judgements = Judgements()
    judgements.keep(None, [YES])
    judgements.keep("k", [])
    assert (judgements.known, judgements.used) == ({}, {})


def test_without_reuse_nothing_is_found_but_all_is_kept_for_later_sessions() -> None:
    judgements = Judgements(reuse=False)
    judgements.keep("k", [YES])
    assert judgements.find("k") is None
    assert judgements.to_json() == {"k": [["polite", 1.0, "it thanks", "yes"]]}


def test_json_and_back() -> None:
    judgements = Judgements()
    judgements.keep("k", [YES, BARE])
    assert read(json.loads(json.dumps(judgements.to_json()))) == {"k": [YES, BARE]}


def test_what_was_written_without_the_words_is_read() -> None:
    assert read({"k": [["tone", 4.0, None], ["tone", 4.0, None, ["no", "word"]]]}) == {"k": [BARE, BARE]}


@pytest.mark.parametrize(
    "bad", [[], {"k": 1}, {"k": [1]}, {"k": [[]]}, {"k": [["tone", "high"]]}, {"k": [["tone", 1.0, 3]]}]
)
def test_what_cannot_be_read_names_its_place(bad: object) -> None:
    with pytest.raises(ResultsError, match="judgements" if bad == [] else "k"):
        read(bad)
