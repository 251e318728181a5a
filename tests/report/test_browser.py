"""The page in a real browser: it sorts, filters and opens, at any width and by keyboard; nothing hostile runs."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pytest_genaiver.core.compare import compare
from pytest_genaiver.core.pooling import pool
from pytest_genaiver.report import html
from pytest_genaiver.report.cases import Recorded, cases_of
from pytest_genaiver.report.parts import Fact, Link

pytestmark = pytest.mark.story

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

if CHROMIUM is None:
    pytest.skip("Debian's package chromium is not installed", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page, and tells what it asked for, said and did."""

    @contextmanager
    def open_page(text, **options):
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(**options)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_function("document.documentElement.dataset.ready")
        yield page
        assert page.asked == [path.as_uri()]
        assert page.said == []
        context.close()

    return open_page


@pytest.fixture
def report(build):
    """A report of so many cases, every text of which is `extra` too."""

    def made(count, extra="", size=0):
        names = [f"tests/test_a.py::test_topic[question-{i:04}{extra}]" for i in range(count)]
        filling = "some words of an answer " * (size // 24)
        old = build.session([build.case(n, ok=[1.0], cost=[0.1]) for n in names], name="app-1")
        now = build.session([build.case(n, ok=[float(i % 4 > 0)], cost=[0.1 + i / 100]) for i, n in enumerate(names)])
        comparison = compare(pool([old]), now)
        bad = build.metric(f"ok{extra}", verdict="regressed", reason=extra, worst=(build.finding(names[0], "ok"),))
        found = build.decision("regressed", bad)
        left = {
            n: {
                "0": {
                    "inputs": {"q": f"why {i}? {extra}"},
                    "output": f"{filling}new {i} {extra}",
                    "logged": {"k": extra},
                }
            }
            for i, n in enumerate(names)
        }
        was = {n: {"0": {"output": f"{filling}old {i} {extra}"}} for i, n in enumerate(names)}
        cases = cases_of(comparison, found, left, Recorded(details=was, traces={n: [extra or "tr-0"] for n in names}))
        link = Link(label=extra, target=f"http://127.0.0.1:9/{extra}")
        summary = replace(
            build.summary(found, now, old, warnings=(extra,)),
            links=(link,),
            since=(Fact(text=extra, names=(extra,)),),
        )
        page = html.Extra(
            cases=cases, history=(), keys={}, traces_page="http://127.0.0.1:9/#/traces/", app=f"a{extra}"
        )
        return html.document(summary, found, page)

    return made


def cases_shown(page):
    return page.locator("#table .open code").evaluate_all("all => all.map(one => one.firstChild.textContent)")


def test_cases_are_sorted_filtered_and_opened(opened, report):
    with opened(report(12)) as page:
        assert page.locator("#found").inner_text() == "12 of 12 cases"
        assert cases_shown(page)[:3] == [f"test_topic[question-000{i}]" for i in (0, 4, 8)]

        page.get_by_role("button", name="case", exact=True).click()
        assert cases_shown(page)[:2] == ["test_topic[question-0000]", "test_topic[question-0001]"]
        page.get_by_role("button", name="case", exact=True).click()
        assert cases_shown(page)[0] == "test_topic[question-0011]"
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
        page.get_by_role("button", name="ok", exact=True).click()
        assert sorted(cases_shown(page)[:3]) == [f"test_topic[question-000{i}]" for i in (0, 4, 8)]

        page.get_by_role("button", name="worse 3").click()
        assert page.locator("#found").inner_text() == "3 of 12 cases"
        page.get_by_role("button", name="worse 3").click()
        page.get_by_label("Filter by text").fill("NEW 7")
        assert cases_shown(page) == ["test_topic[question-0007]"]

        page.locator("#table .open").click()
        details = page.locator("tr.details")
        assert details.locator("del").inner_text() == "old "
        assert details.locator("ins").inner_text() == "new "
        assert "q: why 7?" in details.inner_text()
        trace = details.get_by_role("link", name="tr-0")
        assert trace.get_attribute("href") == "http://127.0.0.1:9/#/traces/tr-0"
        page.locator("#table .open").click()
        assert details.count() == 0


def test_all_of_it_works_by_keyboard(opened, report):
    with opened(report(5)) as page:
        page.keyboard.press("/")
        page.keyboard.type("question")
        page.keyboard.press("Escape")
        assert page.locator("#filter").input_value() == ""
        page.locator("#table .open").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
        assert page.locator("tr.details").count() == 1
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.className") == "open"


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark")])
def test_a_phone_needs_no_sideways_scrolling(opened, report, width, scheme):
    viewport = {"width": width, "height": 700}
    with opened(
        report(8, extra=" and-some-very-long-word-" + "x" * 200), viewport=viewport, color_scheme=scheme
    ) as page:
        page.locator("#table .open").nth(1).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark == "rgb(16, 18, 22)") == (scheme == "dark")
        page.locator("#theme").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"


def test_nothing_hostile_runs_or_leaves(opened, report, hostile):
    with opened(report(3, extra=hostile["everything"])) as page:
        title = page.title()
        for button in page.locator("#table .open").all():
            button.click()
        page.get_by_label("Filter by text").fill("<script>")
        for summary in page.locator("summary").all():
            summary.hover()
        assert page.evaluate("window.owned") is None
        assert page.title() == title != "owned"
        assert page.locator("img, iframe, object, form").count() == 0
        assert page.locator("script").count() == 2
        assert all(
            link.startswith("http://127.0.0.1:9/")
            for link in page.locator("a:not(.skip)").evaluate_all("a => a.map(x => x.href)")
        )


def test_a_thousand_cases_are_there_within_two_seconds(opened, report):
    text = report(1_000, size=4_000)
    assert len(text.encode()) < 3_000_000
    with opened(text) as page:
        ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
        assert ready < 2_000
        assert len(cases_shown(page)) == 500
        page.locator("#more").click()
        assert len(cases_shown(page)) == 1_000
        page.get_by_label("Filter by text").fill("question-0999")
        assert cases_shown(page) == ["test_topic[question-0999]"]
