"""Whether a schedule is one the task runner understands. Reads no clock: only the spelling is looked at."""

from __future__ import annotations


def is_schedule(written: str) -> bool:
    """croniter decides, as it will when the task runs; it is loaded only for courses that have a schedule."""
    from croniter import croniter

    return len(written.split()) == 5 and croniter.is_valid(written)
