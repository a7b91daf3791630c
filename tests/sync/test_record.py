"""In which order a pass puts on record what it captured."""

from __future__ import annotations

from reconciler.core.plan import Change
from reconciler.sync.record import by_resource

REF, OTHER = "block/c1/team", "block/c1/student"


def took(remote: str, ref: str, name: str, after: str) -> Change:
    return Change(remote, ref, name, "", after, after)


def test_what_one_side_changed_of_one_resource_is_one_group() -> None:
    first, other, again = (took("openwebui", ref, "a", "1") for ref in (REF, OTHER, REF))
    more = took("openwebui", REF, "b", "1")

    assert by_resource([first, other, again, more]) == [
        (("openwebui", REF), [first, again, more]),
        (("openwebui", OTHER), [other]),
    ]


def test_a_field_that_another_side_changed_in_between_is_changed_after_it() -> None:
    first, letta = took("openwebui", REF, "news", "1"), took("letta", REF, "motto", "2")
    last = took("openwebui", REF, "motto", "3")

    assert by_resource([first, letta, last]) == [
        (("openwebui", REF), [first]),
        (("letta", REF), [letta]),
        (("openwebui", REF), [last]),
    ]
