from __future__ import annotations

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.likely import is_thin, likely
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.core.results import CaseResult, SessionFacts, Version, VersionResults


def session(*cases):
    """Of parameters, a case each; those under "variant" are variant parameters."""
    found = {}
    for given in cases:
        params = dict(given)
        variant = params.pop("variant", {})
        function = params.pop("function", "t.py::test")
        name = f"{function}[{'-'.join(params.values())}]"
        digest = repr(sorted(params.items()))
        held = {**params, **variant}
        found[name] = CaseResult(id=name, digest=digest, function=function, variant=variant, params=held)
    facts = SessionFacts(id="s", started="2025-06-01T10:00:00Z", complete=True, repeats=1)
    return VersionResults(version=Version(name="app-1", app="app"), session=facts, cases=found)


def questions(model, number=4, **more):
    return [{"question": f"q{i}", "model": model, **more} for i in range(number)]


def compared(before, now):
    return compare(pool([session(*before)]), session(*now))


def test_a_parameter_that_took_another_value_in_every_case_is_named_with_the_line_that_leaves_it_out():
    comparison = compared(questions("small"), questions("tiny"))
    found = likely(comparison)
    assert (is_thin(comparison), found.parameter, found.before, found.now) == (True, "model", ("small",), ("tiny",))
    assert (found.cases, found.marker) == (4, '@pytest.mark.genai_eval(variant_params=("model",))')


def test_variants_that_there_are_stay_on_the_line():
    variant = {"temperature": "0"}
    found = likely(compared(questions("small", variant=variant), questions("tiny", variant=variant)))
    assert found.marker == '@pytest.mark.genai_eval(variant_params=("model", "temperature"))'
    assert (
        likely(compared(questions("small", variant=variant), questions("tiny", variant={"temperature": "1"}))) is None
    )


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param(questions("small"), questions("small"), id="nothing changed"),
        pytest.param(questions("small"), questions("tiny", function="t.py::other"), id="another function"),
        pytest.param(questions("small", 1), questions("tiny", 4), id="it explains a quarter only"),
        pytest.param([{"a": "1", "b": "1"}], [{"a": "2", "b": "2"}], id="two changed at once"),
        pytest.param([{}], questions("tiny"), id="it had no parameters"),
        pytest.param(questions("small"), [{}], id="it has none any more"),
    ],
)
def test_where_no_single_parameter_explains_it_none_is_named(before, now):
    assert likely(compared(before, now)) is None


def test_thin_is_less_than_half():
    small = questions("small")
    assert not is_thin(compared(small[:2], small))
    assert is_thin(compared(small[:1], small))
    assert not is_thin(compare(None, session(*small)))
    assert likely(compare(None, session(*small))) is None
    assert not is_thin(compared(small, []))
