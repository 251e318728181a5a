from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from pytest_genaiver.core.policy import MetricPolicy
from pytest_genaiver.core.pooling import NEWEST, pool
from pytest_genaiver.core.results import SCHEMA, CaseResult, SessionFacts, Version, VersionResults
from pytest_genaiver.errors import ResultsError


def case(name="test_a.py::test[x]", digest="d1", **scores):
    return CaseResult(id=name, digest=digest, function=name.partition("[")[0], scores=scores)


def session(*cases, key="s1", repeats=1, verdict="pass", moved=(), **version):
    version = {"name": "app-11111111", "app": "app", "tree": "t1", **version}
    return VersionResults(
        version=Version(**version),
        session=SessionFacts(
            id=key, started="2025-06-01T10:00:00Z", complete=True, repeats=repeats, verdict=verdict, moved=moved
        ),
        cases={case.id: case for case in cases},
    )


def full():
    return VersionResults(
        version=Version(
            name="app-11111111",
            app="app",
            model_id="m-1",
            commit="1" * 40,
            branch="main",
            dirty=True,
            variant="small",
            tree="t",
            remote="https://example.com/app.git",
            tested="2" * 40,
        ),
        session=SessionFacts(
            id="s1",
            run_id="r1",
            started="2025-06-01T10:00:00Z",
            seconds=1.5,
            complete=False,
            cut_short="KeyboardInterrupt",
            repeats=2,
            traces_produced=4,
            traces_stored=3,
            calls_failed=1,
            command="pytest -x",
        ),
        policy=[MetricPolicy("on_topic", kind="binary", min=0.5)],
        cases={
            "test_a.py::test[x]": CaseResult(
                id="test_a.py::test[x]",
                digest="d1",
                function="test_a.py::test",
                gate="warn",
                scores={"on_topic": [1.0, None], "brief": [0.25, 0.5]},
                traces=["tr-1", "tr-2"],
                location="test_a.py:3",
                notes=["off topic"],
                variant={"model": "small"},
            )
        },
    )


def plain(**changes):
    data = json.loads(json.dumps(full().to_json()))
    for path, value in changes.items():
        *folders, last = path.split("__")
        inner = data
        for folder in folders:
            inner = inner[folder]
        inner[last] = value
    return data


def test_the_json_form_gives_back_what_was_recorded():
    assert VersionResults.from_json(json.loads(json.dumps(full().to_json()))) == full()


def test_the_json_form_has_the_documented_keys():
    data = full().to_json()
    assert list(data) == ["schema", "version", "session", "policy", "cases"]
    assert data["schema"] == SCHEMA
    recorded = data["cases"]["test_a.py::test[x]"]
    assert recorded["scores"] == {"on_topic": [1.0, None], "brief": [0.25, 0.5]}
    assert (recorded["digest"], recorded["traces"]) == ("d1", ["tr-1", "tr-2"])


def test_values_that_json_cannot_say_are_written_as_missing():
    results = session(case(score=[math.nan, math.inf, -math.inf, np.float32(0.5), True]))
    results.session = replace(results.session, seconds=math.nan)
    data = results.to_json()
    assert data["cases"]["test_a.py::test[x]"]["scores"]["score"] == [None, None, None, 0.5, 1.0]
    assert data["session"]["seconds"] is None
    json.dumps(data, allow_nan=False)


def test_lone_surrogates_in_ids_survive():
    results = session(case("test_a.py::test[\udc80]", score=[1.0]))
    assert VersionResults.from_json(json.loads(json.dumps(results.to_json()))) == results


def test_the_least_that_the_documented_form_needs_is_enough():
    results = VersionResults.from_json(
        {
            "schema": 1,
            "version": {"name": "v", "app": "a"},
            "session": {"id": "s", "started": "", "complete": True, "repeats": 3},
            "cases": {"t.py::test[a[b]]": {"digest": "d", "scores": {"ok": [True, 0, None]}}},
        }
    )
    assert results.cases["t.py::test[a[b]]"] == CaseResult(
        id="t.py::test[a[b]]", digest="d", function="t.py::test", scores={"ok": [1.0, 0.0, None]}
    )
    assert results.policy == []


def test_unknown_keys_are_ignored_everywhere():
    data = plain(decision={}, version__x=1, session__x=1)
    data["policy"][0]["x"] = 1
    data["cases"]["test_a.py::test[x]"]["x"] = 1
    assert VersionResults.from_json(data) == full()


