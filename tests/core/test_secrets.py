from __future__ import annotations

import json

import pytest

from pytest_genaiver.core.secrets import MASK, Mask, secret_values

A20 = "aB3dE5gH7jK9mN1pQ3sT"
A40 = A20 * 2
HEX32 = "0123456789abcdef" * 2
KEY = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEow+/=\nabc\n-----END RSA PRIVATE KEY-----"

SECRETS = [
    f"sk-{A40}",
    f"sk-proj-{A20}_{A20}-x",
    f"sk-or-v1-{HEX32}",
    f"sk-ant-api03-{A20}",
    "pk-lf-01234567-89ab-cdef-0123-456789abcdef",
    f"sk_live_{A20}",
    f"whsec_{A40}",
    "AKIAIOSFODNN7EXAMPLE",
    f"ghp_{A40}",
    f"github_pat_{A40}",
    f"glpat-{A20}",
    f"xoxb-1234567890-{A20}",
    f"xapp-1-{A20}",
    f"https://hooks.slack.com/services/T000/B000/{A20}".partition("https://")[2],
    f"discord.com/api/webhooks/1234567/{A40}",
    f"AIza{A20}{A20[:15]}",
    f"ya29.{A40}",
    f"GOCSPX-{A20}",
    f"hf_{A40}",
    f"dapi{HEX32}",
    f"gsk_{A40}",
    f"fw_{A20}",
    f"nvapi-{A40}",
    f"lsv2_pt_{HEX32}_0123456789",
    f"pcsk_{A40}",
    f"tvly-{A20}",
    f"SG.{A20}.{A40}",
    f"npm_{A20}{A20[:16]}",
    f"pypi-AgE{A40}{A20}",
    f"dckr_pat_{A20}",
    f"dop_v1_{HEX32 * 2}",
    f"SK{HEX32}",
    f"shpat_{HEX32}",
    "NRAK-0123456789ABCDEFGHIJKLMNOPQ",
    f"glsa_{A40}",
    f"hvs.{A40}",
    f"lin_api_{A40}",
    f"AccountKey={A40}==",
    f"AGE-SECRET-KEY-1{'Q' * 58}",
    f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{A20}",
    KEY,
]


@pytest.mark.parametrize("secret", SECRETS, ids=[s[:12] for s in SECRETS])
def test_a_key_of_a_known_shape_is_masked_wherever_it_stands(secret):
    mask = Mask()
    assert mask.text(f"key={secret}, then") == f"key={MASK}, then"
    assert mask.text(f'"{secret}"') == f'"{MASK}"'
    nested = json.dumps({"a": json.dumps({"k": [secret, 1]}), "n": 7})
    assert json.loads(json.loads(mask.text(nested))["a"]) == {"k": [MASK, 1]}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.def-123_45678xyz", f"Authorization: Bearer {MASK}"),
        ("authorization: basic dXNlcjpwYXNzd29yZDE=", f"authorization: basic {MASK}"),
        ("postgres://app:s3cr+t%20@db:5432/x", f"postgres://app:{MASK}@db:5432/x"),
        ("redis://:pw@cache and http://u:p@h", f"redis://:{MASK}@cache and http://u:{MASK}@h"),
        ("a key cut short: -----BEGIN PRIVATE KEY-----\\nMIIE", f"a key cut short: {MASK}"),
    ],
)
def test_what_stands_around_a_secret_stays(text, masked):
    assert Mask().text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "a task-based-approach-to-risk-management-and-desk-work",
        "sk-learn-and-other-long-names-with-hyphens",
        "the bearer of good news was internationalisation",
        "basic understanding",
        "https://example.com:8080/a?b=c@d",
        "mailto://me@example.com",
        "tests/test_support.py::test_topic[AKIA]",
        '{"input_tokens": 12345678, "total_tokens": 123456789012345678}',
        "m-0123456789abcdef0123456789abcdef tr-0123456789abcdef0123456789abcdef",
        "sha256:" + "0123456789abcdef" * 4,
        "short",
    ],
)
def test_what_is_no_secret_stays(text):
    assert Mask(["not-in-any-of-them"]).text(text) == text


def test_the_values_of_secret_looking_variables_are_masked_as_they_are_and_as_json():
    values = secret_values({"APP_SECRET": 'pa"ss\\wörd', "APP_KEY": 'pa"ss\\wörd-longer', "HOME": "/home/me"})
    mask = Mask(values)
    assert mask.text('it is pa"ss\\wörd-longer.') == f"it is {MASK}."
    for ascii in (True, False):
        assert json.loads(mask.text(json.dumps({"k": 'pa"ss\\wörd'}, ensure_ascii=ascii))) == {"k": MASK}


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("API_KEY", "OPENAI_API_KEY_2", "GITHUB_TOKEN", "client_secret", "PGPASSWORD")),
        *((name, True) for name in ("AWS_SECRET_ACCESS_KEY", "SECRET_KEY_BASE", "DB_PASSWD", "X_CREDENTIALS")),
        *((name, False) for name in ("KEYBOARD", "TOKENIZERS_PARALLELISM", "SSH_KEY_PATH", "TOKEN_NAME", "HOME")),
    ],
)
def test_a_variable_is_told_by_its_name(name, secret):
    assert bool(secret_values({name: "aB3-secret-value"})) == secret


@pytest.mark.parametrize(
    "value", ["short", "12345678", "1.5e10000000", "xxxxxxxxxx", "password", "changeme", "not-needed", "  a b c  "]
)
def test_a_trivial_value_is_no_secret(value):
    assert secret_values({"API_KEY": value}) == frozenset()


def test_a_plain_value_is_masked_everywhere_and_kept_where_nothing_is_found():
    mask = Mask(["hunter2-hunter2"])
    clean = {"a": [1, None, True, "b"], "t": (1.5, "c")}
    assert mask.plain(clean) is clean
    assert mask.plain({"hunter2-hunter2": ["hunter2-hunter2", ("x hunter2-hunter2",)], "n": 1}) == {
        MASK: [MASK, (f"x {MASK}",)],
        "n": 1,
    }


def test_a_key_of_a_dict_that_was_clean_is_masked_once_it_is_known_for_a_secret():
    mask = Mask()
    assert mask.plain({"hunter2-hunter2": 1}) == {"hunter2-hunter2": 1}
    mask.learn(["hunter2-hunter2"])
    assert mask.plain({"hunter2-hunter2": 1}) == {MASK: 1}


def test_names_beyond_number_are_not_all_remembered(monkeypatch):
    monkeypatch.setattr("pytest_genaiver.core.secrets._MOST_KEYS", 2)
    mask = Mask()
    mask.plain({f"some-long-name-{i}": i for i in range(5)})
    assert len(mask._clean) == 2
