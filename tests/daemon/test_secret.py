"""Secrets are named, never written: systemd credentials, private files, the environment."""

from pathlib import Path

import pytest

from daemon import secret


def a_file(folder: Path, name: str = "pdd.secret", mode: int = 0o600) -> Path:
    file = folder / name
    file.write_text("hunter2\n")
    file.chmod(mode)
    return file


def refusal(reference: str, base: Path) -> str:
    with pytest.raises(ValueError, match=r".") as refused:
        secret.resolve(reference, base)
    return str(refused.value)


def test_a_credential_is_read_from_the_directory_systemd_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_file(tmp_path, "pdd_token", mode=0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert "hunter2" == secret.resolve("cred:pdd_token", Path("/elsewhere"))


def test_a_credential_without_systemd_says_what_to_use_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    assert "cred:pdd_token needs systemd's LoadCredential=; by hand use file:PATH" == refusal(
        "cred:pdd_token", tmp_path
    )


@pytest.mark.parametrize("name", ["../etc/shadow", "/etc/shadow", "a/b", "", ".", ".."])
def test_a_credential_name_cannot_leave_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert f"cred:{name}: a credential name has no slash" == refusal(f"cred:{name}", tmp_path)


def test_a_credential_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    said = refusal("cred:pdd_token", tmp_path)

    assert f"{tmp_path}/pdd_token: No such file or directory; check the name and its permissions" == said


def test_a_relative_file_stands_beside_the_configuration(tmp_path: Path) -> None:
    a_file(tmp_path)

    assert "hunter2" == secret.resolve("file:pdd.secret", tmp_path)


def test_an_absolute_file_is_read_where_it_is(tmp_path: Path) -> None:
    file = a_file(tmp_path)

    assert "hunter2" == secret.resolve(f"file:{file}", Path("/elsewhere"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_touch_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    file = a_file(tmp_path, mode=mode)

    assert f"{file}: others may read it; run `chmod 600 {file}`" == refusal("file:pdd.secret", tmp_path)


def test_a_file_that_is_missing_says_how_to_make_it(tmp_path: Path) -> None:
    said = refusal("file:pdd.secret", tmp_path)

    assert f"{tmp_path}/pdd.secret: No such file or directory; create it with mode 0600" == said


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "pdd.secret").mkdir(mode=0o700)

    assert "Is a directory" in refusal("file:pdd.secret", tmp_path)


def test_a_file_that_is_not_text_is_refused_without_its_content(tmp_path: Path) -> None:
    file = tmp_path / "pdd.secret"
    file.write_bytes(b"hunter2\xff")
    file.chmod(0o600)

    assert f"{file}: is not UTF-8 text; store the secret as text" == refusal("file:pdd.secret", tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pdd.secret"
    file.touch(mode=0o600)

    assert f"{file}: is empty; write the secret into it" == refusal("file:pdd.secret", tmp_path)


def test_only_line_ends_at_the_end_are_taken_off(tmp_path: Path) -> None:
    file = tmp_path / "pdd.secret"
    file.write_bytes(b" hunter 2 \r\n")
    file.chmod(0o600)

    assert " hunter 2 " == secret.resolve("file:pdd.secret", tmp_path)


def test_the_environment_serves_development(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDD_SECRET", "hunter2")

    assert "hunter2" == secret.resolve("env:PDD_SECRET", tmp_path)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    assert "the environment has no PDD_SECRET; set it, or use file:PATH" == refusal("env:PDD_SECRET", tmp_path)


def test_a_literal_is_refused_and_not_repeated(tmp_path: Path) -> None:
    said = refusal("hunter2", tmp_path)

    assert "write cred:NAME, file:PATH or (for development) env:NAME, never the secret itself" == said


@pytest.mark.parametrize(
    ("value", "expected"),
    [("cred:x", True), ("file:x", True), ("env:x", True), ("hunter2", False), ("http://x", False), ("credx", False)],
)
def test_a_reference_is_told_from_a_secret_by_its_scheme(value: str, expected: bool) -> None:
    assert expected == secret.is_reference(value)
