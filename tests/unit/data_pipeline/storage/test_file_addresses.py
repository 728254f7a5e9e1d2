import os
import socket
from pathlib import Path

import pytest

from data_pipeline.artefact_errors import (
    ArtefactError,
    ArtefactForbidden,
    ArtefactMissing,
    ArtefactUnreadable,
    BadAddress,
    NotRegularFile,
    OutsideRoots,
    UnsupportedScheme,
)
from data_pipeline.storage.file_addresses import LocalAddress, resolve


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a b%20é.csv"
    path.parent.mkdir()
    path.write_bytes(b"a\n1\n")
    return path


def test_plain_path_is_resolved_and_opened(file: Path) -> None:
    address = resolve(str(file), roots=[])
    assert address.path == file.resolve()
    with address.open() as opened:
        assert opened.read() == b"a\n1\n"


def test_plain_path_is_relative_to_the_working_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent.parent)
    assert resolve(f"in/../in/{file.name}", roots=[]).path == file.resolve()


def test_file_uri_is_the_same_as_its_path(file: Path) -> None:
    address = resolve(str(file), roots=[])
    assert address.uri.endswith("/in/a%20b%2520%C3%A9.csv")
    assert resolve(address.uri, roots=[]) == address
    assert resolve(address.uri.replace("file://", "FILE://localhost"), roots=[]) == address


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("", "empty"),
        ("file://", "empty"),
        ("a\0b", "NUL"),
        ("file:///a%00b", "NUL"),
        ("file://server/share/a.csv", "host 'server'"),
        ("file://user@localhost/a.csv", "host"),
        ("file:///a.csv?versionId=1", "query"),
        ("file:///a.csv#sheet", "fragment"),
        ("file:///100%.csv", "%25"),
        ("file:///a%zz.csv", "%25"),
        ("file://[/a.csv", "not a valid URI"),
        ("file:a.csv", "file:///folder/name"),
        ("file:/a.csv", "file:///folder/name"),
    ],
)
def test_invalid_address_is_refused_with_the_problem(uri: str, problem: str) -> None:
    with pytest.raises(BadAddress, match=problem):
        resolve(uri, roots=[])


@pytest.mark.parametrize("scheme", ["s3", "https", "ftp", "S3"])
def test_other_scheme_is_refused_without_the_address(scheme: str) -> None:
    with pytest.raises(UnsupportedScheme) as raised:
        resolve(f"{scheme}://bucket/key?X-Amz-Signature=secret", roots=[])
    assert f"{scheme.lower()}://" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactMissing, match="no-such"):
        resolve(str(tmp_path / "no-such"), roots=[])


def test_path_below_a_file_is_missing(file: Path) -> None:
    with pytest.raises(ArtefactMissing):
        resolve(str(file / "x"), roots=[])


def test_too_long_name_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ArtefactUnreadable, match="too long"):
        resolve(str(tmp_path / ("x" * 300)), roots=[])


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotRegularFile, match="a folder"):
        resolve(str(tmp_path), roots=[])


def test_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotRegularFile, match="a pipe"):
        resolve(str(tmp_path / "pipe"), roots=[])
    with pytest.raises(NotRegularFile, match="a pipe"):
        LocalAddress(path=tmp_path.resolve() / "pipe").open()


def test_socket_and_device_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("listening")
        with pytest.raises(NotRegularFile, match="a socket"):
            resolve("listening", roots=[])
    with pytest.raises(NotRegularFile, match="a device"):
        resolve("/dev/null", roots=[])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read any file")
def test_forbidden_file_is_refused_when_opened(file: Path) -> None:
    file.chmod(0)
    with pytest.raises(ArtefactForbidden, match="permission"):
        resolve(str(file), roots=[]).open()


def test_permission_error_is_explained(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> int:
        raise PermissionError(13, "Permission denied")

    address = resolve(str(file), roots=[])
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ArtefactForbidden, match="execute permission"):
        address.open()


def test_file_inside_a_root_is_accepted(file: Path, tmp_path: Path) -> None:
    assert resolve(str(file), roots=["/nowhere", str(tmp_path)]).path == file.resolve()


def test_root_behind_a_link_is_accepted(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(file.parent)
    assert resolve(str(file), roots=[str(tmp_path / "link")]).path == file.resolve()


@pytest.mark.parametrize("below", ["in/../../secret.csv", "link.csv", "folder/secret.csv", "missing/../../secret.csv"])
def test_file_outside_of_the_roots_is_refused(tmp_path: Path, below: str) -> None:
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (tmp_path / "secret.csv").write_bytes(b"secret")
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    (root / "folder").symlink_to(tmp_path)
    with pytest.raises(OutsideRoots, match="INGEST_ROOTS"):
        resolve(f"{root}/{below}", roots=[str(root)])


def test_missing_file_outside_of_the_roots_is_not_revealed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(OutsideRoots):
        resolve(str(tmp_path / "no-such"), roots=[str(tmp_path / "root")])


def test_sibling_with_the_root_as_prefix_is_outside(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root-other.csv").write_bytes(b"x")
    with pytest.raises(OutsideRoots):
        resolve(str(tmp_path / "root-other.csv"), roots=[str(tmp_path / "root")])


def test_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ArtefactError):
        resolve(str(tmp_path / "loop"), roots=[])


def test_file_replaced_by_a_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    address = resolve(str(file), roots=[str(tmp_path)])
    file.unlink()
    file.symlink_to("/etc/passwd")
    with pytest.raises(ArtefactError):
        address.open()


def test_folder_replaced_by_a_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    address = resolve(str(file), roots=[str(tmp_path)])
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    file.parent.rename(elsewhere)
    file.parent.symlink_to(elsewhere)
    with pytest.raises(ArtefactError):
        address.open()
