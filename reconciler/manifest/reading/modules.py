"""Module files: the module, and its steps from `[[steps]]` or the older `[[lessons]]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.manifest.course import Block, Completion, Module, Step, StepAgent, Tool, Value
from reconciler.manifest.names import NameRefused, check_name
from reconciler.manifest.reading.section import Section
from reconciler.manifest.reading.targets import resolve, split
from reconciler.manifest.reading.unknown import nearest


@dataclass(frozen=True)
class Surroundings:
    """What a module may refer to in its course."""

    blocks: Mapping[str, Block]
    tools: tuple[Tool, ...]


def read_module(file: Section, name: str, around: Surroundings) -> Module | None:
    """The module of the file `name`.toml; None, with an error noted, where it has no [module]."""
    section = file.section("module")
    if section is None:
        return None
    module_id = _checked_id(section, "module id")
    if module_id and module_id != name:
        section.warning("id", f'found "{module_id}", expected "{name}", the name of its file; make them the same')
    return Module(
        id=module_id,
        name=section.text("name"),
        order=section.number("order"),
        description=section.text("description"),
        disabled_tools=_disabled_tools(section, around),
        steps=_steps(file, around),
    )


def _steps(file: Section, around: Surroundings) -> tuple[Step, ...]:
    """In the order they are taken. Progress is kept by step id, so two of one id are an error."""
    found: dict[str, Step] = {}
    for section in file.sections("steps"):
        step = _step(section, around)
        if step.id in found:
            section.error("id", f'two steps of the module have the id "{step.id}"; give each its own')
        found[step.id] = step
    return tuple(sorted(found.values(), key=lambda step: step.order))


def _step(section: Section, around: Surroundings) -> Step:
    completion, agent = section.section("completion"), section.section("agent")
    return Step(
        id=_checked_id(section, "step id"),
        name=section.text("name"),
        order=section.number("order"),
        description=section.text("description"),
        objectives=section.texts("objectives"),
        completion=_completion(completion, around) if completion else Completion(),
        agent=_agent(agent, around) if agent else StepAgent(),
    )


def _completion(section: Section, around: Surroundings) -> Completion:
    lengths = section.numbers_by_name("min_list_length")
    return Completion(
        required_fields=tuple(
            _by_name(each, section, "required_fields", at, around)
            for at, each in enumerate(section.texts("required_fields"))
        ),
        min_turns=section.number_or_none("min_turns"),
        min_list_length={
            _by_name(each, section, "min_list_length", each, around): length for each, length in lengths.items()
        },
        auto_advance=section.flag("auto_advance"),
    )


def _by_name(written: str, section: Section, key: str, at: str | int, around: Surroundings) -> str:
    """The target by the block's name. One that leads nowhere is kept, with a warning: the step can still be taught."""
    target = resolve(around.blocks, *split(written))
    if target.doubt:
        section.notes.warning((*section.where(key), at), target.doubt)
    return written if target.block is None else target.written


def _agent(section: Section, around: Surroundings) -> StepAgent:
    return StepAgent(
        opening=section.text_or_none("opening"),
        focus=section.texts("focus"),
        guidance=section.texts("guidance"),
        persona_overrides=_persona_overrides(section, around),
        disabled_tools=_disabled_tools(section, around),
    )


def _persona_overrides(section: Section, around: Surroundings) -> Mapping[str, Value]:
    overrides = section.values_by_name("persona_overrides")
    persona = resolve(around.blocks, "persona", "").block
    if overrides and persona is None:
        section.warning("persona_overrides", 'has no effect: no block has the name or the label "persona"')
    elif overrides and persona and not persona.is_prose:
        for name in sorted(overrides.keys() - persona.fields.keys()):
            doubt = resolve(around.blocks, persona.name, name).doubt
            section.notes.warning((*section.where("persona_overrides"), name), f"has no effect: {doubt}")
    return overrides


def _disabled_tools(section: Section, around: Surroundings) -> tuple[str, ...]:
    known = [tool.name for tool in around.tools]
    disabled = section.texts("disabled_tools")
    for at, name in enumerate(disabled):
        if name not in known:
            near = nearest(name, known)
            advice = f"did you mean {near}?" if near else f"its tools are: {', '.join(known) or 'none'}"
            section.notes.warning((*section.where("disabled_tools"), at), f"the course has no tool {name}; {advice}")
    return disabled


def _checked_id(section: Section, what: str) -> str:
    found = section.text("id")
    if found.strip():
        try:
            check_name(found, what)
        except NameRefused as refused:
            section.error("id", str(refused))
    return found
