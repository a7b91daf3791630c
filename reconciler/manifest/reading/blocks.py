"""Memory blocks and their fields, from `[block.x] field.y = {...}` or `[blocks.x.fields]`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from reconciler.manifest.course import EMPTY, Block, BlockScope, Field, FieldType, Scalar
from reconciler.manifest.fit import Misfit, described, fit, fit_default
from reconciler.manifest.names import NameRefused, check_label, check_name
from reconciler.manifest.reading.section import Section


def read_blocks(file: Section) -> dict[str, Block]:
    """The course's blocks by name, in the order of the file."""
    sections = file.sections_by_name("block")
    blocks = {name: _block(name, section) for name, section in sections.items()}
    _check_labels(blocks, sections)
    _check_former_names(blocks, sections)
    return blocks


def _block(name: str, section: Section) -> Block:
    _check_own_name(name, section, "block name")
    shared = section.flag("shared")
    scope = cast("BlockScope", section.text("scope"))
    if shared and section.has("scope") and scope != "shared":
        section.error("scope", f'found "{scope}" beside shared = true; keep one of the two')
    return Block(
        name=name,
        label=_label(section),
        description=section.text("description"),
        shared=shared or scope == "shared",
        scope="shared" if shared else scope,
        limit=section.number_or_none("limit"),
        read_only=section.flag("read_only"),
        was=section.text_or_none("was"),
        fields={inner: _field(inner, each) for inner, each in section.sections_by_name("field").items()},
    )


def _label(section: Section) -> str:
    label = section.text("label")
    if label.strip():
        try:
            check_label(label)
        except NameRefused as refused:
            section.error("label", str(refused))
    return label


def _field(name: str, section: Section) -> Field:
    _check_own_name(name, section, "field name")
    kind = cast("FieldType", section.text("type") or "string")
    field = Field(
        name=name,
        type=kind,
        default=EMPTY[kind],
        max=section.number_or_none("max"),
        description=section.text_or_none("description"),
        required=section.flag("required"),
    )
    if field.max is not None and kind != "list":
        section.warning("max", f"has no effect: it bounds lists, and the field's type is {kind}")
    return _with_default(replace(field, options=_options(field, section)), section)


def _options(field: Field, section: Section) -> tuple[Scalar, ...] | None:
    """The options as values of the field's own type, so that 1 is an option of a float."""
    raw = section.values("options")
    if raw is None or field.type == "list":
        return raw
    single = Field(field.name, field.type, None)
    fitting: list[Scalar] = []
    for option in raw:
        try:
            fitting.append(cast("Scalar", fit(single, option)))
        except Misfit as misfit:
            section.error("options", str(misfit))
    return tuple(fitting)


def _with_default(field: Field, section: Section) -> Field:
    if not section.has("default"):
        return field
    raw = section.value("default")
    try:
        return replace(field, default=fit_default(field, raw))
    except Misfit as misfit:
        advice = "; leave default out to start unset" if raw == "" else ""
        section.error("default", f"{misfit}{advice}")
        return field


def _check_own_name(name: str, section: Section, what: str) -> None:
    try:
        check_name(name, what)
    except NameRefused as refused:
        section.notes.error(section.path, str(refused))


def _check_labels(blocks: Mapping[str, Block], sections: Mapping[str, Section]) -> None:
    """Letta refuses two blocks with one label on an agent; said once for all that share it."""
    sharing: defaultdict[str, list[str]] = defaultdict(list)
    for name, block in blocks.items():
        if block.label:
            sharing[block.label].append(name)
    for label, names in sharing.items():
        if len(names) > 1:
            listed = f"{', '.join(names[:-1])} and {names[-1]}"
            lines = ", ".join(str(sections[name].notes.line(sections[name].where("label"))) for name in names)
            sections[names[1]].error(
                "label",
                f'blocks {listed} (lines {lines}) share the label "{label}", expected one block for each label; '
                "give each its own",
            )


def _check_former_names(blocks: Mapping[str, Block], sections: Mapping[str, Section]) -> None:
    claimed: set[str] = set()
    for name, block in blocks.items():
        if block.was is None:
            continue
        if block.was in blocks:
            sections[name].error("was", f"found {described(block.was)}, a block still declared; name a former one")
        elif block.was in claimed:
            sections[name].error("was", f"found {described(block.was)}, which another block claims too; keep one")
        else:
            _check_own_name(block.was, sections[name], "former block name")
        claimed.add(block.was)
