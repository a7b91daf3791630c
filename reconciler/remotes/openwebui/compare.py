"""What both kinds of write share: is it still what was observed, and can the server hold what is to be written?"""

from __future__ import annotations

from reconciler.core.snapshot import Unreadable
from reconciler.core.value import ABSENT, Value, same
from reconciler.ports import Action, Live
from reconciler.remotes.openwebui import models, notes
from reconciler.remotes.openwebui.grants import access_sent
from reconciler.remotes.openwebui.marks import check_identity
from reconciler.remotes.openwebui.wire import is_holdable, is_id

MOST_NAME = 200


def is_model(action: Action) -> bool:
    return action.ref.startswith("model/")


def check_writable(action: Action) -> None:
    """Refuse, before anything is written, what Open WebUI would not hold as it is."""
    check_identity(action.scope, action.ref)
    unknown = action.fields.keys() - (models.FIELDS if is_model(action) else notes.FIELDS)
    if unknown:
        raise ValueError(f"{action.ref} has no {', '.join(sorted(unknown))} in Open WebUI")
    for name, value in (("text", action.text or ""), *action.fields.items()):
        if not all(map(is_holdable, _strings(value))):
            raise ValueError(f"{action.ref} of {action.scope}: {name} holds a character Open WebUI cannot hold")
    if action.text is not None and notes.too_large(action.text):
        raise ValueError(f"{action.ref} of {action.scope}: the text is too large, {len(action.text):,} characters")
    access_sent(action.fields.get("@access"))


def before(action: Action) -> Live:
    if action.before is None or not is_id(action.before.handle):
        raise ValueError(f"{action.verb} of {action.ref}: what was observed is missing")
    return action.before


def moved(action: Action, now: Live | Unreadable) -> str:
    """What of the things to be written no longer is what was observed; empty where all of it is.

    A note that cannot be read may be written over by one who has seen just that text of it.
    """
    then = before(action)
    if isinstance(now, Unreadable):
        is_seen = now.raw is not None and action.text is not None and then.text == now.raw
        return "" if is_seen else f"it cannot be read: {now.reason}"
    texts_differ = action.text is not None and now.text != then.text
    differing = (
        name
        for name in action.fields
        if name != models.COMMIT and not same(then.fields.get(name, ABSENT), now.fields.get(name, ABSENT))
    )
    return ", ".join([*(["its text"] if texts_differ else []), *differing])


def _strings(value: Value) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [found for each in value for found in _strings(each)] if isinstance(value, tuple) else []
