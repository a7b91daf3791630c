"""Laws of the block lens: reading what was written gives it back, and an edit touches only its own lines."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from reconciler.core.value import ABSENT, same
from reconciler.manifest.course import Block, Field
from reconciler.manifest.lens import InvalidBlock, edit_block, initial_block, parse_block, problem_with

# --- what people and agents write ---------------------------------------------------------------------------

characters = st.sampled_from(list("ab #'\"\\=[]{},.\n\r\t\0\x1f\x7f\x85\u2028\ufeffé語🙂")) | st.characters(
    exclude_categories=["Cs"]
)
texts = st.text(characters, max_size=12)
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(timezones=st.none() | st.just(UTC) | offsets)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number or 0.0)
scalars = st.booleans() | integers | floats | texts | moments | st.dates() | st.times()
lists = st.lists(scalars, max_size=6).map(tuple)
keys = st.sampled_from(["a", "b", "long-key", "with space", "dotted.key", 'quo"te', "", "é"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
changes = st.dictionaries(keys, values | lists | st.just(ABSENT), max_size=4)

DOCUMENTS = {
    "empty": "",
    "comment only": "# nothing yet\n",
    "no newline at the end": 'a = "x"  # why',
    "windows line ends": '# top\r\na = "x"\r\nb = """\r\none\r\ntwo"""\r\n',
    "byte order mark": '\ufeffa = "x"\nb = 2\n',
    "long list": 'a = [\n    "one", # first\n\n  # about two\n    "two",\n    "three"\n]\nb = 1\n',
    "list without order": 'a = [ "x", "y",\n"z" ] # end\n',
    "empty list over lines": "a = [\n]\n",
    "literal strings": "a = '''\none\ntwo'''\nb = 'C:\\x'\n",
    "opening on the first line": 'a = """one\ntwo"""\n',
    "tables": "a = 1\n\n# about b\n[b]\nx = 1\n\n[long-key]\ny = [1,\n2]\n# end\n",
    "tables alone": "# top\n[b]\nx = 1\n",
    "arrays of tables": "[[b]]\nx = 1\n[[b]]\nx = 2\n[b.inner]\ny = 1\n[a]\n",
    "dotted keys": "a.x = 1\nb = 2\na.y = 3\n\"with space\".'z' = 4\n",
    "inline tables": 'a = { x = 1, y = { z = [1, 2] } }\n"dotted.key" = {}\n',
    "odd spacing": '  a   =    1   # one\n\n\n\t"b" = 2\n',
    "strings that look like syntax": 'a = "# no comment ] \\" ="\nb = """[x]\n"" = 1 \\"""\n"""""\n',
}
documents = st.sampled_from(sorted(DOCUMENTS.values()))


def plain(fields: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in fields.items() if value is not ABSENT}


# --- laws ---------------------------------------------------------------------------------------------------


@given(documents, changes)
@example(DOCUMENTS["long list"], {"a": ("one", "three")})
@example("", {"a": "\nstarts and ends with a newline\n"})
@example("", {"a": 'quotes at the end\n""""'})
@settings(deadline=None, max_examples=400)
def test_what_was_written_is_read_back(text: str, wanted: dict[str, object]) -> None:
    edited = edit_block(text, wanted)
    assert same(parse_block(edited), plain({**parse_block(text), **wanted}))


@given(changes.map(plain), changes)
@settings(deadline=None)
def test_an_edit_of_an_edited_document_is_read_back(first: dict[str, object], second: dict[str, object]) -> None:
    once = edit_block("", first)
    assert same(parse_block(edit_block(once, second)), plain({**first, **second}))


@given(documents, changes)
@settings(deadline=None)
def test_the_same_edit_twice_changes_nothing_more(text: str, wanted: dict[str, object]) -> None:
    once = edit_block(text, wanted)
    assert edit_block(once, wanted) == once


@given(documents)
@settings(deadline=None)
def test_setting_a_field_to_what_it_holds_keeps_the_text(text: str) -> None:
    assert edit_block(text, parse_block(text)) == text


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4), scalars | lists | st.just(ABSENT))
@settings(deadline=None)
def test_no_line_but_the_fields_own_changes(above: list[str], below: list[str], value: object) -> None:
    before = "".join(f"  # {_comment(each)}\na{number} =  1 #\n" for number, each in enumerate(above))
    after = "".join(f"\n#{_comment(each)}\nb{number} = [ 1,2 ]\n" for number, each in enumerate(below))
    edited = edit_block(f"{before}here = 5\n{after}", {"here": value})
    assert edited.startswith(before)
    assert edited.endswith(after)


