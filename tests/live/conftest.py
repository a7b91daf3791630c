"""Makes the live fixtures known to the tests of this folder."""

from tests.live.fixtures import clean_letta, clean_openwebui, letta, openwebui

__all__ = ["clean_letta", "clean_openwebui", "letta", "openwebui"]
