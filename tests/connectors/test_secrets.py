"""Where secrets come from, and who can read what is stored."""

import stat
from pathlib import Path

import pytest

from connectors.secrets import VALUE_BYTES_MAX, SecretStore
from schemas.secrets import Secret


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def test_a_secret_of_the_environment(folder: Path) -> None:
    store = SecretStore(folder, {"PULSEBOOK_SECRET_TOKEN": "hunter22", "PULSEBOOK_SECRETS_DIR": "x"})
    assert store.get("TOKEN") == Secret("TOKEN", "hunter22")
    assert store.listed() == (("TOKEN", ()),)


def test_a_secret_of_the_environment_may_be_bound_to_hosts(folder: Path) -> None:
    environment = {"PULSEBOOK_SECRET_T": "x", "PULSEBOOK_HOSTS_OF_SECRET_T": "a.example.com, *.b.example.com"}
    assert SecretStore(folder, environment).listed() == (("T", ("a.example.com", "*.b.example.com")),)


@pytest.mark.parametrize(
    ("content", "value"), [(b"hunter22\n", "hunter22"), (b"a\r\n", "a"), (b"a\n\n", "a\n"), (b" a ", " a ")]
)
def test_a_file_is_a_secret_without_the_line_end_at_its_end(folder: Path, content: bytes, value: str) -> None:
    folder.mkdir()
    (folder / "TOKEN").write_bytes(content)
    secret = SecretStore(folder, {}).get("TOKEN")
    assert secret is not None and secret.value == value


def test_the_environment_goes_before_a_file(folder: Path) -> None:
    store = SecretStore(folder, {"PULSEBOOK_SECRET_TOKEN": "new"})
    store.set("TOKEN", "old")
    assert store.get("TOKEN") == Secret("TOKEN", "new")
    assert len(store.listed()) == 1


def test_what_is_stored_can_be_read_by_its_owner_alone(folder: Path) -> None:
    store = SecretStore(folder, {})
    path = store.set("TOKEN", "hunter22", ["api.example.com"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert store.get("TOKEN") == Secret("TOKEN", "hunter22", ("api.example.com",))


def test_a_secret_stored_again_has_its_new_value_and_hosts_and_leaves_no_other_files(folder: Path) -> None:
    store = SecretStore(folder, {})
    store.set("TOKEN", "old", ["api.example.com"])
    store.set("TOKEN", "new")
    assert store.get("TOKEN") == Secret("TOKEN", "new")
    assert [path.name for path in folder.iterdir()] == ["TOKEN"]


def test_a_change_is_seen_without_a_restart(folder: Path) -> None:
    store = SecretStore(folder, {})
    assert store.get("TOKEN") is None
    SecretStore(folder, {}).set("TOKEN", "hunter22")
    assert store.get("TOKEN") is not None


def test_a_mounted_folder_of_kubernetes_is_understood(folder: Path) -> None:
    data = folder / "..2026_11_22"
    data.mkdir(parents=True)
    (data / "TOKEN").write_text("hunter22")
    (folder / "..data").symlink_to(data)
    (folder / "TOKEN").symlink_to(folder / "..data" / "TOKEN")
    store = SecretStore(folder, {})
    assert store.get("TOKEN") == Secret("TOKEN", "hunter22")
    assert store.listed() == (("TOKEN", ()),)


@pytest.mark.parametrize("name", ["", "a-b", "../etc/passwd", "1A", "A.hosts", "a" * 129, "ü"])
def test_a_name_that_cannot_be_one_is_refused_and_finds_nothing(folder: Path, name: str) -> None:
    store = SecretStore(folder, {})
    with pytest.raises(ValueError, match="cannot be the name"):
        store.set(name, "x")
    assert store.get(name) is None
    assert not store.delete(name)


@pytest.mark.parametrize("value", ["", "x" * (VALUE_BYTES_MAX + 1)])
def test_a_value_that_cannot_be_one_is_refused(folder: Path, value: str) -> None:
    with pytest.raises(ValueError, match="bytes"):
        SecretStore(folder, {}).set("TOKEN", value)
    assert not folder.exists()


@pytest.mark.parametrize("host", ["", "https://a", "a b", "a,b", "user@host", "*", "a.*"])
def test_a_host_that_cannot_be_one_is_refused(folder: Path, host: str) -> None:
    with pytest.raises(ValueError, match="no host"):
        SecretStore(folder, {}).set("TOKEN", "x", [host])


def test_a_deleted_secret_is_gone_with_its_hosts(folder: Path) -> None:
    store = SecretStore(folder, {})
    store.set("TOKEN", "x", ["a.example.com"])
    assert store.delete("TOKEN")
    assert not store.delete("TOKEN")
    assert list(folder.iterdir()) == []


def test_nothing_shows_a_value(folder: Path) -> None:
    store = SecretStore(folder, {"PULSEBOOK_SECRET_TOKEN": "hunter22"})
    assert "hunter22" not in repr(store) + repr(store.listed()) + repr(store.get("TOKEN"))


def test_a_secret_whose_hosts_cannot_be_read_is_not_used(folder: Path) -> None:
    store = SecretStore(folder, {})
    store.set("TOKEN", "x")
    (folder / "TOKEN.hosts").write_bytes(b"\xff\xfe")
    assert store.get("TOKEN") is None