def _comment(text: str) -> str:
    return "".join(each for each in text if each.isprintable())


@given(documents, scalars | lists)
@settings(deadline=None)
def test_a_new_field_leaves_every_line_that_was_there(text: str, value: object) -> None:
    newline = "\r\n" if "\r\n" in text else "\n"
    edited = edit_block(text, {"brand new": value})
    start = edited.index('"brand new" = ')
    end = len(edited) - len(text) + start
    if text and not text.endswith("\n"):
        assert edited.startswith(text + newline)
    else:
        assert edited[:start] + edited[end:] == text


@given(st.lists(st.text("abc ", max_size=30), min_size=5, unique=True), st.data())
@settings(deadline=None)
def test_an_item_added_to_a_long_list_is_one_added_line(items: list[str], data: st.DataObject) -> None:
    text = edit_block("", {"a": tuple(f"{'x' * 20}{each}" for each in items)})
    held = list(parse_block(text)["a"])
    place = data.draw(st.integers(0, len(held)))
    edited = edit_block(text, {"a": (*held[:place], "new", *held[place:])})
    assert [line for line in edited.split("\n") if line != '    "new",'] == text.split("\n")


@given(texts)
@settings(deadline=None)
def test_prose_is_its_own_text(text: str) -> None:
    assume("\0" not in text)
    assert parse_block(text, prose=True) == {"text": text}
    assert edit_block("before", {"text": text}, prose=True) == text


@given(
    st.text(characters, max_size=60)
    | st.lists(st.sampled_from(['"', "'", "[", "{", "\\", "=", "a", "\n", "#"])).map("".join)
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_either_read_as_toml_reads_it_or_refused_clearly(text: str) -> None:
    try:
        read = parse_block(text)
    except InvalidBlock:
        return
    assert read.keys() == tomllib.loads(text.removeprefix("\ufeff")).keys()


# --- cases --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted", "edited"),
    [
        ('a = "x"  # why\n', {"a": "y"}, 'a = "y"  # why\n'),
        ("# one\na = 1\n# two\nb = 2\n", {"a": ABSENT}, "# one\n# two\nb = 2\n"),
        ("a = 1\n", {"c": True, "b": 1.0}, "a = 1\nc = true\nb = 1.0\n"),
        ("", {"a": "one\ntwo"}, 'a = """\none\ntwo"""\n'),
        ("a = '''\none\ntwo'''\n", {"a": "one\ntwo\n"}, "a = '''\none\ntwo\n'''\n"),
        ('a = """one\ntwo"""\n', {"a": "one\nthree"}, 'a = """one\nthree"""\n'),
        (
            DOCUMENTS["long list"],
            {"a": ("one", "three")},
            'a = [\n    "one", # first\n  # about two\n    "three"\n]\nb = 1\n',
        ),
        ("a = 1\n[t]\nx = 1\n", {"b": 2}, "a = 1\nb = 2\n[t]\nx = 1\n"),
        ("a = 1\r\n", {"b": "x\ny"}, 'a = 1\r\nb = """\r\nx\r\ny"""\r\n'),
        ("a.x = 1\nb = 2\n", {"a": 3}, "a = 3\nb = 2\n"),
        ("a = [1, 2]\n", {"a": (1, "x" * 90)}, f'a = [\n    1,\n    "{"x" * 90}",\n]\n'),
    ],
)
def test_edits_look_as_a_person_would_write_them(text: str, wanted: dict[str, object], edited: str) -> None:
    assert edit_block(text, wanted) == edited


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a = ", "Invalid value", 1),
        ("ok = 1\na = 1\na = 2\n", "Cannot overwrite a value", 3),
        ("a = nan\n", "nan or inf", None),
        ("a = [1.0, -inf]\n", "nan or inf", None),
        ('"@secret" = 1\n', "reserved", None),
        ("a = 1\0\n", "NUL", 1),
        ("a = " + "[" * 100 + "]" * 100, "deeper than 32", None),
        ("a = " + "{a=" * 100 + "1" + "}" * 100, "deeper than 32", None),
        (".".join("a" * 200_000) + " = 1", "deeper than 32", None),
        ("[" + ".".join("a" * 40) + "]", "deeper than 32", None),
        ("".join(f"[{'.'.join('a' * depth)}]\n" for depth in range(1, 35)), "deeper than 32", None),
        ("# " + "é" * 600_000, "larger than", None),
        ("a = 9223372036854775808\n", "64 bits", None),
        ("a = " + "9" * 5000, "digit", None),
        ('a = "\ud800"', "surrogate", None),
    ],
)
def test_a_text_no_replica_can_hold_is_refused(text: str, message: str, line: int | None) -> None:
    with pytest.raises(InvalidBlock, match=message) as refused:
        parse_block(text)
    assert refused.value.line == line


