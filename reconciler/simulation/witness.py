"""What really happened, told apart from what the engine believes; and the promises that are checked as it works.

It knows every edit as somebody meant it, hears of every commit and of everything the engine was shown, and breaks off
at the first change that nobody wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.core.base import Base, FieldBase, Settled, Unsettled
from reconciler.core.decide import NO_COMMON_PAST, SAID_BY_BOTH
from reconciler.core.merge import merge_text
from reconciler.core.snapshot import Ref, Scope
from reconciler.core.value import ABSENT, Fields, Held, same
from reconciler.ports import NO_FIELDS, Commit
from reconciler.simulation.documents import document_of, fields_of, is_prose
from reconciler.simulation.repo import MemoryRepo
from reconciler.simulation.story import FieldKey, Story, key_of, parts_of
from reconciler.store.bases import load_base
from reconciler.store.journal import trailers_of
from reconciler.store.pending import FOLDER, PendingDiff, parse
from reconciler.store.people import RECONCILER

LETTA = "letta"
NO_FILES: Mapping[str, str] = {}


class Violation(Exception):
    """A promise was broken."""


@dataclass
class Witness:
    """One per live system, and it meets only git there: what git took from another is to it an edit in git.

    seen: documents the engine was shown in this pass. kept: those of passes that ended well. looked: the moment each
    was last shown. commits: the moment of each commit on ``main``.
    """

    repos: Mapping[Scope, MemoryRepo]
    remote: str = LETTA
    stories: dict[tuple[Scope, Ref], dict[str, Story]] = field(
        default_factory=dict[tuple[Scope, Ref], dict[str, Story]]
    )
    git: dict[tuple[Scope, Ref], Fields] = field(default_factory=dict[tuple[Scope, Ref], Fields])
    seen: dict[tuple[Scope, Ref, str], bool] = field(default_factory=dict[tuple[Scope, Ref, str], bool])
    kept: set[tuple[Scope, Ref, str]] = field(default_factory=set[tuple[Scope, Ref, str]])
    looked: dict[tuple[Scope, Ref], int] = field(default_factory=dict[tuple[Scope, Ref], int])
    people: list[tuple[Scope, str]] = field(default_factory=list[tuple[Scope, str]])
    commits: dict[str, int] = field(default_factory=dict[str, int])
    moment: int = 0

    def story(self, scope: Scope, ref: Ref, name: str) -> Story:
        told = self.stories.setdefault((scope, ref), {})
        if name not in told:
            told[name] = Story(is_prose(ref))
        return told[name]

    def of(self, scope: Scope, ref: Ref) -> Iterable[Story]:
        """The stories of one resource."""
        return self.stories.get((scope, ref), {}).values()

    # ------------------------------------------------------------------ live edits, as they are meant

    def live_edit(self, scope: Scope, ref: Ref, before: str | None, after: str | None, *, sure: bool) -> None:
        """Somebody turned one text into another; an agent, its snapshot."""
        self.moment += 1
        old, new = fields_of(ref, before), fields_of(ref, after)
        if old is None or new is None:
            for story in self.of(scope, ref):
                story.unsure()
            if new is not None:  # a whole document in place of an unreadable one: all of it is meant
                self._mean_all(scope, ref, new)
            return
        for name in _changed(old, new):
            self.story(scope, ref, name).mean_live(old.get(name, ABSENT), new.get(name, ABSENT), self.moment, sure)

    def written_back(
        self, scope: Scope, ref: Ref, before: str | None, after: str | None, *, is_page: bool = False
    ) -> None:
        """A turn put its memory over a live text, or an old page its fields; nobody meant that, but it may bring back
        what git never held. A page may be older than anything still known, so of all it brings back may be asked."""
        self.moment += 1
        old, new = fields_of(ref, before) or NO_FIELDS, fields_of(ref, after) or NO_FIELDS
        for name in _changed(old, new):
            story = self.story(scope, ref, name)
            story.come_back(old.get(name, ABSENT), new.get(name, ABSENT), self.moment)
            if is_page:
                story.is_asked(new.get(name, ABSENT))

    def _mean_all(self, scope: Scope, ref: Ref, new: Fields) -> None:
        told = self.stories.get((scope, ref), {})
        for name in {**told, **self.git.get((scope, ref), NO_FIELDS), **new}:
            story = self.story(scope, ref, name)
            for before in (story.git, story.agreed, ABSENT):  # what the whole does not say is out of it
                story.mean_live(before, new.get(name, ABSENT), self.moment, sure=False)
            story.leave_out(new.get(name, ABSENT), self.moment)
            story.unsure()

    # ------------------------------------------------------------------ commits

    def committed(self, scope: Scope, old: str | None, new: str) -> None:
        """``main`` moved."""
        repo = self.repos[scope]
        for commit in repo.log(new, old):
            self.moment += 1
            self.commits[commit.id] = self.moment
            self._commit(scope, repo, commit)

    def _commit(self, scope: Scope, repo: MemoryRepo, commit: Commit) -> None:
        before = repo.files(commit.parents[0]) if commit.parents else NO_FILES
        after = repo.files(commit.id)
        kind = _kind(commit, self.remote)
        if kind == "person":
            self.people.append((scope, commit.id))
        for path in [*before.keys() - after.keys()]:
            if kind != "person":
                raise Violation(f"{scope}: the engine removed {path} from main")
        for path in {**before, **after}:
            if before.get(path) == after.get(path):
                continue
            ref = document_of(scope, path, self.remote)
            if ref is not None:
                self._document(scope, ref, kind, repo.read(after[path]).decode() if path in after else "")
            elif path.startswith(f"{FOLDER}/"):
                self._diff(scope, repo, parse(repo.read(after[path]), path), kind)

    def _document(self, scope: Scope, ref: Ref, kind: str, text: str) -> None:
        new = fields_of(ref, text) if text.strip() or is_prose(ref) else NO_FIELDS
        if new is None:
            return  # only people write what cannot be read; the fields are as they were until it is mended
        old: Fields = self.git.get((scope, ref), NO_FIELDS)
        for name in _changed(old, new):
            story, after = self.story(scope, ref, name), new.get(name, ABSENT)
            if kind in ("person", "other"):
                story.mean_git(after, self.moment)
            else:
                self._judge(scope, ref, name, kind, after)
                if kind == "birth":  # nothing live was taken with it, though the live side may say the same
                    story.born(after, self.moment)
                else:
                    story.captured(after, self.moment)
        self.git[scope, ref] = new

    def _judge(self, scope: Scope, ref: Ref, name: str, kind: str, after: Held) -> None:
        story = self.story(scope, ref, name)
        where = f"{scope} {ref} {name} ({self.remote})"
        if kind == "birth":
            if story.git is not ABSENT:
                raise Violation(f"{where}: a default replaced {story.git!r}")
            story.unsure()
            return
        known = load_base(self.repos[scope], self.remote).of(ref, name)
        if why := story.unwanted(after, self.looked.get((scope, ref), self.moment), _always(story, known)):
            if key_of(ABSENT) in story.meant:
                return  # removed live: back at its default
            if story.prose and self._is_unclean(scope, ref, story, after):
                return
            raise Violation(f"{where}: captured {after!r} over {story.git!r}: {why}")

    def _is_unclean(self, scope: Scope, ref: Ref, story: Story, after: Held) -> bool:
        """Whether this text was meant as a whole, and could not be merged with git's by line."""
        base = load_base(self.repos[scope], self.remote).of(ref, "text").ancestor
        whole = story.meant.get(key_of(after), -1) > story.left.get(key_of(after), -1)
        texts = isinstance(base, str) and isinstance(story.git, str) and isinstance(after, str)
        return whole and (not texts or merge_text(str(base), str(story.git), str(after)) is None)

    def _diff(self, scope: Scope, repo: MemoryRepo, diff: PendingDiff, kind: str) -> None:
        if self.remote not in diff.values:
            return  # between git and another live system; what comes of it is an edit in git
        if diff.field is None:
            if diff.status in ("approved", "rejected"):
                for story in self.of(scope, diff.ref):
                    story.reject_all()
            return
        story = self.story(scope, diff.ref, diff.field)
        story.disputed.update(part for value in diff.values.values() for part in _parts(story, value))
        if diff.status in ("approved", "rejected"):
            story.decide(list(diff.values.values()), diff.values[diff.chosen or "git"])
        elif diff.status == "pending" and kind != "person":
            self._check_both_sided(f"{scope} {diff.ref} {diff.field}", diff, story)

    def _check_both_sided(self, where: str, diff: PendingDiff, story: Story) -> None:
        """An answer that the live side has yet to hear is an edit of git's."""
        if diff.reason not in (SAID_BY_BOTH, NO_COMMON_PAST):
            return
        if not ({"git", "live"} <= story.touched or "air" in story.touched or story.decided):
            raise Violation(f"{where}: a conflict ({diff.reason}) where only {story.touched or 'nobody'} edited")

    def overwritten(self, scope: Scope, ref: Ref, before: str, after: str) -> None:
        """The engine writes over a live text: nothing may go that nobody has had a chance to see."""
        self.moment += 1
        old, new = fields_of(ref, before), fields_of(ref, after)
        if old is None or new is None:
            return
        for name in _changed(old, new):
            self.story(scope, ref, name).give(new.get(name, ABSENT), self.moment)
            if self.story(scope, ref, name).is_news(old.get(name, ABSENT)):
                lost = f"{old.get(name, ABSENT)!r} was overwritten, and nobody was asked"
                raise Violation(f"{scope} {ref} {name} ({self.remote}): {lost}")

    # ------------------------------------------------------------------ what the engine was shown

    def shown(self, scope: Scope, ref: Ref, text: str, is_listing: bool) -> None:
        key = (scope, ref, text)
        self.seen[key] = self.seen.get(key, False) or is_listing
        self.looked[scope, ref] = self.moment

    def forget_rereads(self) -> None:
        """Reading back failed half-way: what it showed need not be on record."""
        self.seen = {key: is_listed for key, is_listed in self.seen.items() if is_listed}

    def pass_ended(self, well: Iterable[Scope], frozen: Iterable[tuple[Scope, Ref]], opened: set[FieldKey]) -> None:
        """well: scopes whose observation was put on record. frozen: resources that had to wait. opened: conflicts."""
        held, blocked = set(well), set(frozen)
        for (scope, ref, text), is_listed in self.seen.items():
            if scope not in held:
                continue
            self.kept.add((scope, ref, text))
            if is_listed and (scope, ref) not in blocked and not is_prose(ref):
                self._want(scope, ref, fields_of(ref, text) or NO_FIELDS, opened)
        self.seen.clear()

    def _want(self, scope: Scope, ref: Ref, fields: Fields, opened: set[FieldKey]) -> None:
        for name, value in fields.items():
            if isinstance(value, tuple) and (scope, ref, name) not in opened:
                story = self.story(scope, ref, name)
                story.wanted.update(_parts(story, value))

    def settled(self, scope: Scope, lives: Mapping[Ref, str]) -> None:
        """After a pass: which fields are agreed and settled, and which are on their way."""
        base = load_base(self.repos[scope], self.remote)
        for ref, text in lives.items():
            live = fields_of(ref, text)
            for name, story in self.stories.get((scope, ref), {}).items():
                self._settle(story, base, ref, name, live)

    def _settle(self, story: Story, base: Base, ref: Ref, name: str, live: Fields | None) -> None:
        known = base.of(ref, name)
        for value in _values(known):
            story.given.setdefault(value, self.moment)
        if not known.is_settled or isinstance(known.settled, Unsettled):
            story.touched.add("air")
        elif story.captured_at > self.commits.get(base.main or "", story.captured_at):
            story.touched.add("air")  # a capture that the base has yet to learn of
        elif live is not None and _equal(known.settled, story.git, live.get(name, ABSENT)):
            story.agree()
        elif same(known.settled, story.git):
            story.settle()
        elif key_of(known.settled) in story.left:
            story.agreed = known.settled  # both held it, and git has moved on since
        elif "git" not in story.touched:
            story.touched.add("air")  # a capture that the base has yet to learn of


