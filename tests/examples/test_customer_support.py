"""The example app runs by hand and under pytest, on the loopback or on the endpoint that it is given."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from fake_llm import FakeLLM

if TYPE_CHECKING:
    from pathlib import Path


def run(examples: Path, *command: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=examples / "customer_support",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_app_answers_by_hand_without_a_key(examples: Path) -> None:
    answer = run(examples, "support_agent.py", "How do I reset my password?", FAKE_LLM_SEED="1")
    assert answer.startswith("Topic: account\n")


def test_the_app_sends_its_prompt_and_the_question_to_the_endpoint_of_a_key(examples: Path) -> None:
    seen = []

    def answer(messages: list[dict[str, str]], n: int) -> str:
        seen.extend((message["role"], message["content"]) for message in messages)
        return "Topic: billing\nReal."

    with FakeLLM(answer=answer) as llm:
        printed = run(examples, "support_agent.py", "A", "refund?", **llm.environment)
    assert printed == "Topic: billing\nReal.\n"
    prompt = (examples / "customer_support" / "prompts" / "system.md").read_text(encoding="utf-8")
    assert seen == [("system", prompt), ("user", "A refund?")]


def test_its_cases_pass_as_plain_tests_and_name_the_seed(examples: Path) -> None:
    printed = run(examples, "-m", "pytest", "-p", "no:cacheprovider", FAKE_LLM_SEED="5")
    assert "support agent: loopback LLM, FAKE_LLM_SEED=5" in printed
    assert "40 passed" in printed


@pytest.mark.story
def test_its_cases_use_a_real_endpoint_when_there_is_a_key_also_in_workers(examples: Path) -> None:
    with FakeLLM(seed=1) as llm:
        printed = run(examples, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2", **llm.environment)
        assert llm.requests == 40
    assert "support agent: real LLM" in printed


@pytest.mark.story
def test_workers_share_the_loopback_of_their_session(examples: Path, tmp_path: Path) -> None:
    ask = (
        "import json, os, urllib.request\n"
        "def pytest_sessionfinish(session):\n"
        "    if not hasattr(session.config, 'workerinput'):\n"
        "        page = os.environ['OPENAI_BASE_URL'].removesuffix('/v1') + '/stats'\n"
        "        with urllib.request.urlopen(page) as response:\n"
        "            print('\\nasked', json.load(response)['requests'])\n"
    )
    (tmp_path / "ask.py").write_text(ask, encoding="utf-8")
    options = ["-s", "-p", "no:cacheprovider", "-p", "ask", "-n", "2"]
    printed = run(examples, "-m", "pytest", *options, PYTHONPATH=str(tmp_path))
    assert "asked 40" in printed
