"""A base comes back exactly as it was saved, costs only what changed, and is never mistaken for an empty one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.base import NEVER, Base, FieldBase, Link, Origin, Settled
from reconciler.core.value import ABSENT, Held, same
from reconciler.errors import Terminal, Transient
from reconciler.ports import Draft, Person
from reconciler.simulation.repo import MemoryRepo
from reconciler.store.bases import StoredBase, base_ref, load_base, save_base
from reconciler.store.values import from_json, to_json

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MAIN = "a" * 40
REF = base_ref("letta")
ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=-3, minutes=-30))])

scalars = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=[]))
    | st.dates()
    | st.times(timezones=st.just(None))
    | st.datetimes(timezones=ZONES)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(max_size=3), inner), max_leaves=6
)
held: st.SearchStrategy[Held] = values | st.just(ABSENT)
settled: st.SearchStrategy[Settled] = held | st.just(NEVER)
fields = st.builds(
    FieldBase,
    settled=settled,
    chain=st.lists(st.builds(Link, held, st.sampled_from(Origin)), max_size=3).map(tuple),
    waits=st.none() | st.frozensets(st.text(max_size=4), max_size=3),
    round=st.sampled_from([1, 2]),
    rewrites=st.integers(0, 5),
)
bases = st.builds(
    Base,
    main=st.none() | st.just(MAIN),
    resources=st.dictionaries(
        st.sampled_from(["block/a/b", "block/a", "agent/c"]), st.dictionaries(st.text(max_size=3), fields, max_size=3)
    ),
)


def save(repo: MemoryRepo, base: Base, previous: StoredBase | None = None) -> StoredBase:
    return save_base(repo, "letta", base, previous or load_base(repo, "letta"), NOW)


def exact(base: Base) -> object:
    """The base in terms that tell 1 from 1.0 and from true."""
    return base.main, {
        ref: {
            name: (
                repr(to_json(field.settled)),
                [(repr(to_json(link.value)), link.origin) for link in field.chain],
                field.waits,
                field.round,
                field.rewrites,
            )
            for name, field in names.items()
        }
        for ref, names in base.resources.items()
    }


def one(value: Settled, **more: object) -> Base:
    return Base(MAIN, {"block/a/b": {"x": FieldBase(settled=value)}, "block/a/c": {}})


@given(settled)
def test_every_value_survives_json(value: Settled) -> None:
    found = from_json(to_json(value))

    assert found is NEVER if value is NEVER else same(value, found)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        *(1, 1.0, True, "1", "", -0.0, 1e300, float("inf"), -float("inf"), 10**30, (), (1, (True,)), {}, {"table": {}}),
        *(date(2026, 1, 2), time(3, 4), time(3, 4, 5, 6), datetime(2026, 1, 2), NOW, "\ud800", "\u2028", "ñ"),
        *(datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=5, minutes=45))), ABSENT, NEVER),
    ],
)
def test_a_saved_value_keeps_its_very_type(value: Settled) -> None:
    repo = MemoryRepo()
    save(repo, one(value))

    assert exact(load_base(repo, "letta")) == exact(one(value))


@given(bases, bases)
def test_a_base_saved_over_any_other_is_the_one_that_loads(first: Base, second: Base) -> None:
    repo = MemoryRepo()
    before = save(repo, first)
    save(repo, second, before)

    assert exact(load_base(repo, "letta")) == exact(second)


@given(bases)
def test_an_unchanged_base_makes_no_commit(base: Base) -> None:
    repo = MemoryRepo()
    saved = save(repo, base)

    assert save(repo, base, saved).commit == saved.commit
    assert save(repo, load_base(repo, "letta")).commit == saved.commit
    assert repo.ref(REF) == saved.commit


def test_only_what_changed_is_written() -> None:
    repo = MemoryRepo()
    first = save(repo, one(1))
    second = save(repo, one(True), first)
    assert first.commit
    assert second.commit
    before, after = repo.files(first.commit), repo.files(second.commit)

    assert {path for path in before if before[path] != after[path]} == {"block/a/b.json"}
    assert set(after) == {"block/a/b.json", "block/a/c.json", "main"}


def test_a_remote_never_saved_has_an_empty_base_of_its_own() -> None:
    repo = MemoryRepo()
    save(repo, one(1))

    assert load_base(repo, "openwebui") == StoredBase()


def test_a_base_saved_by_another_process_is_not_overwritten() -> None:
    repo = MemoryRepo()
    before = load_base(repo, "letta")
    theirs = save(repo, one(1), before)

    with pytest.raises(Transient, match="another process"):
        save(repo, one(2), before)
    assert repo.ref(REF) == theirs.commit


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("block/a/b.json", b""),
        ("block/a/b.json", b"\xff"),
        ("block/a/b.json", b"[]"),
        ("block/a/b.json", b'{"x": {}}'),
        ("block/a/b.json", b'{"x": 1}'),
        ("block/a/b.json", b'{"x": {"settled": null, "chain": [], "waits": [], "round": 1, "rewrites": 0}}'),
        ("block/a/b.json", b'{"x": {"settled": NaN, "chain": [], "waits": [], "round": 1, "rewrites": 0}}'),
        ("block/a/b.json", b'{"x": {"settled": {"odd": 1}, "chain": [], "waits": [], "round": 1, "rewrites": 0}}'),
        ("block/a/b.json", b'{"x": {"settled": {"date": 1}, "chain": [], "waits": [], "round": 1, "rewrites": 0}}'),
        ("block/a/b.json", b'{"x": {"settled": 1, "chain": [[1, "moon"]], "waits": [], "round": 1, "rewrites": 0}}'),
        ("block/a/b.json", b'{"x": {"settled": 1, "chain": [], "waits": [1], "round": 1, "rewrites": 0}}'),
        ("block/a/b.json", b"[" * 100_000),
        ("main", b"not a commit\n"),
        ("note.txt", b"what is this?"),
    ],
)
def test_a_damaged_base_is_never_an_empty_one(path: str, content: bytes) -> None:
    repo = MemoryRepo()
    commit = save(repo, one(1)).commit
    assert commit
    bad = repo.commit(Draft(commit, (commit,), {path: content}, Person("x", "x@y"), "Damage", NOW))
    repo.move(REF, commit, bad)

    with pytest.raises(Terminal, match=r"refs/reconciler/letta/base"):
        load_base(repo, "letta")


def test_nan_is_refused_before_anything_is_written() -> None:
    repo = MemoryRepo()

    with pytest.raises(ValueError, match="nan"):
        save(repo, one(float("nan")))
    assert repo.ref(REF) is None