def _equal(settled: Settled, git: Held, live: Held) -> bool:
    return not isinstance(settled, Unsettled) and same(settled, git) and same(git, live)


def _always(story: Story, known: FieldBase) -> set[str]:
    """The parts of all that the live side can have started from."""
    settled = () if isinstance(known.settled, Unsettled) else _parts(story, known.settled)
    return set(settled).intersection(*(_parts(story, link.value) for link in known.chain))


def _values(known: FieldBase) -> set[str]:
    """What both sides settled on, and what was sent or agreed since."""
    settled = set[str]() if isinstance(known.settled, Unsettled) else {key_of(known.settled)}
    return settled | {key_of(link.value) for link in known.chain}


def _parts(story: Story, value: Held) -> tuple[str, ...]:
    return parts_of(value, story.prose) or ()


def _changed(old: Fields, new: Fields) -> list[str]:
    return [name for name in {**old, **new} if not same(old.get(name, ABSENT), new.get(name, ABSENT))]


def _kind(commit: Commit, remote: str) -> str:
    """Who made a commit: a person, or the engine as a capture (of another live system: ``other``), a birth or a
    question."""
    said = trailers_of(commit)
    if "Pass" not in said or "Decision" in said:
        return "person"
    if "Remote" in said:
        return "capture" if said["Remote"] == remote else "other"
    return "birth" if commit.author == RECONCILER and commit.message.startswith("Fill") else "question"
