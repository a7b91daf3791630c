"""`user.toml`, read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifest.problems import ManifestError
from reconciler.manifest.user import User, load_user, read_user, render_user

ids = st.text("abZ09_", min_size=1, max_size=5)
lines = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="<>"), max_size=10)
users = st.builds(User, ids, lines, lines, st.none() | ids, st.lists(ids, max_size=3, unique=True).map(tuple))


@given(users)
def test_a_written_user_reads_back_the_same(user: User) -> None:
    assert load_user(render_user(user).encode(), "user.toml") == user


def test_what_is_not_set_is_not_written() -> None:
    assert render_user(User("u")) == 'id = "u"\ncourses = []\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "u/user.toml: id: missing; expected a string"),
        ('id = "../x"\n', "u/user.toml:1: id: user id '../x' cannot be used as a name"),
        ('id = "u"\nname = "a\\nActor: b"\n', "u/user.toml:2: name: name 'a\\nActor: b' contains a line break"),
        ('id = "u"\nemail = "<a>"\n', "u/user.toml:2: email:"),
        ('id = "u"\nopen_webui_id = "a/b"\n', "u/user.toml:2: open_webui_id: Open WebUI id 'a/b'"),
        ('id = "u"\ncourses = ["a",\n"../b"]\n', "u/user.toml:3: courses[2]: course id '../b'"),
        ('id = "u"\ncourses = ["a", "a"]\n', 'courses[2]: "a" is listed twice'),
        ('id = "u"\ncourses = "a"\n', 'courses: found the string "a", expected a list of strings'),
        ("id = u\n", "u/user.toml:1: is not valid TOML"),
    ],
)
def test_a_mistake_names_the_file_the_line_and_the_key(text: str, expected: str) -> None:
    with pytest.raises(ManifestError) as raised:
        load_user(text.encode(), "u/user.toml")
    assert expected in str(raised.value)
    assert len(raised.value.problems) == 1


def test_an_unknown_key_is_a_warning() -> None:
    user, problems = read_user(b'id = "u"\ncoures = ["a"]\n', "user.toml")
    assert user == User("u")
    assert [str(each) for each in problems] == ["user.toml:2: coures: unknown key, ignored; did you mean courses?"]
