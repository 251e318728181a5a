from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_genaiver.collecting.marker import (
    COPIED_LEVELS,
    MARKER_LINE,
    EvalOptions,
    case_inputs,
    read_marker,
)
from pytest_genaiver.errors import ConfigError

Collect = Callable[..., list[pytest.Item]]


@pytest.fixture
def collect(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Collect:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def collected(source: str, *, conftest: str = "") -> list[pytest.Item]:
        pytester.makepyfile(test_it=f"import pytest\nmark = pytest.mark.genai_eval\n{source}")
        pytester.makeconftest(conftest)
        pytester.makeini(f"[pytest]\nmarkers = {MARKER_LINE}\naddopts = --strict-markers\n")
        return pytester.inline_genitems()[0]

    return collected


@pytest.fixture
def only(collect: Collect) -> Callable[..., pytest.Item]:
    def single(source: str, **kwargs: Any) -> pytest.Item:
        (item,) = collect(source, **kwargs)
        return item

    return single


Only = Callable[..., pytest.Item]


def options_of(item: pytest.Item) -> EvalOptions:
    options = read_marker(item)
    assert options is not None
    return options


def refusal(item: pytest.Item) -> str:
    with pytest.raises(ConfigError) as caught:
        read_marker(item)
    return str(caught.value)


def test_an_unmarked_test_has_no_options(only: Only) -> None:
    assert read_marker(only("def test_it(): pass")) is None


@pytest.mark.parametrize("mark", ["@mark", "@mark()"])
def test_a_bare_marker_has_the_documented_defaults(only: Only, mark: str) -> None:
    item = only(f"{mark}\ndef test_it(): pass")
    assert read_marker(item) == EvalOptions(
        target=None,
        data=None,
        scorers=(),
        repeats=None,
        expectations=None,
        versions=(),
        gate="fail",
        soft=None,
        variant_params=(),
    )


def test_the_registered_line_shows_the_signature() -> None:
    assert MARKER_LINE.startswith(
        "genai_eval(target=None, data=None, scorers=(), repeats=None, expectations=None, versions=None, "
        'gate="fail", soft=False, variant_params=()): '
    )


def test_the_nearest_marker_wins_argument_by_argument(collect: Collect) -> None:
    items = collect("""
pytestmark = mark(repeats=2, gate="warn", expectations={"topic": "any"})

@mark(repeats=3)
class TestA:
    @mark(gate="off")
    @pytest.mark.parametrize("n", [1, pytest.param(2, marks=mark(repeats=4))])
    def test_a(self, n): pass

def test_b(): pass
""")
    found = [(options_of(item).repeats, options_of(item).gate) for item in items]
    assert found == [(3, "off"), (4, "off"), (2, "warn")]
    assert {options_of(item).expectations["topic"] for item in items} == {"any"}  # type: ignore[index,call-overload]


def test_a_distant_marker_is_checked_although_a_nearer_one_wins(only: Only) -> None:
    item = only("pytestmark = mark(repeats=0)\n@mark(repeats=1)\ndef test_it(): pass")
    assert "repeats=0 cannot be used" in refusal(item)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("3", "takes keyword arguments only, got 3: write @pytest.mark.genai_eval(repeats=3)"),
        ("repeat=3", "expectations, versions, gate, soft, variant_params; did you mean 'repeats'?"),
        ("zzz=3", "has no argument 'zzz'; allowed: target, data, scorers, repeats, expectations, versions, "),
        ("repeats=0", "repeats=0 cannot be used; give a whole number, 1 or more"),
        ("repeats=True", "repeats=True cannot be used; give a whole number, 1 or more"),
        ("repeats=2.0", "repeats=2.0 cannot be used; give a whole number, 1 or more"),
        ("gate='strict'", "gate='strict' cannot be used; allowed: 'fail', 'warn', 'off'"),
        ("gate=None", "gate=None cannot be used; allowed: 'fail', 'warn', 'off'"),
        ("gate=[]", "gate=[] cannot be used; allowed: 'fail', 'warn', 'off'"),
        ("expectations='topic'", "move from inputs to expectations; for one name write ('topic',)"),
        ("expectations=['topic']", "expectations=['topic'] cannot be used; give a dict with string keys, or"),
        ("expectations={1: 2}", "expectations={1: 2} cannot be used; give a dict with string keys, or"),
        ("expectations=(1,)", "expectations=(1,) cannot be used; give a dict with string keys, or"),
        (
            "expectations=('topic',)",
            "expectations names 'topic', which is no parameter of this test; parameters: none: the test",
        ),
        ("target=3", "target=3 cannot be used; give a function, 'package.module:function', or a fixture's name"),
        ("target=' '", "target=' ' cannot be used; give a function, 'package.module:function', or a fixture's name"),
        ("scorers=3", "scorers=3 cannot be used; give a list of scorers"),
        ("versions=2", "versions=2 cannot be used; give a list of names, each once"),
        ("soft=1", "soft=1 cannot be used; allowed: True, False"),
        ("variant_params='model'", "cannot be used; give a tuple of parameter names; for one name write ('model',)"),
        ("variant_params=(1,)", "variant_params=(1,) cannot be used; give a tuple of parameter names"),
        (
            "variant_params=('model',)",
            "variant_params names 'model', which is no parameter of this test; parameters: none: the test",
        ),
    ],
)
def test_a_bad_argument_is_refused(only: Only, arguments: str, message: str) -> None:
    refused = refusal(only(f"@mark({arguments})\ndef test_it(): pass"))
    assert refused.startswith("test_it.py::test_it: genai_eval ")
    assert message in refused


