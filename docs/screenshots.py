"""Makes the pictures of docs/reports.md: `python docs/screenshots.py`.

Plays the demo's day up to the worse prompt, with an HTML report, and takes pictures of it with Playwright in Debian's
Chromium: on a desktop, on a phone, and dark.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
IMAGES = DOCS / "images"
VIEWS = {
    "report-desktop": {"viewport": {"width": 1280, "height": 900}},
    "report-dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "report-phone": {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True},
}


def report(folder: Path) -> Path:
    """The HTML report of a session that regressed, made by the example app."""
    sys.path.insert(0, str(DOCS.parent / "examples"))
    import demo

    project = demo.Project(repository=folder / "support-app", results=folder / "results")
    demo.create(project)
    demo.record_baseline(project)
    (project.repository / "prompts" / "system.md").write_text(demo.WORSE_PROMPT, encoding="utf-8")
    project.commit("Simplify the prompt")
    options = ["--genai-version", "--genai-report", "../results/worse.html"]
    command = [sys.executable, "-m", "pytest", *options]
    run = project._run(command, FAKE_LLM_SEED=str(demo.WORSE_SEED))
    assert run.exit_code == 1, run.stdout + run.stderr
    return project.results / "worse.html"


def main() -> int:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Debian's package chromium is needed: apt install chromium", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = report(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, options in VIEWS.items():
            page = browser.new_context(**options).new_page()
            page.goto(page_file.as_uri())
            page.wait_for_function("document.documentElement.dataset.ready")
            page.screenshot(path=IMAGES / f"{name}.png")
            print(IMAGES / f"{name}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