@pytest.mark.parametrize("text", ['"\\"' * 330_000, "'''" * 300_000, '"""\\' * 240_000, "[" * 900_000, "a." * 400_000])
def test_hostile_texts_are_refused_in_linear_time(text: str) -> None:
    with pytest.raises(InvalidBlock):
        parse_block(text)


@pytest.mark.parametrize("brackets", ["# " + "[" * 99, 'a = "' + "[" * 99 + '"', "a = '''\n" + "." * 99 + "'''"])
def test_brackets_in_strings_and_comments_do_not_nest(brackets: str) -> None:
    parse_block(brackets)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**63,
        time(1, tzinfo=UTC),
        "\ud800",
        datetime(2020, 1, 1, tzinfo=timezone(timedelta(seconds=5))),
    ],
)
def test_a_value_toml_cannot_hold_is_refused_before_anything_is_written(value: object) -> None:
    with pytest.raises(InvalidBlock, match="cannot be written"):
        edit_block("a = 1\n", {"a": value})


def test_prose_has_no_other_field() -> None:
    with pytest.raises(InvalidBlock, match="no field 'name'"):
        edit_block("words", {"name": "x"}, prose=True)


def test_what_parse_gives_is_ones_own() -> None:
    parse_block("a = 1")["a"] = 2
    assert parse_block("a = 1") == {"a": 1}


@pytest.mark.parametrize("shared", ["a = { b = [1] }", "[a]\nb = [1]"])
def test_nested_values_cannot_be_changed_in_place(shared: str) -> None:
    table = parse_block(shared)["a"]
    with pytest.raises(TypeError):
        table["b"] = 2  # type: ignore[index]
    assert same(table, {"b": (1,)})


# --- the first document -------------------------------------------------------------------------------------

FIELDS = (
    Field("name", description="What to call them"),
    Field("facts", "list", ("one", "two"), max=3),
    Field("since", "datetime", None),
    Field("story", default="once\nthere", description="Two lines\nof words # and more"),
    Field("with space", "float", 1.0),
)


def block(*fields: Field) -> Block:
    return Block("human", "human", fields={field.name: field for field in fields})


def test_the_first_document_describes_every_field() -> None:
    assert initial_block(block(*FIELDS)) == (
        '# What to call them\nname = ""\n\nfacts = ["one", "two"]\n\n'
        '# Two lines\n# of words # and more\nstory = """\nonce\nthere"""\n\n"with space" = 1.0\n'
    )


def test_a_prose_block_starts_empty() -> None:
    assert initial_block(block()) == ""


@given(st.text(characters), texts)
@settings(deadline=None)
def test_no_description_breaks_the_first_document(description: str, default: str) -> None:
    text = initial_block(block(Field("name", default=default, description=description)))
    assert parse_block(text) == {"name": default}


# --- what a field may hold ----------------------------------------------------------------------------------

TONE = Field("tone", default="warm", options=("warm", "formal"))
FACTS = Field("facts", "list", (), max=2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (TONE, "formal"),
        (FACTS, ("a", "b")),
        (FACTS, (1, True)),
        (FACTS, (1.0, date(2020, 1, 1))),
        (Field("n", "int", 0), 5),
        (Field("n", "float", 0.0), 5.5),
        (Field("n", "float", 0.0), 5),
        (Field("n", "bool", False), True),
        (Field("n", "datetime", None), datetime(2020, 1, 1, tzinfo=UTC)),
        (Field("l", "list", (), options=("a", "b")), ("a",)),
    ],
)
def test_a_value_that_fits_has_no_problem(field: Field, value: object) -> None:
    assert problem_with(field, value) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (TONE, "loud"),
        (TONE, 5),
        (FACTS, ("a", "b", "c")),
        (FACTS, ("twice", "twice")),
        (FACTS, (("nested",),)),
        (FACTS, ({},)),
        (FACTS, "a"),
        (Field("n", "int", 0), True),
        (Field("n", "int", 0), 1.0),
        (Field("n", "float", 0.0), True),
        (Field("n", "bool", False), 1),
        (Field("n", "datetime", None), "2020-01-01"),
        (Field("n"), {"a": 1}),
        (Field("l", "list", (), options=("a", "b")), ("c",)),
    ],
)
def test_a_value_that_breaks_its_field_is_explained(field: Field, value: object) -> None:
    assert problem_with(field, value)
