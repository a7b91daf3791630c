"""Who and what the story is about, and what it may check: the same thing in git, in Letta and in Open WebUI."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.outcome import IN_SYNC
from reconciler.demo.shell import Shell, check, edited, shown
from reconciler.demo.stage import COURSE, Agent
from reconciler.demo.webui import Account
from reconciler.ports import Person

ADA = Person("Ada Okafor", "ada@school.example")
BEN = Person("Ben Sato", "ben@school.example")
ANN = Person("Ann Author", "ann@school.example")
TESS = Person("Tess Teacher", "tess@school.example")

APPLY = "reconciler --once --apply"
TOOL = "memory_replace"
COURSE_NAME = "Introduction to Statistics"
PLAN = f"blocks/{COURSE}/plan.toml"
PLAN_NOTE = f"Plan · {COURSE_NAME}"
LEARNER = "blocks/learner.toml"
LEARNER_NOTE = "Learner"


@dataclass(frozen=True)
class Scene:
    """A workspace in sync. ``agent``: Ada's. ``ada`` and ``ann``: signed in to Open WebUI, Ann as an admin."""

    shell: Shell
    agent: Agent
    ada: Account
    ann: Account

    def in_git(self, path: str) -> list[str]:
        """The lines of a file of Ada's, as her work tree has it."""
        return (self.shell.folder / "users" / "ada" / path).read_text().splitlines()

    def everywhere(self, path: str, label: str, note: str) -> Mapping[str, Sequence[str]]:
        """The lines of one block of Ada's on every side."""
        letta, web = self.agent.block(label).splitlines(), self.ada.text(note).splitlines()
        return {"git": self.in_git(path), "Letta": letta, "Open WebUI": web}

    def all_hold(self, line: str, path: str = PLAN, label: str = "plan", note: str = PLAN_NOTE) -> None:
        for side, lines in self.everywhere(path, label, note).items():
            check(line in lines, f"{side} holds {line}")

    def shows_block(self, label: str, name: str) -> None:
        """One line of a memory block, as Ada's agent has it."""
        found = [line for line in self.agent.block(label).splitlines() if line.startswith(f"{name} ")]
        shown(f'Letta, the block "{label}" of {self.agent.name}', found)

    def shows_note(self, title: str, name: str) -> None:
        """One line of a note, as Ada has it."""
        found = [line for line in self.ada.text(title).splitlines() if line.startswith(f"{name} ")]
        shown(f'Open WebUI, {ADA.name}\'s note "{title}"', found)

    def agent_writes(self, old: str, new: str) -> None:
        """A turn in which Ada's agent rewrites a line of her plan."""
        call = f'{TOOL}(label="plan", old_string={_quoted(old)}, new_string={_quoted(new)})'
        returned = self.agent.says(f"call: {call}")
        shown(f"Letta, a turn of {self.agent.name}", [call, f"→ {returned.get('status')}"])
        check(returned.get("status") == "success", "the memory tool succeeded")

    def ada_writes(self, title: str, before: str, after: str) -> None:
        self.ada.edits_note(title, before, after)
        edited(f'Open WebUI, {ADA.name} in her note "{title}"', before, after)


def in_sync(shell: Shell) -> None:
    """Show that nothing is left to do, and that looking changes nothing."""
    before = _refs(shell.folder)
    said = shell.run("reconciler --once", code=IN_SYNC)
    check("In sync: git and live agree" in said, "all is in sync")
    check(_refs(shell.folder) == before, "a plan moves no ref")


def first_diff(listed: str) -> str:
    """The id of the one question that waits."""
    found = re.search(r"^([0-9a-f]{10})\s+pending\s", listed, re.MULTILINE)
    check(found is not None, "one diff waits for a person")
    assert found is not None
    return found[1]


def _refs(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.glob("**/.git/refs/**/*") if path.is_file()}


def _quoted(line: str) -> str:
    return '"' + line.replace('"', '\\"') + '"'
