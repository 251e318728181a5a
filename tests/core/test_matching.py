from __future__ import annotations

import pytest

from pytest_genaiver.core.matching import match
from pytest_genaiver.core.results import CaseResult
from pytest_genaiver.core.variants import full_id, with_variant


def cases(*given):
    """Of (bare id, model, digest); a model None is no variant."""
    found = {}
    for bare, model, *digest in given:
        variant = {} if model is None else {"model": model}
        name = with_variant(bare, variant)
        function = bare.partition("[")[0]
        found[name] = CaseResult(id=name, digest=(digest or [bare])[0], function=function, variant=variant)
    return found


def alone(model, *names):
    """As a session with one variant records them: ids without it."""
    variant = {"model": model}
    return {n: CaseResult(id=n, digest=n, function=n.partition("[")[0], variant=variant) for n in names}


def test_each_variant_is_compared_with_itself():
    found = match(cases(("t[q]", "a"), ("t[q]", "b")), cases(("t[q]", "b"), ("t[q]", "a")))
    assert found.same == {"t[q]{model=a}": "t[q]{model=a}", "t[q]{model=b}": "t[q]{model=b}"}
    assert found.variants == {}


def test_one_variant_that_went_is_replaced_by_the_one_that_came():
    found = match(cases(("t[q]", "a"), ("t[q]", "b")), cases(("t[q]", "b"), ("t[q]", "c")))
    assert found.same == {"t[q]{model=b}": "t[q]{model=b}", "t[q]{model=c}": "t[q]{model=a}"}
    assert found.variants == {"model=c": "model=a"}
    assert found.renamed == {}


def test_sessions_with_one_variant_each_meet_by_their_bare_ids():
    found = match(alone("a", "t[q]"), alone("b", "t[q]", "t[new]"))
    assert found.same == {"t[q]": "t[q]"}
    assert found.variants == {"model=b": "model=a"}


def test_a_session_with_one_variant_meets_one_with_several():
    found = match(alone("a", "t[q]"), cases(("t[q]", "a"), ("t[q]", "b")))
    assert found.same == {"t[q]{model=a}": "t[q]"}
    assert found.variants == {}


@pytest.mark.parametrize(("before", "now"), [("ab", "c"), ("a", "bc"), ("ab", "cd")])
def test_which_one_was_replaced_must_be_certain(before, now):
    found = match(cases(*(("t", m) for m in before)), cases(*(("t", m) for m in now)))
    assert (found.same, found.renamed, found.changed, found.variants) == ({}, {}, {}, {})


def test_a_variant_that_was_left_out_by_selection_did_not_go():
    before = cases(("t[q]", "a"))
    found = match(before, cases(("t[q]", "b")), not_collected=lambda name: name == full_id(before["t[q]{model=a}"]))
    assert (found.same, found.variants) == ({}, {})


def test_each_function_has_its_own_variants():
    found = match(cases(("t", "a"), ("u", "x")), cases(("t", "b"), ("u", "y")))
    assert found.same == {"t{model=b}": "t{model=a}", "u{model=y}": "u{model=x}"}
    assert found.variants == {"model=b": "model=a", "model=y": "model=x"}


def test_a_variant_that_would_replace_two_replaces_none():
    found = match(cases(("t", "a"), ("u", "x")), cases(("t", "b"), ("u", "b")))
    assert (found.same, found.variants) == ({}, {})


def test_cases_that_get_a_variant_for_the_first_time_keep_their_history():
    found = match(cases(("t[q]", None), ("u", None)), cases(("t[q]", "a"), ("u", None)))
    assert found.same == {"t[q]{model=a}": "t[q]", "u": "u"}
    assert found.variants == {"model=a": ""}


def test_a_case_is_renamed_or_changed_within_its_variant():
    before = cases(("t[0]", "a", "one"), ("t[0]", "b", "one"), ("t[1]", "a", "two"), ("t[1]", "b", "two"))
    now = cases(("t[9]", "a", "one"), ("t[9]", "b", "one"), ("t[1]", "a", "TWO"), ("t[1]", "b", "two"))
    found = match(before, now)
    assert found.renamed == {"t[9]{model=a}": "t[0]{model=a}", "t[9]{model=b}": "t[0]{model=b}"}
    assert found.changed == {"t[1]{model=a}": "t[1]{model=a}"}
    assert found.same == {"t[1]{model=b}": "t[1]{model=b}"}