CASE = "cases__test_a.py::test[x]"
IN_CASE = "cases['test_a.py::test[x]']"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("schema", 2, "schema is 2, newer than 1, .*: upgrade pytest-genaiver"),
        ("schema", 0, "schema is 0, but the first one is 1"),
        ("schema", "1", "schema must be a whole number, not '1'"),
        ("schema", True, "schema must be a whole number, not True"),
        ("version", [], "version must be an object, not a list"),
        ("version__name", None, "version.name must be a string, not null"),
        ("version__dirty", 1, "version.dirty must be true or false, not 1"),
        ("version__commit", 7, "version.commit must be a string or null, not 7"),
        ("session__repeats", -1, "session.repeats is -1, but it must be 0 or more"),
        ("session__repeats", 1.5, "session.repeats must be a whole number, not 1.5"),
        ("session__traces_stored", "x", "session.traces_stored must be a whole number or null, not 'x'"),
        ("session__seconds", math.inf, "session.seconds must be a finite number or null, not inf"),
        ("policy", {}, "policy must be a list, not an object"),
        ("policy", [3], r"policy\[0\] must be an object, not 3"),
        ("policy", [{"name": "x", "kind": "odd"}], r"policy\[0\] is not a metric's policy: .*'odd'"),
        ("policy", [{"name": "x", "min": 10**400}], r"policy\[0\] is not a metric's policy: "),
        ("policy", [{"kind": "score"}], r"policy\[0\] is not a metric's policy: .*no name"),
        ("cases", None, "cases must be an object, not null"),
        (CASE, 5, r"cases\['test_a.py::test\[x\]'\] must be an object, not 5"),
        (f"{CASE}__digest", 5, r"\.digest must be a string, not 5"),
        (f"{CASE}__function", 5, r"\.function must be a string, not 5"),
        (f"{CASE}__gate", "maybe", r"\.gate is 'maybe', but must be one of fail, warn, off"),
        (f"{CASE}__variant", ["x"], r"\.variant must be an object, not a list"),
        (f"{CASE}__variant", {"m": 5}, r"\.variant\['m'\] must be a string, not 5"),
        (f"{CASE}__scores", [], r"\.scores must be an object, not a list"),
        (f"{CASE}__scores__m", 1, r"\.scores\['m'\] must be a list, not 1"),
        (f"{CASE}__scores__m", [1, "x\x1b"], r"\.scores\['m'\]\[1\] must be a finite number or null, not 'x\\x1b'"),
        (f"{CASE}__scores__m", [math.nan], r"\.scores\['m'\]\[0\] must be a finite number or null, not nan"),
        (f"{CASE}__scores__m", [10**400], r"\.scores\['m'\]\[0\] must be a finite number or null, not inf"),
        (f"{CASE}__traces", [1], r"\.traces\[0\] must be a string, not 1"),
        (f"{CASE}__notes", "abc", r"\.notes must be a list, not 'abc'"),
        (f"{CASE}__location", ["x" * 99], r"\.location must be a string or null, not a list"),
        (f"{CASE}__gate", "x" * 99, r"\.gate is 'x{56}\.\.\., but"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(path, value, message):
    with pytest.raises(ResultsError, match=message):
        VersionResults.from_json(plain(**{path: value}))


@pytest.mark.parametrize("path", ["schema", "version", "session", "cases"])
def test_a_missing_part_is_named(path):
    data = plain()
    del data[path]
    with pytest.raises(ResultsError, match=f"^the data has no '{path}'$"):
        VersionResults.from_json(data)


@pytest.mark.parametrize(
    ("part", "key"), [("version", "app"), ("session", "complete"), ("cases__test_a.py::test[x]", "digest")]
)
def test_a_missing_field_is_named(part, key):
    data = plain()
    inner = data
    for folder in part.split("__"):
        inner = inner[folder]
    del inner[key]
    with pytest.raises(ResultsError, match=f"has no '{key}'$"):
        VersionResults.from_json(data)


def test_data_that_is_no_object_is_refused():
    with pytest.raises(ResultsError, match="the data must be an object, not 'results'"):
        VersionResults.from_json("results")


def test_metrics_are_named_once_in_the_order_they_were_seen():
    results = session(case("a", passed=[1.0], brief=[1.0]), case("b", brief=[1.0], tone=[3.0]))
    assert results.metric_names() == ["passed", "brief", "tone"]


def test_no_session_makes_no_pool():
    with pytest.raises(ValueError, match="no session"):
        pool([])


def test_sessions_of_a_version_are_pooled_newest_first():
    newest = session(case(ok=[1.0, None]), key="s2", repeats=2)
    oldest = session(case(ok=[0.0, 1.0]), key="s1", repeats=2)
    pooled = pool([newest, oldest])
    assert pooled.version == newest.version
    assert pooled.sessions == (newest.session, oldest.session)
    assert pooled.cases["test_a.py::test[x]"].scores == {"ok": [1.0, None, 0.0, 1.0]}
    assert pooled.cases["test_a.py::test[x]"].sessions == {"ok": ["s2", "s2", "s1", "s1"]}
    assert pooled.cases["test_a.py::test[x]"].function == "test_a.py::test"


def test_only_the_balanced_prefix_of_a_session_enters_its_pool():
    retried = session(case(ok=[1.0, 0.0, 0.0, 0.0]), repeats=1)
    assert pool([retried]).cases["test_a.py::test[x]"].scores == {"ok": [1.0]}


def test_the_newest_values_of_a_case_are_kept_and_missing_ones_take_no_room():
    newest = session(case(ok=[None] * 3 + [1.0] * (NEWEST - 1)), key="s3", repeats=30)
    middle = session(case(ok=[0.1, None, 0.2]), key="s2", repeats=3)
    oldest = session(case(ok=[0.3]), key="s1")
    pooled = pool([newest, middle, oldest]).cases["test_a.py::test[x]"]
    assert pooled.scores["ok"] == [None] * 3 + [1.0] * (NEWEST - 1) + [0.2]
    assert len(pooled.sessions["ok"]) == len(pooled.scores["ok"])


def test_values_under_another_digest_are_left_out():
    newest = session(case("a", "new", ok=[1.0]), key="s2")
    oldest = session(case("a", "old", ok=[0.0]), case("b", "d", ok=[0.5]), key="s1")
    pooled = pool([newest, oldest])
    assert pooled.cases["a"].digest == "new"
    assert pooled.cases["a"].scores == {"ok": [1.0]}
    assert pooled.cases["b"].scores == {"ok": [0.5]}, "a case that only an older session holds is part of the union"


def test_sessions_of_one_version_that_tested_another_tree_are_left_out():
    newest = session(case(ok=[1.0]), key="s3", tree="merge-2")
    other = session(case(ok=[0.0]), case("b", ok=[0.0]), key="s2", tree="merge-1")
    same = session(case(ok=[0.5]), key="s1", tree="merge-2")
    pooled = pool([newest, other, same])
    assert [facts.id for facts in pooled.sessions] == ["s3", "s1"]
    assert pooled.cases.keys() == {"test_a.py::test[x]"}
    assert pooled.trees == ("merge-2", "merge-1")


def test_ancestors_add_values_but_no_cases_whatever_their_tree():
    here = session(case(ok=[1.0]), key="s3", tree="t3")
    ancestor = session(case(ok=[0.0]), case("gone", ok=[0.0]), key="s2", name="app-0", tree="t2")
    stale = session(case(ok=[0.5]), key="s1", name="app-0", tree="t1")
    pooled = pool([here, ancestor, stale])
    assert pooled.cases.keys() == {"test_a.py::test[x]"}
    assert pooled.cases["test_a.py::test[x]"].scores == {"ok": [1.0, 0.0]}
    assert pooled.trees == ("t3",)


@pytest.mark.parametrize("verdict", ["regressed", "improved", None])
def test_a_version_that_was_found_changed_or_was_never_judged_ends_the_reach_into_its_ancestors(verdict):
    here = session(case(ok=[1.0]), key="s2", verdict=verdict)
    ancestor = session(case(ok=[0.0]), key="s1", name="app-0")
    pooled = pool([here, ancestor])
    assert pooled.cases["test_a.py::test[x]"].scores == {"ok": [1.0]}
    assert [facts.id for facts in pooled.sessions] == ["s2"]


def test_a_metric_that_moved_ends_its_own_reach_alone():
    here = session(case(ok=[1.0], speed=[2.0]), key="s2", moved=("speed",))
    ancestor = session(case(ok=[0.0], speed=[9.0]), key="s1", name="app-0")
    pooled = pool([here, ancestor])
    assert pooled.cases["test_a.py::test[x]"].scores == {"ok": [1.0, 0.0], "speed": [2.0]}


def test_texts_of_a_session_are_read_as_strictly_as_the_rest():
    data = session(case(ok=[1.0]), moved=("a", "b")).to_json()
    assert VersionResults.from_json(json.loads(json.dumps(data))).session.moved == ("a", "b")
    data["session"]["moved"] = [1]
    with pytest.raises(ResultsError, match=r"session\.moved\[0\] must be a string, not 1"):
        VersionResults.from_json(data)


def test_a_snapshot_that_cannot_be_read_is_named_with_its_place():
    data = VersionResults(
        version=Version(name="a", app="a"),
        session=SessionFacts(id="1", started="2026-01-01T00:00:00Z", complete=True, repeats=1),
    ).to_json()
    with pytest.raises(ResultsError, match=r"^snapshot: "):
        VersionResults.from_json({**data, "snapshot": {"schema": "one"}})
