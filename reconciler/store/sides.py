"""Both sides of one scope as fields: what the files of a commit say, and what an observation shows.

Also the way back: the tree of a remote-tracking ref, which is ``main``'s tree overlaid with the remote's values, so
that ``git diff letta/main main`` is the drift (DESIGN 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.snapshot import MISSING, Ref, Scope, Seen, Spec, Unreadable
from reconciler.core.value import ABSENT, Fields, Held, Value, same
from reconciler.desired import SETTINGS, Desired, Document
from reconciler.errors import Terminal
from reconciler.manifest.lens import InvalidBlock, edit_block, initial_block, parse_block
from reconciler.manifest.lenses import EMPTY
from reconciler.ports import Live, Observation, Repo

LIVE_LIMIT = 1_000_000
"""Most characters of a live document that are read as one."""
MOST_ASKED = 80_000
"""Most characters of an invalid text that a question shows: its file holds it twice, escaped, below git's cap."""


@dataclass(frozen=True)
class GitSide:
    """One scope as git has it. ``texts``: each readable document; ``births``: files that the courses newly ask for."""

    commit: str
    files: Mapping[str, str]
    seen: Mapping[Ref, Seen]
    texts: Mapping[Ref, str]
    births: Mapping[str, bytes | None]


def read_git(repo: Repo, commit: str, desired: Desired) -> GitSide:
    """The scope at a commit, with every declared document and field that is not there yet at its default."""
    files = repo.files(commit)
    reading = _Reading(repo, files, desired)
    for ref, document in desired.documents.items():
        reading.read(ref, document)
    seen: dict[Ref, Seen] = {ref: fields for ref, fields in desired.owned.items() if ref not in desired.documents}
    return GitSide(commit, files, {**seen, **reading.seen}, reading.texts, reading.births)


class _Reading:
    def __init__(self, repo: Repo, files: Mapping[str, str], desired: Desired) -> None:
        self.repo, self.files, self.desired = repo, files, desired
        self.seen: dict[Ref, Seen] = {}
        self.texts: dict[Ref, str] = {}
        self.births: dict[str, bytes | None] = {}

    def read(self, ref: Ref, document: Document) -> None:
        try:
            text = self._text(document)
            found = document.lens.parse(text)
            text, found = self._with_defaults(document, text, found)
        except (InvalidBlock, UnicodeDecodeError, Terminal) as error:
            self.seen[ref] = Unreadable(f"{document.path}: {error}")
            return
        self.texts[ref] = text
        self.seen[ref] = {**found, **self.desired.owned.get(ref, {})}

    def _text(self, document: Document) -> str:
        """The document's text; that of its older name, or its initial one, where it is not there yet."""
        if document.path in self.files:
            return self._decoded(document.path)
        if document.was is not None and document.was in self.files:
            text = self._decoded(document.was)
            self.births |= {document.was: None, document.path: text.encode()}
            return text
        assert document.block is not None, "an orphan is known by its file"
        text = initial_block(document.block)
        self.births[document.path] = text.encode()
        return text

    def _decoded(self, path: str) -> str:
        return self.repo.read(self.files[path]).decode()

    def _with_defaults(self, document: Document, text: str, found: Fields) -> tuple[str, Fields]:
        """The document with the declared fields it lacks."""
        if document.block is None or document.block.is_prose:
            return text, found
        lacking: dict[str, Held] = {
            name: declared.default
            for name, declared in document.block.fields.items()
            if name not in found and declared.default is not None
        }
        if not lacking:
            return text, found
        text = edit_block(text, lacking)
        self.births[document.path] = text.encode()
        return text, parse_block(text)


def read_live(desired: Desired, scope: Scope, observation: Observation) -> dict[Ref, Seen]:
    """What an observation shows of each desired resource; refs that it says nothing about are left out."""
    shown, held = observation.seen.get(scope, {}), observation.held.get(scope, frozenset[Ref]())
    seen: dict[Ref, Seen] = {}
    for ref in desired.specs:
        live = shown.get(ref)
        if live is not None:
            seen[ref] = live_fields(live, desired.documents.get(ref), desired.specs[ref])
        elif ref.split("/", 1)[0] in observation.complete and ref not in held:
            seen[ref] = MISSING
    return seen


