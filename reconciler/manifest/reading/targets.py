"""`block.field` as written in queries and steps, resolved to the course's blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.manifest.course import Block
from reconciler.manifest.lens import TEXT
from reconciler.manifest.reading.unknown import nearest


@dataclass(frozen=True)
class Target:
    """Where a target leads. `block` is None where it leads nowhere; `doubt` says what an author should look at."""

    block: Block | None
    field: str
    doubt: str | None = None

    @property
    def written(self) -> str:
        """The target by the block's name, however it was written."""
        assert self.block is not None
        return f"{self.block.name}.{self.field}"


def resolve(blocks: Mapping[str, Block], block_name: str, field: str) -> Target:
    """The block of that name or, with a doubt, of that label: files written for older versions use labels."""
    if block := blocks.get(block_name):
        return Target(block, _field(block, field), _field_doubt(block, field))
    for block in blocks.values():
        if block.label == block_name:
            advice = _field_doubt(block, field) or f"write {'.'.join(filter(None, (block.name, field)))}"
            return Target(block, _field(block, field), f"{block_name} is the label of block {block.name}; {advice}")
    near = nearest(block_name, blocks)
    known = f"did you mean {near}?" if near else f"expected one of: {', '.join(blocks) or 'none, as none is declared'}"
    return Target(None, field, f"there is no block {block_name}; {known}")


def split(written: str) -> tuple[str, str]:
    """Block and field of a target; a prose block's target need not name a field."""
    block, _, field = written.partition(".")
    return block, field


def _field(block: Block, field: str) -> str:
    return TEXT if block.is_prose else field


def _field_doubt(block: Block, field: str) -> str | None:
    if block.is_prose:
        return None if field in ("", TEXT) else f"block {block.name} is prose, without fields; write {block.name} alone"
    if field in block.fields:
        return None
    near = nearest(field, block.fields)
    known = f"did you mean {near}?" if near else f"declared are: {', '.join(block.fields)}"
    return f"block {block.name} declares no field {field or 'of no name'}; {known}"
