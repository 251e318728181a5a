"""What MLflow, or the database behind it, raises -> one sentence of ours."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

from pytest_genaiver.adapters.tracking.place import without_credentials
from pytest_genaiver.errors import ResultsError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Every error within becomes `StoreError("cannot <doing>: ...")`, without credentials."""
    try:
        # A user's filter that turns warnings into errors is about the user's code, not MLflow's.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ResultsError, StoreError):
        raise
    except Exception as error:
        # A chained error prints as it is, credentials included.
        quotes = str(error) != without_credentials(str(error))
        raise StoreError(f"cannot {doing}: {_reason(error)}") from (None if quotes else error)


def _reason(error: Exception) -> str:
    first = without_credentials((str(error).splitlines() or [""])[0].strip())
    return f"{type(error).__name__}: {first}"[:300] if first else type(error).__name__
