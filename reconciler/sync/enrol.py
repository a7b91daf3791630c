"""Accounts of the chat system become learners: found by their id, then by e-mail, else made.

Nothing is ever taken away here: an account that vanished leaves its repo as it is, and is reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.outcome import FieldChange, Notice, PlannedAction
from reconciler.core.value import ABSENT, Held
from reconciler.desired_web import WEB
from reconciler.manifest.names import NameRefused, check_user_id
from reconciler.manifest.tomledit import set_value
from reconciler.manifest.user import User, render_user
from reconciler.policy import WebPolicy
from reconciler.ports import WebGroup, WebUser

USER_FILE = "user.toml"


@dataclass(frozen=True)
class Enrolment:
    """What one account means for one learner: ``before`` is None for a new one."""

    before: User | None
    after: User

    @property
    def is_new(self) -> bool:
        return self.before is None

    def planned(self) -> PlannedAction:
        """The change as a line of the plan."""
        before: Mapping[str, Held] = _facts(self.before) if self.before else {}
        after = _facts(self.after)
        fields = tuple(
            FieldChange(name, before.get(name, ABSENT), value)
            for name, value in after.items()
            if before.get(name) != value
        )
        scope, verb = f"user/{self.after.id}", "create" if self.is_new else "update"
        return PlannedAction("captured", scope, WEB, f"user/{self.after.id}", verb, fields)

    def edited(self, text: str) -> str:
        """The learner's ``user.toml`` with what changed, and nothing else."""
        for field in self.planned().fields:
            value = list(field.after) if isinstance(field.after, tuple) else field.after
            text = set_value(text, (field.name,), value)
        return text

    def file(self) -> bytes:
        """The ``user.toml`` of a new learner."""
        return render_user(self.after).encode()


def enrolments(
    users: Sequence[User], accounts: Sequence[WebUser], groups: Sequence[WebGroup], policy: WebPolicy
) -> tuple[list[Enrolment], list[Notice]]:
    """What the accounts ask of the learners there are, and what deserves a look."""
    found: list[Enrolment] = []
    notices: list[Notice] = []
    there = frozenset(account.id for account in accounts)
    by_id = _first((user.open_webui_id, user) for user in users)
    by_mail = _first((user.email.casefold(), user) for user in users if user.open_webui_id not in there)
    for account in accounts:
        if account.role != "user":
            continue
        # By e-mail also one whose own account is gone: after a wiped database everybody comes back with another id.
        learner = by_id.get(account.id) or by_mail.get(account.email.casefold())
        wanted = _wanted(account, groups, policy)
        try:
            after = _linked(learner, account, wanted) if learner else _new(account, wanted)
        except NameRefused as error:
            notices.append(Notice(f"{WEB} account {account.name}", str(error)))
            continue
        if after != learner:
            found.append(Enrolment(learner, after))
    linked = {each.before.id for each in found if each.before}
    return found, [*notices, *_vanished([user for user in users if user.id not in linked], there)]


def _first(users: Iterable[tuple[str | None, User]]) -> Mapping[str, User]:
    """The first of each name; nobody is found by an empty one."""
    found: dict[str, User] = {}
    for name, user in users:
        if name:
            found.setdefault(name, user)
    return found


def _wanted(account: WebUser, groups: Sequence[WebGroup], policy: WebPolicy) -> tuple[str, ...]:
    of_groups = [
        course for group in groups if account.id in group.members for course in policy.groups.get(group.name, ())
    ]
    return tuple(dict.fromkeys([*policy.default_courses, *of_groups]))


def _linked(learner: User, account: WebUser, wanted: tuple[str, ...]) -> User:
    courses = tuple(dict.fromkeys([*learner.courses, *wanted]))
    if (learner.open_webui_id, learner.courses) == (account.id, courses):
        return learner  # nearly always
    return replace(learner, open_webui_id=account.id, courses=courses)


def _new(account: WebUser, wanted: tuple[str, ...]) -> User:
    return User(check_user_id(account.id), account.name, account.email, account.id, wanted)


def _vanished(users: Sequence[User], there: Collection[str]) -> Iterable[Notice]:
    for user in users:
        if user.open_webui_id and user.open_webui_id not in there:
            said = f"{user.name or user.id} has no account in Open WebUI any more; nothing of theirs was deleted"
            yield Notice(f"user/{user.id}", said)


def _facts(user: User) -> Mapping[str, Held]:
    facts: dict[str, Held] = {"id": user.id, "name": user.name, "email": user.email, "courses": user.courses}
    return {**facts, "open_webui_id": user.open_webui_id} if user.open_webui_id else facts
