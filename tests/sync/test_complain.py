"""What a learner is told of a text that cannot be read: their own line, and plain words."""

from __future__ import annotations

import pytest

from reconciler.manifest.lens import InvalidBlock, parse_block
from reconciler.sync.complain import in_words

NO_VALUE = 'the part after = cannot be read. Texts need quotes, "like this".'


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('name = "Ada"\nconfidence = quite sure\n', "confidence = quite sure", NO_VALUE),
        ("name = “Ada”\n", "name = “Ada”", NO_VALUE),
        ('name = "Ada" Okafor\n', 'name = "Ada" Okafor', NO_VALUE),
        ("exam_on = 2026-13-01\n", "exam_on = 2026-13-01", NO_VALUE),
        ("I like chess\n", "I like chess", "the = sign is missing."),
        ('name = "Ada\n', 'name = "Ada', "the closing quote is missing."),
        ("mastered = [1, 2\nsessions = 3\n", "sessions = 3", "the ] that ends a list is missing."),
        ("sessions = 1\nsessions = 2\n", "sessions = 2", "this entry is there twice."),
    ],
)
def test_the_line_and_what_is_wrong_with_it(text: str, line: str, told: str) -> None:
    assert complaint(text) == f"Not taken over, because of the line “{line}”: {told}"


def test_what_has_no_plain_words_is_told_in_the_parsers() -> None:
    assert complaint('a = "\\q"\n').endswith("Unescaped '\\' in a string (line 1, column 8).")
    assert complaint('"@y" = 1\n') == ("Not taken over: the key '@y' begins with '@', which is reserved")


def complaint(text: str) -> str:
    with pytest.raises(InvalidBlock) as caught:
        parse_block(text)
    return in_words(str(caught.value), text)
