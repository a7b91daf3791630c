"""Tool lists, in every spelling: "name", "name:rule", a table, or version 1's `[[agent.tools]]`."""

from __future__ import annotations

from reconciler.manifest.course import Rule, Tool
from reconciler.manifest.fit import described
from reconciler.manifest.reading.section import Section, open_section
from reconciler.manifest.reading.unknown import nearest
from reconciler.manifest.spans import Path
from reconciler.manifest.tables.agent import REGISTRY, RULES, TOOL


def read_tools(section: Section) -> tuple[Tool, ...]:
    """The tools of an agent or a task. A tool listed twice is an error: its two rules could differ."""
    found: dict[str, Tool] = {}
    for at, raw in enumerate(section.array("tools") or ()):
        where = (*section.where("tools"), at)
        tool = _short(raw, where, section) if isinstance(raw, str) else _long(raw, where, section)
        if tool is None:
            continue
        if tool.name in found:
            section.notes.error(where, f"tool {tool.name} is listed twice; keep one")
        found[tool.name] = tool
    return tuple(found.values())


def _short(raw: str, where: Path, section: Section) -> Tool | None:
    name, colon, rule = raw.partition(":")
    if not name.strip() or "\0" in raw:
        section.notes.error(where, f'found {described(raw)}, expected "name" or "name:rule"')
        return None
    if colon and rule not in RULES:
        section.notes.error(where, f'found the rule "{rule}", {_rules_expected(rule)}')
        return None
    return Tool(name, RULES[rule] if colon else default_rule(name))


def _long(raw: object, where: Path, section: Section) -> Tool | None:
    if (tool := open_section(raw, TOOL, where, section.notes)) is None:
        return None
    name = tool.text("name")
    rule, max_count = _limits(tool)
    return Tool(name, RULES[rule] if rule else default_rule(name), tool.flag("enabled"), max_count)


def _limits(tool: Section) -> tuple[str | None, int | None]:
    """Rule and max_count, which version 1 keeps in a table of their own."""
    rule, max_count = tool.text_or_none("rule"), tool.number_or_none("max_count")
    if (older := tool.section("rules")) is None:
        return rule, max_count
    for name, present in (("rule", rule), ("max_count", max_count)):
        if present is not None:
            tool.error(name, f"declared twice, as {name} and in rules; keep {name}")
    return older.text_or_none("type"), older.number_or_none("max_count")


def default_rule(name: str) -> Rule:
    """The registry's rule of a tool; one that it does not know continues."""
    return REGISTRY.get(name, "continue")


def _rules_expected(rule: str) -> str:
    near = nearest(rule, RULES)
    return f"expected one of: exit, continue, first{f'; did you mean {near}?' if near else ''}"