@pytest.mark.parametrize(
    "arguments",
    [
        "target=None, data=None, scorers=(), versions=None, variant_params=()",
        "scorers=[], repeats=None, expectations=None",
    ],
)
def test_defaults_may_be_written_out(only: Only, arguments: str) -> None:
    assert options_of(only(f"@mark({arguments})\ndef test_it(): pass")) == EvalOptions()


def test_refusing_an_argument_never_compares_it(only: Only) -> None:
    item = only("""
class Table:
    def __eq__(self, other): raise TypeError("a table is no bool")
    def __repr__(self): return "a table of\\n" + 100 * "x"

@mark(versions=Table())
def test_it(): pass
""")
    assert f" versions=a table of {66 * 'x'}... cannot be used;" in refusal(item)


def inputs_of(item: pytest.Item) -> tuple[dict[str, Any], dict[str, Any]]:
    return case_inputs(item, options_of(item))


def test_parameters_are_inputs_in_their_order(only: Only) -> None:
    item = only("""
@mark
@pytest.mark.parametrize("b, a", [(1, 2)])
@pytest.mark.parametrize(argnames=["c"], argvalues=[[3]])
def test_it(a, b, c): pass
""")
    inputs, expectations = inputs_of(item)
    assert (inputs, expectations) == ({"c": 3, "b": 1, "a": 2}, {})


def test_named_parameters_move_to_the_expectations(only: Only) -> None:
    item = only("""
@mark(expectations=("topic", "topic"))
@pytest.mark.parametrize("question, topic", [("why?", "reasons")])
def test_it(question, topic): pass
""")
    assert inputs_of(item) == ({"question": "why?"}, {"topic": "reasons"})


def test_a_dict_of_expectations_is_copied(collect: Collect) -> None:
    one, two = collect("@mark(expectations={'facts': ['a']})\nclass TestIt:\n"
                       "    def test_a(self): pass\n    def test_b(self): pass")  # fmt: skip
    inputs_of(one)[1]["facts"].append("b")
    assert inputs_of(two) == ({}, {"facts": ["a"]})


FIXTURES = """
@pytest.fixture(params=["small", "large"][:1])
def model(request): return request.param

@pytest.fixture
def client(request): return request.param

@pytest.fixture(params=[0], autouse=True)
def seed(request): return request.param

@pytest.fixture
def prompt(): return "default"
"""


