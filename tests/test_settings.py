"""Settings: the file, the environment over it, secrets only from the environment or systemd; errors say where."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Terminal
from reconciler.policy import Limits
from reconciler.settings import load


@pytest.fixture(autouse=True)
def _only_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECONCILER_WORKSPACE", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def written(folder: Path, text: str) -> Path:
    (folder / "reconciler.toml").write_text(text)
    return folder


def test_a_workspace_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert settings.letta.url == ""
    assert settings.policy().limits == Limits(0.2, 10, 2)


def test_the_environment_wins_over_the_file_and_leaves_the_rest_of_its_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_LETTA__GRACE_SECONDS", "1")
    monkeypatch.setenv("RECONCILER_LETTA__MODEL_ALIASES", '{"gpt": "openai/gpt"}')
    settings = load(written(tmp_path, '[letta]\nurl = "http://letta:8283/"\ngrace_seconds = 3'))

    assert settings.letta.url == "http://letta:8283"
    assert settings.policy().grace_seconds == 1
    assert settings.policy().model_aliases == {"gpt": "openai/gpt"}


def test_a_token_comes_from_systemd_and_the_environment_wins_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letta_token").write_text("from systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert load(tmp_path).letta.token.get_secret_value() == "from systemd"

    monkeypatch.setenv("RECONCILER_LETTA__TOKEN", "from the environment")
    assert load(tmp_path).letta.token.get_secret_value() == "from the environment"


def test_open_webui_has_no_part_in_a_workspace_until_it_is_asked_for(tmp_path: Path) -> None:
    assert load(tmp_path).policy().web is None
    assert load(written(tmp_path, '[openwebui]\nbase_model = "gpt-4o"')).policy().web is None

    web = load(written(tmp_path, "[openwebui]\nembedded = true")).policy().web
    assert web is not None
    assert web.base_model, "the stand-in has one to build courses on"
    assert load(written(tmp_path, '[openwebui]\nurl = "http://x"')).policy().web is not None


def test_settings_are_frozen_and_do_not_show_their_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_LETTA__TOKEN", "hush")
    settings = load(tmp_path)

    assert "hush" not in f"{settings!r}{settings}"
    with pytest.raises(ValueError, match="frozen"):
        settings.letta.url = "http://elsewhere"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[letta]\ntoken = "hush"', "is a secret"),
        ('[letta]\nurll = "x"', "there is no setting letta.urll; did you mean url?"),
        ("[lettta]", "there is no section [lettta]; did you mean letta?"),
        ("letta = 1", "letta is a section"),
        ('[letta]\ntimeout_seconds = "soon"', "reconciler.toml: letta.timeout_seconds: found 'soon'; it should be"),
        ('[letta]\nagent_name = "{user}"', "expected {user} and {course}"),
        ('[letta]\nurl = "ftp://x"', "expected an address such as"),
        ('[letta]\nurl = "http://me:hush@x"', "RECONCILER_LETTA__TOKEN"),
        (
            '[openwebui]\nurl = "http://x"\nembedded = true',
            "openwebui.embedded: found 'True'; there is an openwebui.url",
        ),
        ("[guard]\nshare = 20", "guard.share: found '20'"),
        ("[letta", "cannot be read"),
        ("a = " + "[" * 5000, "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_says_where(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Terminal) as refused:
        load(written(tmp_path, text))

    assert words in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("RECONCILER_LETTA__TOKENN", "hush", "did you mean RECONCILER_LETTA__TOKEN?"),
        ("RECONCILER_LETTA__GRACE_SECONDS", "soon", "RECONCILER_LETTA__GRACE_SECONDS: found 'soon'"),
        ("RECONCILER_LETTA__MODEL_ALIASES", "{hush", "JSON"),
    ],
)
def test_a_wrong_variable_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Terminal) as refused:
        load(tmp_path)

    assert words in str(refused.value)
    assert "hush" not in str(refused.value)
