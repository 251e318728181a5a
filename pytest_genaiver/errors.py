"""Every error and warning that this package raises.

::

    GenaiverError              base of all
      ConfigError              what the user wrote cannot be used (a pytest.UsageError, exit 4)
      ScoreError               a test scored something that is not a score
      GitError                 git cannot answer; the message holds the fix
      DependencyError          another commit cannot run here: its dependencies differ, or its imports would
      StoreError               the MLflow store cannot be reached, or refuses
      ResultsError             a results file that cannot be read
      TwinError                the baseline's app, run beside this one, cannot be started or is gone
      CodeError                the code of a version cannot be packed, unpacked or served
      CallTimeout              a target or judge took longer than genai_call_timeout (a TimeoutError)
      CallRefused              a call that was not made: the cost limit was reached, or the session was stopped
    GenaiverWarning            base of our warnings, so that they can be filtered
"""

from __future__ import annotations

import warnings

USAGE = "genaiver_usage"
"""Where an xdist worker puts a mistake of the user's into its `workeroutput`: raised there, it would be an internal
error. The controller raises it."""


class GenaiverError(Exception):
    """Base of every error of this package: one readable sentence, never a traceback for a user's mistake."""


class ConfigError(GenaiverError):
    """An option, ini value, environment value or marker argument that cannot be used."""


class ScoreError(GenaiverError, TypeError):
    """A score that is not a bool, a finite number, or an MLflow Feedback holding one."""


class GitError(GenaiverError):
    """Git cannot answer; the message says why and what to do."""


class DependencyError(GenaiverError):
    """Another commit cannot run here: its dependencies differ, or its own packages would not be imported."""


class StoreError(GenaiverError):
    """The MLflow store cannot be reached, or refuses what was asked."""


class ResultsError(GenaiverError):
    """A results file that is missing, malformed, or written by a newer version."""


class TwinError(GenaiverError):
    """The baseline's app, which runs beside this one (`--genai-baseline run:REF`), cannot be started or is gone."""


class CodeError(GenaiverError):
    """The code of a version cannot be packed, unpacked, or made a model."""


class CallTimeout(GenaiverError, TimeoutError):
    """A target, scorer or judge took longer than `genai_call_timeout`."""


class CallRefused(GenaiverError):
    """A call was not made: `--genai-max-cost` was reached, or the session was stopped."""


class GenaiverWarning(UserWarning):
    """Base of every warning of this package."""


def warn(message: str) -> None:
    """Issue a GenaiverWarning, also where warnings are errors: raised within a hook it would be an internal error."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", GenaiverWarning)
        warnings.warn(GenaiverWarning(message), stacklevel=2)
