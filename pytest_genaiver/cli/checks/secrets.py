"""Keys of model providers: whether they are there, never what they are."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from pytest_genaiver.cli.checks.finding import Finding, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PROVIDERS = {
    "openai": ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google-genai": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "mistralai": ("MISTRAL_API_KEY",),
    "cohere": ("CO_API_KEY", "COHERE_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "together": ("TOGETHER_API_KEY",),
    "boto3": ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
}
"""Client package -> variables, of which one is enough."""

_FLAVOURS = {"gemini": "google-genai", "mistral": "mistralai", "bedrock": "boto3"}


def check(environ: Mapping[str, str], autolog: Sequence[str] | None) -> Iterator[Finding]:
    """One line for each client that is installed, or that `genai_autolog` names."""
    named = {_FLAVOURS.get(name, name) for name in autolog or ()}
    clients = [name for name in _PROVIDERS if name in named or _installed(name)]
    has_key = any(environ.get(key) for name in clients for key in _PROVIDERS[name])
    for name in clients:
        keys = [key for key in _PROVIDERS[name] if key in environ]
        if keys:
            yield _found(name, keys[0], environ[keys[0]])
        # We depend on openai ourselves, and AWS has more ways to know its user than variables.
        elif name in named or not (has_key or name == "boto3"):
            expected = " or ".join(_PROVIDERS[name])
            yield warn(
                "secrets", f"{name}: {expected} is not set", f"set {_PROVIDERS[name][0]}, if the app calls {name}"
            )


def _found(name: str, key: str, value: str) -> Finding:
    if not value.strip():
        return warn("secrets", f"{name}: {key} is set, but empty", f"in CI, name the secret in the job's env: {key}")
    if value != value.strip():
        fix = f"store the secret {key} again, without the line break"
        return warn("secrets", f"{name}: {key} begins or ends with white space", fix)
    return ok("secrets", f"{name}: {key} is set")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
