"""A course or a background task as a workspace model: its JSON as a `Live`, and the form that writes it.

The server replaces ``meta`` and ``params`` whole, so everything in them that is not ours is sent back as it was.
"""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.core.snapshot import Ref, Unreadable
from reconciler.core.value import Fields, Value
from reconciler.ports import Action, Live
from reconciler.remotes.openwebui.grants import access_sent, access_shown
from reconciler.remotes.openwebui.marks import MARK, Identity, model_id, model_mark
from reconciler.remotes.openwebui.wire import Json, number, rows, strings, table, text

COMMIT = "@commit"
"""The change description that the version history keeps: written, never read."""
_IN_FORM = ("name", "description", "welcome_first", "system", "suggestion_prompts", "@base_model", "@hidden", "@active")
FIELDS = frozenset({*_IN_FORM, "@access", COMMIT})
_GOES_ON = "\N{NO-BREAK SPACE}"
"""Closes each line of the description but its last: it cannot be seen, and the model editor keeps it."""
_ESCAPE = "\N{ZERO WIDTH SPACE}"
"""Stands behind such a character of the description's own."""


def live_model(row: Json, ref: Ref) -> Live | Unreadable:
    if not isinstance(row.get("name"), str) or not isinstance(row.get("meta"), dict):
        return Unreadable("Open WebUI shows this model without its name or its meta")
    access: dict[str, Value] = {"@access": access_shown(row), "@active": row.get("is_active") is True}
    changed_at = datetime.fromtimestamp(number(row, "updated_at"), UTC)
    return Live(ref, text(row, "id"), None, shown_fields(row) | access, frozenset(), changed_at)


def shown_fields(row: Json) -> dict[str, Value]:
    """What both a model and a version of its history show."""
    meta, params = table(row.get("meta")), table(row.get("params"))
    description, welcome = parted(text(meta, "description"))
    prompts = tuple(text(each, "content") for each in rows(meta.get("suggestion_prompts")))
    return {
        "name": text(row, "name"),
        "description": description,
        "welcome_first": welcome,
        "system": text(params, "system"),
        "suggestion_prompts": tuple(each for each in prompts if each),
        "@base_model": text(row, "base_model_id"),
        "@hidden": meta.get("hidden") is True,
    }


def new_model(workspace: str, action: Action) -> dict[str, object]:
    """The form of a create."""
    start: Json = {"id": model_id(workspace, action.ref), "name": action.ref.removeprefix("model/"), "is_active": True}
    grants = access_sent(action.fields.get("@access"))
    return model_form(workspace, action, start) | {"access_grants": grants}


def model_form(workspace: str, action: Action, now: Json) -> dict[str, object]:
    """The form of an update: what is there now, with the changes in it."""
    fields = action.fields
    form: dict[str, object] = {
        "id": now.get("id"),
        "base_model_id": fields.get("@base_model", now.get("base_model_id")) or None,
        "name": fields.get("name", now.get("name")),
        "meta": _meta(fields, now) | {MARK: dict(model_mark(workspace, Identity(action.scope, action.ref)))},
        "params": _params(fields, now),
    }
    if COMMIT in fields:
        form["commit_message"] = fields[COMMIT]
    # Left out, the switch stays as it is.
    return form | ({"is_active": fields["@active"]} if "@active" in fields else {})


def needs_form(fields: Fields) -> bool:
    """Whether anything but access changes."""
    return not fields.keys().isdisjoint(_IN_FORM)


def _meta(fields: Fields, now: Json) -> dict[str, object]:
    meta = dict(table(now.get("meta")))
    shown = shown_fields(now)
    if fields.keys() & {"description", "welcome_first"}:
        told = (str(fields.get(name, shown[name])) for name in ("description", "welcome_first"))
        meta["description"] = joined(*told)
    if "suggestion_prompts" in fields:
        meta["suggestion_prompts"] = _prompts(strings(fields["suggestion_prompts"]), meta)
    if "@hidden" in fields:
        meta["hidden"] = fields["@hidden"]
    return meta


def _params(fields: Fields, now: Json) -> dict[str, object]:
    params = dict(table(now.get("params")))
    if "system" in fields:
        params["system"] = fields["system"]
    if not params.get("system"):
        params.pop("system", None)
    return params


def _prompts(wanted: tuple[str, ...], meta: Json) -> list[dict[str, object]]:
    """As the editor makes them; one whose words stay keeps the title that somebody gave it."""
    there = {text(each, "content"): dict(each) for each in rows(meta.get("suggestion_prompts"))}
    return [there.get(each) or {"content": each, "title": ["", ""]} for each in wanted]


def joined(description: str, welcome: str) -> str:
    """The one text under the model's name, of which two lines are shown: so the welcome begins right on the second.

    Both parts come out of `parted` as they went in.
    """
    *first, last = (_escaped(line) for line in description.split("\n"))
    whole = "\n".join([*(line + _GOES_ON for line in first), last])
    return f"{whole}\n{welcome}" if welcome else whole


def parted(shown: str) -> tuple[str, str]:
    """Description and welcome: the first line, with those that it says follow, and the rest."""
    lines = shown.replace("\r\n", "\n").split("\n")
    end = next((at for at, line in enumerate(lines) if not line.endswith(_GOES_ON)), len(lines) - 1)
    description = [_unescaped(line.removesuffix(_GOES_ON)) for line in lines[: end + 1]]
    return "\n".join(description), "\n".join(lines[end + 1 :])


def _escaped(line: str) -> str:
    return line + _ESCAPE if _looks_marked(line) else line


def _unescaped(line: str) -> str:
    return line.removesuffix(_ESCAPE) if _looks_marked(line) else line


def _looks_marked(line: str) -> bool:
    return line.rstrip(_ESCAPE).endswith(_GOES_ON)
