"""What calls show of the configuration, kept in bounds and in any order."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from pytest_genaiver.core.observed import MOST_NAMES, MOST_VALUES, VARIES, Observed, filled_from, undated

if TYPE_CHECKING:
    from collections.abc import Callable


def prompts(*texts: str) -> dict[str, str]:
    observed = Observed()
    for text in texts:
        observed.system(text)
    return observed.settled()[1]


def test_settings_of_a_model_add_up_over_its_calls() -> None:
    observed = Observed()
    observed.call("gpt-4o", {"temperature": "0.7", "seed": "1"})
    observed.call("gpt-4o", {"temperature": "0"})
    observed.call("gpt-4o", {"temperature": "0"})
    observed.call("embedder", {})
    models, found = observed.settled()
    assert models == {"embedder": {}, "gpt-4o": {"seed": "1", "temperature": "0, 0.7"}}
    assert list(models) == ["embedder", "gpt-4o"]
    assert found == {}


def test_a_system_prompt_is_known_by_its_first_words_and_its_digest() -> None:
    [(name, digest)] = prompts("You are a support agent.\nNever   promise refunds.").items()
    assert name == "system:You are a support agent. Never"
    assert len(digest) == 64
    assert "refunds" not in digest
    assert prompts("You are a support agent.\nNever promise vouchers.")[name] != digest


def test_first_words_are_cut_where_they_are_long() -> None:
    [name] = prompts("x" * 1000)
    assert name == "system:" + "x" * 45 + "..."


def test_an_empty_system_prompt_is_none() -> None:
    assert prompts("", " \n") == {}


def test_texts_that_start_alike_share_a_name() -> None:
    first, second = "You answer for the shop, in German", "You answer for the shop, in French"
    [(name, digests)] = prompts(second, first, first).items()
    assert name == "system:You answer for the shop, in"
    alone = [prompts(text)[name] for text in (first, second)]
    assert digests == ", ".join(sorted(alone))


def test_what_is_filled_in_anew_for_each_call_varies() -> None:
    assert prompts(*(f"You answer about what this page says: {i}" for i in range(MOST_VALUES + 1))) == {
        "system:You answer about what this page": VARIES
    }


@pytest.mark.parametrize(
    ("today", "tomorrow"),
    [
        ("Today is 2026-11-24.", "Today is 2026-11-25."),
        ("Now: 2026-11-24T10:26:54Z", "Now: 2026-11-25T07:00:00.123+02:00"),
        ("Today is Tuesday, November 24, 2026.", "Today is Wednesday, Nov. 25th, 2026."),
        ("Today is 24 November 2026", "Today is 1st December 2026"),
        ("Date: 11/24/2026, 10:26 am", "Date: 1/2/2027, 9:05 pm"),
        ("Session 0b5b1c9e-8a44-4f0e-9a55-3f9f6a3c1d2e", "Session 7b5b1c9e-8a44-4f0e-9a55-3f9f6a3c1d2f"),
    ],
)
def test_the_day_and_the_hour_do_not_count(today: str, tomorrow: str) -> None:
    assert undated(today) == undated(tomorrow)
    assert prompts(today) == prompts(tomorrow)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("At most 50 words.", "At most 60 words."),
        ("We ship on Monday.", "We ship on Friday."),
        ("Python 3.11 only", "Python 3.12 only"),
        ("Give 1/2 of it", "Give 1/3 of it"),
        ("You may say so", "You must say so"),
    ],
)
def test_other_numbers_and_days_count(before: str, after: str) -> None:
    assert undated(before) == before
    assert prompts(before) != prompts(after)


def test_a_prompt_of_the_registry_is_known_by_its_version() -> None:
    observed = Observed()
    observed.registered("support", "3", "Be kind to {{name}}.")
    observed.system("Be kind to Ada.", ["Be kind to {{name}}."])
    observed.system("Be brief.", ["Be kind to {{name}}."])
    assert list(observed.settled()[1]) == ["support@3", "system:Be brief."]


@pytest.mark.parametrize(
    ("text", "template", "expected"),
    [
        ("Be kind.", "Be kind.", True),
        ("Be kind!", "Be kind.", False),
        ("Hello Ada, it is noon.", "Hello {{ name }}, it is {{hour}}.", True),
        ("Hello Ada, it was noon.", "Hello {{ name }}, it is {{hour}}.", False),
        ("Hi Ada, it is noon.", "Hello {{ name }}, it is {{hour}}.", False),
        ("Hello Ada, it is noon", "Hello {{ name }}, it is {{hour}}.", False),
        ("abcabc", "ab{{x}}bc{{y}}bc", False),
        ("aa", "aa{{x}}a", False),
        ("anything", "{{text}}", False),
        ("anything", "", False),
    ],
)
def test_a_filled_template_is_known(text: str, template: str, *, expected: bool) -> None:
    assert filled_from(text, template) is expected


def calls() -> list[Callable[[Observed], None]]:
    """Many calls, more than is kept of everything."""

    def of_model(number: int) -> Callable[[Observed], None]:
        return lambda o: o.call(f"model-{number:03}", {f"s{number % 7}": str(number % 13), "seed": str(number)})

    def of_prompt(number: int) -> Callable[[Observed], None]:
        return lambda o: o.system(f"You are agent {number}" if number < 150 else f"You are the agent of the {number}")

    one_model = [lambda o, n=n: o.call("model-000", {f"setting-{n:03}": "1"}) for n in range(MOST_NAMES + 5)]
    return [*map(of_model, range(MOST_NAMES + 20)), *map(of_prompt, range(200)), *one_model]


def test_what_is_kept_depends_neither_on_order_nor_on_processes() -> None:
    whole = Observed()
    for call in calls():
        call(whole)
    rng = random.Random(7)
    for _ in range(5):
        shuffled = rng.sample(calls(), len(calls()))
        workers = [Observed(), Observed(), Observed()]
        for i, call in enumerate(shuffled):
            call(workers[i % 3])
        merged = Observed()
        for worker in workers:
            merged.add(Observed.from_json(json.loads(json.dumps(worker.to_json()))))
        assert merged.settled() == whole.settled()


def test_that_there_was_more_is_said() -> None:
    observed = Observed()
    for call in calls():
        call(observed)
    models, found = observed.settled()
    assert len(models) == MOST_NAMES + 1
    assert models[f"more than {MOST_NAMES} models"] == {}
    assert f"more than {MOST_NAMES} names" in models["model-000"]
    assert f"more than {MOST_NAMES} names" in found
    assert len(observed.models) == len(observed.prompts) == MOST_NAMES + 1


def test_a_text_that_utf8_cannot_carry_has_a_digest() -> None:
    assert len(prompts("You are \ud800")) == 1
