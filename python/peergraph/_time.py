"""Times of the library, microseconds since 1970 UTC, as dates of Python and back."""

from __future__ import annotations

import datetime as dt
from typing import Final

from ._codes import E_INVALIDARG
from .errors import error_for

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
MICROSECOND: Final = dt.timedelta(microseconds=1)
MIN_US: Final = (dt.datetime.min.replace(tzinfo=dt.timezone.utc) - EPOCH) // MICROSECOND
MAX_US: Final = (dt.datetime.max.replace(tzinfo=dt.timezone.utc) - EPOCH) // MICROSECOND


def to_datetime(time_us: int) -> dt.datetime:
    """An aware date in UTC; what the calendar cannot hold becomes its first or its last moment."""
    return EPOCH + dt.timedelta(microseconds=min(max(time_us, MIN_US), MAX_US))


def from_datetime(time: dt.datetime) -> int:
    """Raises InvalidArgument if the date does not say where on Earth it is meant."""
    if time.tzinfo is None or time.utcoffset() is None:
        raise error_for(E_INVALIDARG, f"{time!r} has no time zone; datetime.now(timezone.utc) has one")
    return (time - EPOCH) // MICROSECOND


def from_timedelta(duration: dt.timedelta) -> int:
    return duration // MICROSECOND
