"""Which fields a body may carry. As on the real server, unknown ones are ignored and a wrong type is 422."""

from collections.abc import Mapping
from typing import Any, cast

from reconciler.embedded.openwebui.state import Refused, Row, Rows


def parsed(body: object, fields: Mapping[str, type], required: tuple[str, ...] = ()) -> Row:
    """The known fields that were sent; `null` counts as sent."""
    sent = parsed_row(body)
    for name in required:
        if sent.get(name) is None:
            raise Refused(422, f"Field required: {name}")
    for name, kind in fields.items():
        value = sent.get(name)
        if value is not None and not isinstance(value, kind):
            raise Refused(422, f"Input should be a valid {kind.__name__}: {name}")
    return {name: sent[name] for name in fields if name in sent}


def parsed_row(body: object) -> Row:
    if not isinstance(body, dict):
        raise Refused(422, "Input should be a valid dictionary")
    return cast(Row, body)


def as_row(value: object) -> Row:
    return cast(Row, value) if isinstance(value, dict) else {}


def as_rows(value: object) -> Rows:
    return [as_row(each) for each in cast(list[Any], value)] if isinstance(value, list) else []


def as_texts(value: object) -> list[str]:
    return [each for each in cast(list[Any], value) if isinstance(each, str)] if isinstance(value, list) else []
