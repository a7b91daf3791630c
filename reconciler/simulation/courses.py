"""The courses and learners of the simulated world: few fields, so that edits collide."""

from __future__ import annotations

from reconciler.manifest.user import User, render_user

SYSTEMS = ("Be kind.", "Be brief.", "Ask first.")
MOODS = ("calm", "keen", "tired")
EXTRA = "extra"
"""The field that a course gains and loses."""

COURSE_SWITCHES = (
    ("About 0", "About 1"),
    ("default = 1 }", "default = 2 }"),
    ('"calm", "keen", "tired"', '"calm", "keen"'),
    ("max = 9 }\n", f'max = 9 }}\nfield.{EXTRA} = {{ type = "string", default = "more" }}\n'),
)
"""What an author changes around the fields that people see, forth and back: one text instead of the other."""

_C1 = """
[agent]
id = "c1"
name = "C1"
system = "{system}"
tools = ["send_message"]

[block.student]
label = "student"
description = "{about}"
field.name = {{ type = "string", default = "nobody" }}
field.level = {{ type = "int", default = {level} }}
field.mood = {{ type = "string", default = "calm", options = [{moods}] }}
field.goals = {{ type = "list", default = ["start"], max = 9 }}
{extra}
[block.diary]
label = "diary"

[block.profile]
label = "profile"
scope = "user"
field.likes = {{ type = "list" }}
field.nick = {{ type = "string" }}

[block.team]
label = "team"
shared = true
field.motto = {{ type = "string", default = "on" }}
field.news = {{ type = "list" }}
"""

_C2 = """
[agent]
id = "c2"
name = "C2"
system = "Count."

[block.profile]
label = "profile"
scope = "user"
field.likes = { type = "list" }
field.nick = { type = "string" }

[block.plan]
label = "plan"
field.todo = { type = "list" }
field.due = { type = "string", default = "never" }
"""


def first_course(system: int = 0, about: int = 0, moods: int = 3, extra: bool = False) -> bytes:
    """The richer course, in one of its few versions."""
    return _C1.format(
        system=SYSTEMS[system % len(SYSTEMS)],
        about=f"About {about % 2}",
        level=1 + about % 2,
        moods=", ".join(f'"{mood}"' for mood in MOODS[:moods]),
        extra=f'field.{EXTRA} = {{ type = "string", default = "more" }}\n' if extra else "",
    ).encode()


def second_course() -> bytes:
    return _C2.encode()


def user_file(user: str, courses: tuple[str, ...], account: str | None = None) -> bytes:
    return render_user(User(user, user.title(), f"{user}@example.org", account, courses)).encode()
