"""Makes the live fixtures known to the tests of this folder."""

from tests.live.fixtures import clean_letta, letta

__all__ = ["clean_letta", "letta"]
