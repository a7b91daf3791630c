"""What may become a path, a ref, an argument or a line of a commit."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.manifest.names import (
    NameRefused,
    check_display_name,
    check_label,
    check_name,
    check_user_id,
    letta_agent_name,
)

SAFE = set(string.ascii_letters + string.digits + "._-@+")
names = st.text(st.sampled_from("aZ0._-@+/\\\0\n {}~^:?*[é\u202e") | st.characters(), max_size=12)


def passes(check: Callable[[str], str], name: str) -> bool:
    try:
        return check(name) == name
    except NameRefused:
        return False


@given(names)
@example("a" * 129)
@example("a\n")
def test_an_accepted_user_id_stays_one_plain_component_of_a_path_and_of_a_ref(name: str) -> None:
    if passes(check_user_id, name):
        assert set(name) <= SAFE
        assert 0 < len(name) <= 128
        assert name[0] not in "-."
        assert PurePosixPath("/users", name).parts == ("/", "users", name)
        assert not any(bad in name for bad in ("..", "@{", "/"))
        assert not name.endswith((".lock", "."))


@given(names)
@example("a" * 129)
def test_an_accepted_name_is_a_bare_key_of_toml(name: str) -> None:
    if passes(lambda given: check_name(given, "block name"), name):
        assert set(name) <= SAFE - set(".@+")
        assert name[0] != "-"
        assert len(name) <= 128


@pytest.mark.parametrize("name", ["maria", "u-1", "u_1", "7", "Anna.B", "anna+test@example.org", "@anna", "a" * 128])
def test_these_user_ids_are_fine(name: str) -> None:
    assert check_user_id(name) == name


REFUSED = [
    "", ".", "..", "a..b", "../a", "a/b", "/a", "a\\b", "a\0", "a\nb", "a\n", "-a", "--upload-pack=x", ".git", ".a",
    "a.lock", "a.LOCK", "a.git", "a.", "@", "a@{1}", "a b", "a:b", "a~1", "a^", "a?", "a*", "a[", "é", "мария", "名",
    "a\u202eb", "a\u200b", "ａ", "a" * 129, "a" * 300, "$(id)", "a;b", "a\tb", "a\x7f",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_these_user_ids_are_refused(name: str) -> None:
    assert not passes(check_user_id, name)


@pytest.mark.parametrize("name", [*REFUSED, "a.b", "a@b", "a+b"])
def test_these_names_are_refused(name: str) -> None:
    assert not passes(lambda given: check_name(given, "block name"), name)


@pytest.mark.parametrize("name", ["María", "王小明", "Ольга", "O'Neil, Jr.", "", "a" * 128])
def test_a_display_name_may_be_in_any_script(name: str) -> None:
    assert passes(lambda given: check_display_name(given, "name"), name)


@pytest.mark.parametrize(
    "name", ["a\nActor: b", "a\rb", "a\0b", "a\u2028b", "A <a@b>", "a" * 129, "\x1b[31m", "\ud800"]
)
def test_a_display_name_cannot_forge_an_author_or_a_trailer(name: str) -> None:
    assert not passes(lambda given: check_display_name(given, "name"), name)


@pytest.mark.parametrize("label", ["", " ", "a/b", "a\nb"])
def test_a_label_letta_could_not_find_is_refused(label: str) -> None:
    assert not passes(check_label, label)


@given(names)
def test_a_refusal_is_one_printable_line(name: str) -> None:
    for check in (check_user_id, check_label):
        if not passes(check, name):
            with pytest.raises(NameRefused) as refused:
                check(name)
            assert str(refused.value).isprintable()


def test_the_refusal_says_what_was_wrong_with_what() -> None:
    with pytest.raises(NameRefused, match=r"user id '\.\./x' cannot be used as a name; use ASCII letters, digits and"):
        check_user_id("../x")
    with pytest.raises(NameRefused, match=r"^the block name is empty; use "):
        check_name("", "block name")
    with pytest.raises(NameRefused, match=r"^user id 'aaa.*\.\.\.' has 300 characters; use at most 128$"):
        check_user_id("a" * 300)


@pytest.mark.parametrize(
    ("template", "name"),
    [("youlab_{user}_{course}", "youlab_u_x_c-1"), ("{course}", "c-1"), ("{user}{user}", "u_xu_x"), ("fixed", "fixed")],
)
def test_an_agents_name_is_the_template_filled_in(template: str, name: str) -> None:
    assert letta_agent_name(template, "u@x", "c-1") == name


@pytest.mark.parametrize("template", ["{user.__class__}", "{0}", "{}", "{user!r}", "{name}", "{user", "}", "{user}\n"])
def test_a_template_understands_nothing_else(template: str) -> None:
    with pytest.raises(NameRefused):
        letta_agent_name(template, "u", "c")


def test_an_agents_name_is_made_of_checked_parts() -> None:
    with pytest.raises(NameRefused):
        letta_agent_name("{user}", "a/b", "c")
    with pytest.raises(NameRefused):
        letta_agent_name("{course}", "a", "c\n")
