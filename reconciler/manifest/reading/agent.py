"""`course.toml` as a course, its modules aside: `[agent]`, version 1's `[course]`, and what the other readers give."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.manifest.course import Course, Folders, Messages
from reconciler.manifest.fit import described
from reconciler.manifest.names import NameRefused, check_name, is_kebab
from reconciler.manifest.reading.blocks import read_blocks
from reconciler.manifest.reading.section import Section
from reconciler.manifest.reading.tasks import read_tasks
from reconciler.manifest.reading.tools import read_tools
from reconciler.manifest.spans import Path
from reconciler.manifest.tables.agent import AGENT


@dataclass(frozen=True)
class Head:
    """A course without its modules, their names, and where these are listed."""

    course: Course
    module_names: tuple[str, ...]
    listed_at: Path


@dataclass(frozen=True)
class Identity:
    """What describes the course: in `[agent]`, in version 1's `[course]`, or some here and some there."""

    agent: Section
    course: Section | None

    def home(self, name: str) -> Section:
        """The section that declares a key; where none does, the one an author would look for it in."""
        if self.course is None:
            return self.agent
        if not self.agent.has(name):
            return self.course
        if self.course.has(name) and self.course.value(name) != self.agent.value(name):
            self.course.error(name, f"declared twice, here and as agent.{name}, with different values; keep one")
        return self.agent


def read_course(file: Section, folder: str) -> Head:
    """The course of a `course.toml`; its folder's name is looked at only to compare it with the id."""
    identity = _identity(file)
    modules = identity.home("modules")
    return Head(_course(file, identity, folder), modules.texts("modules"), modules.where("modules"))


def _identity(file: Section) -> Identity:
    course = file.section("course")
    agent = file.section("agent")
    if agent is not None:
        return Identity(agent, course)
    if course is None and not file.has("agent"):
        file.notes.error(("agent",), "missing; expected a table [agent] with at least an id and a name")
    # What it would have said is not missed a second time.
    filler = {} if course else {"id": "absent", "name": "absent"}
    return Identity(Section(filler, AGENT, ("agent",), file.notes), course)


def _course(file: Section, identity: Identity, folder: str) -> Course:
    agent, blocks = identity.agent, read_blocks(file)
    return Course(
        id=_checked_id(identity.home("id"), folder),
        name=identity.home("name").text("name"),
        version=identity.home("version").text("version"),
        description=identity.home("description").text("description"),
        model=agent.text("model"),
        embedding=agent.text("embedding"),
        context_window=agent.number("context_window"),
        max_response_tokens=agent.number("max_response_tokens"),
        system=agent.text("system"),
        tools=read_tools(agent),
        blocks=blocks,
        tasks=read_tasks(file, blocks),
        messages=_messages(file),
        folders=_folders(agent),
    )


def _checked_id(section: Section, folder: str) -> str:
    found = section.text("id")
    if not found.strip():
        return found
    try:
        check_name(found, "course id")
    except NameRefused as refused:
        section.error("id", str(refused))
        return found
    if not is_kebab(found):
        section.warning("id", f"found {described(found)}, expected kebab-case: lower-case words joined by -")
    if found != folder:
        section.warning("id", f'found {described(found)}, expected "{folder}", the folder\'s name; make them the same')
    return found


def _messages(file: Section) -> Messages:
    section = file.section("messages")
    if section is None:
        return Messages()
    return Messages(
        welcome_first=section.text("welcome_first"),
        welcome_returning=section.text("welcome_returning"),
        error_unavailable=section.text("error_unavailable"),
        suggestion_prompts=section.texts("suggestion_prompts"),
    )


def _folders(agent: Section) -> Folders:
    section = agent.section("folders")
    return Folders(section.texts("shared"), section.flag("private")) if section else Folders()
