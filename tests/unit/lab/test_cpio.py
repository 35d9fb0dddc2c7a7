"""The initramfs archive is what the kernel reads."""

from collections.abc import Iterator

from aerostat.lab.image import cpio


def read_archive(archive: bytes) -> Iterator[tuple[str, dict[str, int], bytes]]:
    """Read a newc archive as cpio(5) describes it, independently of the writer."""
    # After the magic: inode, mode, five more, the file's size, two devices, the name's size, check.
    names = (
        "ino",
        "mode",
        "uid",
        "gid",
        "nlink",
        "mtime",
        "filesize",
        "devmajor",
        "devminor",
        "rdevmajor",
        "rdevminor",
        "namesize",
        "check",
    )
    at = 0
    while at < len(archive):
        assert archive[at : at + 6] == b"070701"
        assert at % 4 == 0
        fields = {
            name: int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i, name in enumerate(names)
        }
        name_end = at + 110 + fields["namesize"]
        assert archive[name_end - 1] == 0
        data_at = -(-name_end // 4) * 4
        data = archive[data_at : data_at + fields["filesize"]]
        yield archive[at + 110 : name_end - 1].decode(), fields, data
        at = -(-(data_at + len(data)) // 4) * 4


def test_files_directories_and_devices_come_back() -> None:
    archive = cpio.write_archive(
        [
            cpio.directory("bin"),
            cpio.regular_file("bin/odd", b"12345", is_executable=True),
            cpio.regular_file("empty", b""),
            cpio.character_device("console", 5, 1),
        ]
    )
    entries = {name: (fields, data) for name, fields, data in read_archive(archive)}
    assert list(entries) == ["bin", "bin/odd", "empty", "console", "TRAILER!!!"]
    assert entries["bin"][0]["mode"] == 0o040755
    assert entries["bin/odd"][0]["mode"] == 0o100755
    assert entries["bin/odd"][1] == b"12345"
    assert entries["empty"][0]["mode"] == 0o100644
    assert entries["empty"][1] == b""
    assert entries["console"][0]["mode"] == 0o020600
    assert (entries["console"][0]["rdevmajor"], entries["console"][0]["rdevminor"]) == (5, 1)


def test_every_file_is_an_inode_of_its_own() -> None:
    """Two entries with one inode number would be hard links, and one of them empty."""
    archive = cpio.write_archive([cpio.regular_file(name, b"x") for name in "abc"])
    inodes = [fields["ino"] for name, fields, _ in read_archive(archive) if len(name) == 1]
    assert len(set(inodes)) == 3


def test_equal_contents_make_equal_archives() -> None:
    entries = [cpio.regular_file("a", b"1"), cpio.directory("d")]
    assert cpio.write_archive(entries) == cpio.write_archive(entries)