def live_fields(live: Live | Unreadable, document: Document | None, spec: Spec | None) -> Seen:
    """The fields of one live resource: its document's, and of those beside it the declared ones."""
    if isinstance(live, Unreadable):
        return live
    beside = {name: value for name, value in live.fields.items() if spec is not None and name in spec.rules}
    if document is None or live.text is None:
        return {name: value for name, value in beside.items() if document is None or _is_told(name, value)}
    if len(live.text) > LIVE_LIMIT:
        return Unreadable(f"the live text has {len(live.text)} characters; at most {LIVE_LIMIT} are read")
    if not live.text.strip() and not document.lens.blank_is_empty:
        return Unreadable("the live text is blank", live.text)
    try:
        return {**document.lens.parse(live.text), **beside}
    except InvalidBlock as error:
        if len(live.text) > MOST_ASKED:
            return Unreadable(f"{error}; mend it in place: its {len(live.text):,} characters are too many to ask about")
        return Unreadable(str(error), live.text)


def _is_told(name: str, value: Value) -> bool:
    """Whether a value is more than nothing. Of a setting beside the document nothing is a value: no access, say."""
    return name.startswith(SETTINGS) or value not in EMPTY


def document_fields(fields: Fields) -> dict[str, Value]:
    """The fields that stand in a document, without the settings beside it."""
    return {name: value for name, value in fields.items() if not name.startswith(SETTINGS)}


def difference(git: Fields, live: Fields) -> dict[str, Held]:
    """What to change in git's document to get the live one."""
    names = dict.fromkeys([*git, *live])
    return {
        name: live.get(name, ABSENT)
        for name in names
        if not name.startswith(SETTINGS) and not same(git.get(name, ABSENT), live.get(name, ABSENT))
    }


def overlay(desired: Desired, git: GitSide, seen: Mapping[Ref, Seen], before: Overlay) -> Overlay:
    """How the remote's tree differs from ``main``'s. ``before``: what the tracking tree held of what is not seen."""
    changes: dict[str, bytes | None] = {
        path: held for path, held in before.items() if held is not None or path in git.files
    }
    for ref, document in desired.documents.items():
        live = seen.get(ref)
        if tells_nothing(live):
            continue
        if live is MISSING:
            changes |= {document.path: None} if document.path in git.files else {}
        elif isinstance(live, Unreadable):
            changes[document.path] = (live.raw or "").encode()
        elif isinstance(live, Mapping):
            changes |= _document_overlay(ref, document, git, live)
    return {**changes, **_drift(desired, seen)}


Overlay = Mapping[str, "bytes | None"]


def tells_nothing(seen: Seen | None) -> bool:
    """Whether an observation says nothing of what a resource holds: it was not read, or is damaged."""
    return seen is None or (isinstance(seen, Unreadable) and seen.raw is None)


def _document_overlay(ref: Ref, document: Document, git: GitSide, live: Fields) -> dict[str, bytes | None]:
    own = git.seen.get(ref)
    if not isinstance(own, Mapping):
        return {document.path: document.lens.edit("", document_fields(live)).encode()}
    changed = difference(own, live)
    if not changed:
        return {document.path: git.births[document.path]} if document.path in git.births else {}
    return {document.path: document.lens.edit(git.texts[ref], changed).encode()}


def _drift(desired: Desired, seen: Mapping[Ref, Seen]) -> dict[str, bytes | None]:
    """``agents/<course>.toml``: the owned fields that the remote holds otherwise, only while it does."""
    files: dict[str, dict[str, Held]] = {}
    for ref, fields in _drifted(desired.specs, desired.owned, seen):
        is_agent = ref.startswith("agent/")
        files.setdefault(drift_path(ref), {}).update(fields if is_agent else {ref: fields})
    return {name: edit_block("", fields).encode() for name, fields in files.items()}


def drift_path(ref: Ref) -> str:
    """The file that holds the drift of a resource, on a tracking ref."""
    return f"agents/{ref.split('/')[1]}.toml"


def _drifted(
    specs: Iterable[Ref], owned: Mapping[Ref, Fields], seen: Mapping[Ref, Seen]
) -> Iterable[tuple[Ref, dict[str, Value]]]:
    for ref in specs:
        live = seen.get(ref)
        if isinstance(live, Mapping) and ref in owned:
            drift = {
                name.lstrip(SETTINGS): live[name]
                for name, value in owned[ref].items()
                if name in live and not same(value, live[name])
            }
            if drift:
                yield ref, drift
