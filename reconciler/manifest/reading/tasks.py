"""Background work, from `[[task]]` or version 1's `[background.name]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from reconciler.manifest.course import Block, Merge, Query, QueryScope, Task
from reconciler.manifest.names import NameRefused, check_name
from reconciler.manifest.reading.schedule import is_schedule
from reconciler.manifest.reading.section import Section
from reconciler.manifest.reading.targets import resolve, split
from reconciler.manifest.reading.tools import read_tools

Blocks = Mapping[str, Block]


def read_tasks(file: Section, blocks: Blocks) -> tuple[Task, ...]:
    """The tasks of both spellings, version 2's first. Names must differ: people start a task by its name."""
    found: dict[str, Task] = {}
    present = [(_task(at, section, blocks), section) for at, section in enumerate(file.sections("task"), 1)]
    older = [(_background(name, each, blocks), each) for name, each in file.sections_by_name("background").items()]
    for task, section in (*present, *older):
        if task.name in found:
            section.notes.error(section.path, f'two tasks have the name "{task.name}"; give each its own')
        _check_runs(task, section)
        found[task.name] = task
    return tuple(found.values())


def _task(at: int, section: Section, blocks: Blocks) -> Task:
    name = section.text_or_none("name")
    return replace(
        _work(f"task-{at}" if name is None else name, section, blocks),
        schedule=_schedule(section),
        manual=section.flag("manual"),
        on_idle=section.flag("on_idle"),
        idle_threshold_minutes=section.number("idle_threshold_minutes"),
        idle_cooldown_minutes=section.number("idle_cooldown_minutes"),
        after_messages=section.number_or_none("after_messages"),
    )


def _background(name: str, section: Section, blocks: Blocks) -> Task:
    task = _work(name, section, blocks)
    triggers = section.section("triggers")
    if triggers is None:
        return task
    task = replace(
        task,
        schedule=_schedule(triggers),
        manual=triggers.flag("manual"),
        after_messages=triggers.number_or_none("after_messages"),
    )
    if (idle := triggers.section("idle")) is None:
        return task
    return replace(
        task,
        on_idle=idle.flag("enabled"),
        idle_threshold_minutes=idle.number("threshold_minutes"),
        idle_cooldown_minutes=idle.number("cooldown_minutes"),
    )


def _work(name: str, section: Section, blocks: Blocks) -> Task:
    """What both spellings have in common."""
    try:
        check_name(name, "task name")
    except NameRefused as refused:
        section.notes.error(section.path, str(refused))
    return Task(
        name=name,
        agent_types=section.texts("agent_types"),
        user_filter=section.text("user_filter"),
        batch_size=section.number("batch_size"),
        queries=tuple(_query(each, blocks) for each in section.sections("queries")),
        system=section.text_or_none("system"),
        tools=read_tools(section),
        enabled=section.flag("enabled"),
    )


def _query(section: Section, blocks: Blocks) -> Query:
    block, field = _target(section, blocks)
    return Query(
        block=block,
        field=field,
        question=section.text("question"),
        id=section.text_or_none("id"),
        scope=cast("QueryScope", section.text("scope")),
        recent_limit=section.number("recent_limit"),
        merge=cast("Merge", section.text("merge")),
    )


def _target(section: Section, blocks: Blocks) -> tuple[str, str]:
    """Block and field the answer goes to. Without a block it would go nowhere, which is an error."""
    written = section.text_or_none("target")
    older = section.text_or_none("target_block"), section.text_or_none("target_field")
    named = "target" if written is not None else "target_block"
    if written is not None and any(older):
        section.error("target", "declared twice, as target and as target_block and target_field; keep target")
    if written is None and older[0] is None:
        section.error("target", 'missing; expected "block.field", the field the answer goes to')
        return "", ""
    block, field = split(written) if written is not None else (older[0] or "", older[1] or "")
    target = resolve(blocks, block, field)
    if target.block is None:
        section.error(named, f"{target.doubt}")
        return block, field
    if target.doubt:
        section.warning(named, target.doubt)
    return target.block.name, target.field


def _schedule(section: Section) -> str | None:
    schedule = section.text_or_none("schedule")
    if schedule is not None and not is_schedule(schedule):
        section.error("schedule", f'found "{schedule}", expected a cron expression of five parts, such as "0 3 * * *"')
    return schedule


def _check_runs(task: Task, section: Section) -> None:
    is_started = task.manual or task.on_idle or task.schedule is not None or task.after_messages is not None
    if not is_started and task.enabled:
        section.notes.warning(section.path, "never runs: give it a schedule, on_idle, after_messages or manual = true")
    if not task.queries and task.system is None:
        section.notes.warning(section.path, "does nothing: give it queries, or system and tools of its own")
