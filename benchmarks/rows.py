"""What collecting 10,000 rows of `data=` costs, beside 10,000 plain parameters.

Aim: under 2 s, and within 3x of the plain parameters.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from measure import in_turn

ROWS = 10_000
RUNS = 5

SUITES = {
    "nothing": "",
    "parameters": f"@pytest.mark.parametrize('n', range({ROWS}))\n@pytest.mark.genai_eval\ndef test_it(n): pass\n",
    "rows": "@pytest.mark.genai_eval(data='many.jsonl')\ndef test_it(): pass\n",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        lines = [
            json.dumps({"question": f"What is number {i}?", "expected_response": "a" * 200}) for i in range(ROWS)
        ]
        (project / "many.jsonl").write_text("\n".join(lines))
        for name, text in SUITES.items():
            (project / f"test_{name}.py").write_text(f"import pytest\n\n{text}def test_last(): pass\n")
        pytest = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"]
        env = {"PYTHONDONTWRITEBYTECODE": "", "PYTEST_ADDOPTS": ""}
        found = in_turn({name: [*pytest, f"test_{name}.py"] for name in SUITES}, project, env, RUNS)
    plain, read = (found[name].cpu - found["nothing"].cpu for name in ("parameters", "rows"))
    print("| 10,000 cases | CPU beyond start-up |\n|---|---|")
    print(f"| plain parameters | {plain:.2f} s |\n| rows of a JSONL file | {read:.2f} s ({read / plain:.1f}x) |")


if __name__ == "__main__":
    main()
