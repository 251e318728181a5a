"""Every option but --genai-version itself: its names and its help."""

from __future__ import annotations

from typing import NamedTuple

from pytest_genaiver.options import values


class Option(NamedTuple):
    """``min_cases``: --genai-min-cases, GENAI_MIN_CASES and the ini key genai_min_cases.

    `native` is the type that a TOML file may use in place of a string.
    """

    # Not a dataclass: every pytest run imports this module, and a dataclass takes five times as long to make.

    name: str
    help: str
    metavar: str | None = None
    many: bool = False
    native: type | None = None

    @property
    def flag(self) -> str:
        return f"--genai-{self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        return f"genai_{self.name}"


EVERYWHERE = (
    Option("version_name", "Name of this version (default: the app and the git commit)", "NAME"),
    Option("baseline", f"Version to compare with: {values.BASELINES} (default: auto)", "REF"),
    Option(
        "gate",
        "What fails the session: fail (a regression), strict (an inconclusive comparison too), "
        "warn or off (neither) (default: fail)",
        "MODE",
    ),
    Option("require_baseline", "Refuse to run when no baseline is found (default: a first run)", native=bool),
    Option(
        "repeats",
        "Runs of each case: a number, or bounds between which the gate chooses (default: 1:5)",
        "N|MIN:MAX",
        native=int,
    ),
    Option("concurrency", "How many calls of targets and judges run at once (default: 8)", "N", native=int),
    Option(
        "max_cost",
        "Start no new calls once the known cost has reached this many US dollars (default: no limit)",
        "USD",
        native=float,
    ),
    Option("rejudge", "Ask judges again about outputs that they have judged before (default: reuse)", native=bool),
    Option(
        "rescore_baseline",
        "Judge the stored outputs of the baseline anew where its judge was another (default: they are not compared)",
        native=bool,
    ),
    Option(
        "report",
        f"Write a report, by suffix: {', '.join(values.REPORT_SUFFIXES)}. May be repeated. Default: none.",
        "PATH",
        many=True,
    ),
    Option("min_cases", "Fail when fewer cases than N were evaluated (default: 1)", "N", native=int),
)

INI_ONLY = (
    Option("app", "Name of the app (default: the last part of origin's URL, else the folder)"),
    Option("experiment", "MLflow experiment (default: the name of the app)"),
    Option(
        "tracking_uri",
        "MLflow tracking URI. MLFLOW_TRACKING_URI wins over it. Default: mlflow.db in git's top folder.",
    ),
    Option(
        "code",
        "What of the code is kept with the version: link (its commit), archive, or model:PATH (default: link)",
    ),
    Option("variant", "Configuration that is tested, a part of the version's name (default: none)"),
    Option(
        "autolog",
        "MLflow flavours whose LLM calls are traced, or none (default: all that are imported)",
        many=True,
    ),
    Option("call_timeout", "Seconds that one call of a target or judge may take (default: 120)", native=float),
    Option("scorers", "Scorers of every case, one a line: package.module:name, or one of MLflow's", many=True),
    Option("alpha", "Chance that an unchanged version fails, over all metrics (default: 0.05)", native=float),
    Option(
        "inference", "What is tested: calls (did this code change) or population (of test functions) (default: calls)"
    ),
    Option("soft_assertions", "A failed assertion of a case is evidence for the gate (default: off)", native=bool),
    Option("report_outputs", "Show inputs and outputs in Markdown reports (default: off)", native=bool),
    Option("metrics", "How metrics are judged, one a line: accuracy: higher, tolerance=0.02", many=True),
)

OPTIONS = {option.name: option for option in (*EVERYWHERE, *INI_ONLY)}