@pytest.mark.parametrize(
    ("parametrize", "inputs"),
    [
        ("'client, question', [(1, 'why?')], indirect=['client']", {"question": "why?"}),
        ("'client, question', [(1, 'why?')], indirect=('client', 'question')", {}),
        ("['client', 'question'], [(1, 'why?')], indirect=True", {}),
        ("'question', ['why?'], indirect=False", {"question": "why?"}),
    ],
)
def test_parameters_of_fixtures_are_no_inputs(only: Only, parametrize: str, inputs: dict[str, Any]) -> None:
    question = "" if inputs else "@pytest.fixture\ndef question(request): return request.param"
    argument = "client" if "client" in parametrize else "prompt"
    item = only(
        f"{FIXTURES}\n{question}\n@mark\n@pytest.mark.parametrize({parametrize})\n"
        f"def test_it(model, {argument}, question): pass"
    )
    assert inputs_of(item)[0] == inputs
    assert {"model", "seed", "question"} <= set(item.callspec.params)  # type: ignore[attr-defined]


@pytest.mark.skipif(pytest.version_tuple >= (9,), reason="indirect is a keyword from pytest 9 on")
def test_indirect_may_be_positional(only: Only) -> None:
    item = only(f"{FIXTURES}\n@mark\n@pytest.mark.parametrize('client', [1], True)\ndef test_it(client): pass")
    assert inputs_of(item)[0] == {}


def test_a_parameter_that_replaces_a_fixture_is_an_input(only: Only) -> None:
    item = only(f"{FIXTURES}\n@mark\n@pytest.mark.parametrize('prompt', ['x'])\ndef test_it(prompt): pass")
    assert inputs_of(item)[0] == {"prompt": "x"}


def test_parameters_from_a_hook_are_inputs_unless_a_fixture_takes_them(only: Only) -> None:
    item = only(
        f"{FIXTURES}\n@mark\ndef test_it(question, client): pass",
        conftest="""
            def pytest_generate_tests(metafunc):
                metafunc.parametrize("question", ["why?"])
                metafunc.parametrize("client", [1], indirect=True)
        """,
    )
    assert inputs_of(item)[0] == {"question": "why?"}


def test_expectations_cannot_name_a_fixtures_parameter(only: Only) -> None:
    item = only(f"{FIXTURES}\n@mark(expectations=('model',))\n"
                "@pytest.mark.parametrize('a, b', [(1, 2)])\ndef test_it(model, a, b): pass")  # fmt: skip
    assert refusal(item).endswith("names 'model', which is no parameter of this test; parameters: 'a', 'b'")


def test_containers_are_copied_and_all_else_is_shared(only: Only) -> None:
    item = only("""
class Client:
    def __deepcopy__(self, memo): raise TypeError

@mark
@pytest.mark.parametrize("x", [{"messages": [{"tags": {"a"}}], "pair": ([1],), "client": Client()}])
def test_it(x): pass
""")
    given = item.callspec.params["x"]  # type: ignore[attr-defined]
    copy = inputs_of(item)[0]["x"]
    assert copy == given
    assert copy["client"] is given["client"]
    copy["messages"][0]["tags"].add("b")
    copy["messages"].append({})
    copy["pair"][0].append(2)
    assert (given["messages"], given["pair"]) == ([{"tags": {"a"}}], ([1],))


def test_copies_end_at_a_depth_so_that_cycles_end(only: Only) -> None:
    item = only("loop = []\nloop.append(loop)\n@mark\n@pytest.mark.parametrize('x', [loop])\ndef test_it(x): pass")
    level = inputs_of(item)[0]["x"]
    original = item.callspec.params["x"]  # type: ignore[attr-defined]
    for _ in range(COPIED_LEVELS - 2):
        assert level is not original
        level = level[0]
    assert level[0] is original


def test_a_parameter_belongs_to_the_app_or_to_what_is_expected(only: Only) -> None:
    item = only("@mark(variant_params=['a'], expectations=('b', 'a'))\n"
                "@pytest.mark.parametrize('a, b', [(1, 2)])\ndef test_it(a, b): pass")  # fmt: skip
    assert refusal(item).endswith(
        "names 'a' in variant_params and in expectations: is it the app's or the case's? drop one"
    )


def test_a_variant_may_come_from_a_fixture(only: Only) -> None:
    item = only(f"{FIXTURES}\n@mark(variant_params=('model',))\ndef test_it(model): pass")
    assert options_of(item).variant_params == ("model",)
