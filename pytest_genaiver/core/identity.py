"""Names: of a version, of an app, and remote URLs without their credentials."""

from __future__ import annotations

import re
from urllib.parse import unquote

# MLflow refuses / : . % " ' in a model's name; white space, control characters, backslashes and bytes
# that are no text (lone surrogates) would not survive a shell, a URL or a database.
UNFIT = re.compile(r"[/:.%\"'\\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
UNNAMED = "unnamed"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SCHEME = re.compile(r"[\w+.:-]+://")
NO_PORT = re.compile(r"[^@\[:]*:(?!\d+$)[^@]*")
SSH = ("", "ssh", "git+ssh", "ssh+git")


def version_name(app: str, *, sha: str | None = None, dirty: str | None = None, variant: str | None = None) -> str:
    """`app-sha8`, `app-sha8-dirty-hash6`, or without a commit `app-local-dev`; a variant comes last."""
    commit = "local-dev" if sha is None else sha[:8]
    change = [f"dirty-{dirty[:6]}"] if sha is not None and dirty is not None else []
    last = [sanitise(variant)] if variant else []
    return "-".join([sanitise(app), commit, *change, *last])


def sanitise(text: str) -> str:
    """The text as MLflow takes it for a model's name: each unfit run becomes one hyphen, never empty."""
    return UNFIT.sub("-", text).strip("-") or UNNAMED


def clean_url(url: str) -> str:
    """A remote's URL without user, password, query and fragment; file paths stay as they are.

    Over ssh the user `git`, which every forge shares, is kept: without it the URL would not work.
    """
    url = CONTROL.sub("", url).strip()
    if _is_path(url):
        return url
    scheme, mark, rest = url.partition("://") if SCHEME.match(url) else ("", "", url)
    if mark and NO_PORT.fullmatch(re.split(r"[/?#]", rest, maxsplit=1)[0]):
        # A password with an unescaped slash: git fails on it, its text must not be stored all the same.
        rest = rest.rpartition("@")[2]
    authority, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    user, _, host = authority.rpartition("@")
    keep = "git@" if scheme in SSH and user.partition(":")[0] == "git" else ""
    return f"{scheme}{mark}{keep}{host}{slash}{path}"


def app_from_url(url: str) -> str | None:
    """The last part of a remote's URL without `.git`; None where the URL has no path."""
    url = clean_url(url)
    if not _is_path(url):
        path = re.sub(r"^(?:[^/]*://[^/]*/?|[^/:]*:)", "", url)
        url = CONTROL.sub("", unquote(path))
    parts = [part for part in re.split(r"[/\\]", url) if part not in ("", ".", "..", ".git")]
    return (parts[-1].removesuffix(".git").strip() or None) if parts else None


def _is_path(url: str) -> bool:
    return re.match(r"(?:file://)?[/.~\\]|[A-Za-z]:[/\\]", url) is not None
