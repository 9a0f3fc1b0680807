"""Zip archives: opened in memory, read like a student's folder; odd things are left out or refused with a sentence."""

from __future__ import annotations

import io
import random
import shutil
import stat
import struct
import subprocess
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable

import pytest

from grader.submission.archive import MAX_MEMBERS, unpacked
from grader.submission.parsing import parse
from grader.submission.program import MAX_FILE_BYTES, MAX_FILES_BESIDE, Program, RefusedError, Submission

WORK = b"def gradient(x):\n    return x\n"

Member = tuple[str | zipfile.ZipInfo, bytes]


def zipped(*members: Member, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of duplicate names
        for name, content in members:
            archive.writestr(name, content)
    return memory.getvalue()


def of_kind(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def read(content: bytes, functions: tuple[str, ...] = (), name: str = "ada.zip") -> Program:
    return parse(Submission("ada", name, content), functions)


def refusal(content: bytes) -> str:
    with pytest.raises(RefusedError) as caught:
        read(content)
    return str(caught.value)


# What honest students hand in


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_script_with_its_modules_and_data_is_a_program(method):
    program = read(zipped(("hw2.py", WORK), ("data/p.csv", b"1,2"), ("notes.txt", b""), method=method))
    assert program.blocks[0].source == WORK.decode()
    assert program.files == {"data/p.csv": b"1,2", "notes.txt": b""}
    assert program.remarks == ()


@pytest.mark.parametrize("folder", ["hw2/", "作业 2/", "a/b/c/", "./", "./hw2/"])
def test_one_folder_around_everything_does_not_matter(folder):
    members = [(folder, b"")] if not folder.startswith(".") else []
    program = read(zipped(*members, (f"{folder}hw2.py", WORK), (f"{folder}data/数据 1.csv", b"1,2")))
    assert program.blocks[0].source == WORK.decode()
    assert program.files == {"data/数据 1.csv": b"1,2"}


def test_what_systems_and_editors_add_is_passed_over():
    litter = [
        "__MACOSX/._hw2.py",
        "__MACOSX/hw2/._hw2.py",
        ".DS_Store",
        "hw2/.DS_Store",
        "hw2/.ipynb_checkpoints/hw2-checkpoint.ipynb",
        "hw2/__pycache__/hw2.cpython-312.pyc",
        "hw2/.venv/lib/numpy.py",
        "hw2/hw2.py~",
        "Thumbs.db",
    ]
    program = read(zipped(("hw2/hw2.py", WORK), *((name, b"litter") for name in litter)))
    assert (program.blocks[0].source, program.files, program.remarks) == (WORK.decode(), {}, ())


def test_files_beside_the_archive_go_along_and_those_in_it_count_first():
    submission = Submission(
        "ada", "hw2.zip", zipped(("hw2.py", WORK), ("p.csv", b"in")), files={"p.csv": b"", "q": b""}
    )
    assert parse(submission).files == {"p.csv": b"in", "q": b""}


def test_an_archive_in_the_archive_is_a_file():
    inner = zipped(("other.py", b"x = 1"))
    assert read(zipped(("hw2.py", WORK), ("data.zip", inner))).files == {"data.zip": inner}


def test_the_suffix_may_be_in_capitals():
    assert read(zipped(("HW2.PY", WORK)), name="ADA.ZIP").blocks


@pytest.mark.skipif(shutil.which("zip") is None, reason="this machine has no zip program")
@pytest.mark.parametrize("options", [[], ["-0"], ["-9"], ["-fz"], ["-j"]])
def test_what_info_zip_writes_is_read(tmp_path, options):
    (tmp_path / "作业").mkdir()
    (tmp_path / "作业/hw2.py").write_bytes(WORK)
    (tmp_path / "作业/données.csv").write_bytes(b"1,2" * 1000)
    subprocess.run(["zip", "-q", "-r", *options, "ada.zip", "作业"], cwd=tmp_path, check=True)
    program = read((tmp_path / "ada.zip").read_bytes())
    assert program.files == {"données.csv": b"1,2" * 1000}


def test_a_large_archive_format_and_bytes_before_it_are_read():
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive, archive.open("hw2.py", "w", force_zip64=True) as member:
        member.write(WORK)
    assert read(memory.getvalue()).blocks
    assert read(b"#!/bin/sh\nexit\n" * 50 + memory.getvalue()).blocks
    assert read(memory.getvalue()[:-2] + b"\x05\0hello").blocks  # a comment


# Which file is the program


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["ada.py", "hw2.ipynb", "other.ipynb"], "ada.py"),  # named like the archive
        (["hw2.ipynb", "a.py", "b.py"], "hw2.ipynb"),  # the only notebook
        (["hw2.ipynb", "hw2.py"], "hw2.ipynb"),  # the same stem
    ],
)
def test_the_obvious_file_is_the_program(names, chosen, notebook):
    contents = {name: notebook([("code", name)]) if name.endswith(".ipynb") else name.encode() for name in names}
    program = read(zipped(*contents.items()))
    assert program.blocks[0].source == chosen
    assert program.remarks == (f"{chosen} is the file in ada.zip that was graded; the others lie beside it.",)
    assert set(program.files) == set(names) - {chosen}


def test_of_several_notebooks_the_one_with_the_functions_that_are_asked_for(notebook):
    content = zipped(
        ("draft.ipynb", notebook([("code", "def gradient(x):\n    pass")])),
        ("broken.ipynb", b"{"),
        ("final.ipynb", notebook([("markdown", "def value"), ("code", "def gradient(x):\n    pass\nvalue = abs")])),
    )
    program = read(content, ("gradient", "value"))
    assert program.blocks[0].source.endswith("value = abs")
    with pytest.raises(
        RefusedError, match=r"^Several files in ada\.zip could be .*\(broken\.ipynb, draft\.ipynb, final"
    ):
        read(content, ("gradient",))
    with pytest.raises(RefusedError, match=r'Hand in one of them, or call it "ada\.ipynb"\.$'):
        read(content)


def test_of_several_scripts_too():
    content = zipped(("plots.py", b"def plot(): pass"), ("work.py", b"import plots\nasync def f(): pass\n" + WORK))
    assert read(content, ("gradient",)).files == {"plots.py": b"def plot(): pass"}


def test_messages_about_the_program_name_it_and_the_archive():
    assert refusal(zipped(("hw2.ipynb", b"{"))).startswith("hw2.ipynb in ada.zip is not a notebook: it is not JSON")
    assert refusal(zipped(("hw2.py", b" \n"))).startswith("hw2.py in ada.zip is empty.")


# Names


def raw_name(content: bytes, placeholder: bytes, name: bytes, is_utf8: bool = False) -> bytes:
    """The archive with another name of the same length in place of `placeholder`."""
    assert len(placeholder) == len(name)
    content = content.replace(placeholder, name)
    if not is_utf8:
        return content
    changed = bytearray(content)
    for signature, offset in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            changed[start + offset + 1] |= 0x08
    return bytes(changed)


@pytest.mark.parametrize("is_utf8", [True, False], ids=["said to be UTF-8", "UTF-8 without saying so, as of macOS"])
def test_names_in_utf8_are_read_as_such(is_utf8):
    name = "最小 二.csv".encode()
    content = raw_name(zipped(("hw2.py", WORK), ("#" * len(name), b"1")), b"#" * len(name), name, is_utf8)
    program = read(content)
    assert (program.files, program.remarks) == ({"最小 二.csv": b"1"}, ())


def test_a_name_in_another_encoding_is_read_and_told():
    name = "最小.csv".encode("gbk")
    program = read(raw_name(zipped(("hw2.py", WORK), ("#" * len(name), b"1")), b"#" * len(name), name))
    assert list(program.files.values()) == [b"1"]
    assert "is not stored as UTF-8" in program.remarks[0]


def test_a_name_that_is_not_the_utf8_it_is_said_to_be_is_refused():
    content = raw_name(zipped(("hw2.py", WORK), ("####", b"1")), b"####", b"\xff\xfe\xfd\xfc", is_utf8=True)
    assert "not a zip archive, or only a part of one" in refusal(content)


def test_accents_are_stored_in_one_way():
    assert read(zipped(("hw2.py", WORK), ("donne\u0301es.csv", b"1"))).files == {"donn\u00e9es.csv": b"1"}


def test_of_two_members_of_one_name_the_last_counts_and_the_student_is_told():
    program = read(zipped(("hw2.py", b"x = 1"), ("hw2.py", WORK), ("e\u0301", b"1"), ("\u00e9", b"2")))
    assert program.blocks[0].source == WORK.decode()
    assert program.files == {"\u00e9": b"2"}
    assert program.remarks == tuple(
        f"{name} is in ada.zip more than once; the last one counts." for name in ["hw2.py", "\u00e9"]
    )


def test_names_that_differ_in_capitals_are_two_names():
    assert read(zipped(("hw2.py", WORK), ("Data", b"1"), ("data", b"2"))).files == {"Data": b"1", "data": b"2"}


def test_backslashes_of_old_windows_programs_separate_folders():
    assert read(zipped(("hw2\\hw2.py", WORK), ("hw2\\data\\p.csv", b"1"))).files == {"data/p.csv": b"1"}


ESCAPES = "its path leads out of the archive"
UNSHOWABLE = "characters that cannot be shown"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.py", ESCAPES),
        ("data/../../evil.py", ESCAPES),
        ("..\\evil.py", ESCAPES),
        ("/etc/cron.d/evil", ESCAPES),
        ("\\\\server\\share\\evil", ESCAPES),
        ("C:\\Windows\\evil.dll", ESCAPES),
        ("c:evil.py", ESCAPES),
        ("..", ESCAPES),
        ("evil\x1b[2J.txt", UNSHOWABLE),
        ("evil\n.txt", UNSHOWABLE),
        ("evil\u202eyp.txt", UNSHOWABLE),
        ("/" * 3 + "a" * 2000, ESCAPES),
        ("a" * 2000, "its name is too long"),
        ("a/" * 30_000 + "b", "its name is too long"),
        (of_kind("passwd", stat.S_IFLNK), "it is a link"),
        (of_kind("tape", stat.S_IFCHR), "it is not a regular file"),
        (of_kind("disk", stat.S_IFBLK), "it is not a regular file"),
        (of_kind("pipe", stat.S_IFIFO), "it is not a regular file"),
    ],
)
def test_a_member_with_an_odd_path_or_kind_is_left_out_and_the_rest_is_read(name, reason):
    program = read(zipped(("hw2.py", WORK), (name, b"/etc/passwd"), ("p.csv", b"1")))
    assert program.blocks[0].source == WORK.decode()
    assert program.files == {"p.csv": b"1"}
    (remark,) = program.remarks
    assert "in ada.zip was left out: " in remark
    assert reason in remark
    assert remark.isprintable()
    assert len(remark) < 300


def test_a_name_with_nul_is_left_out():
    content = raw_name(zipped(("hw2.py", WORK), ("evil#.py", b"x")), b"evil#.py", b"evil\0.py")
    program = read(content)
    assert program.files == {}
    assert program.remarks[0].startswith("evil\ufffd.py in ada.zip was left out: its name")


def test_where_the_program_itself_is_left_out_the_refusal_says_why():
    said = refusal(zipped(("../hw2.py", WORK)))
    assert said.startswith("There is no notebook (.ipynb) and no Python script (.py) that can be read in ada.zip.")
    assert "../hw2.py in ada.zip was left out: its path leads out" in said


def test_a_thousand_odd_members_are_not_a_thousand_remarks():
    program = read(zipped(("hw2.py", WORK), *((f"../{number}", b"") for number in range(1000))))
    assert len(program.remarks) == 11
    assert program.remarks[-1] == "990 more things in ada.zip were as odd."


# What zip cannot or should not do


def with_flag(content: bytes, flag: int) -> bytes:
    changed = bytearray(content)
    for signature, offset in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
        changed[content.rfind(signature) + offset] |= flag
    return bytes(changed)


def test_an_encrypted_member_is_left_out():
    program = read(with_flag(zipped(("hw2.py", WORK), ("secret.csv", b"1")), 1))
    assert program.files == {}
    assert "secret.csv in ada.zip was left out: it is protected by a password" in program.remarks[0]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 9, 93, 99])
def test_a_member_of_a_rare_method_is_left_out(method):
    content = bytearray(zipped(("hw2.py", WORK), ("p.csv", b"1")))
    struct.pack_into("<H", content, content.rfind(b"PK\x01\x02") + 10, method)
    program = read(bytes(content))
    assert program.files == {}
    assert "compressed by a rare method" in program.remarks[0]


def test_a_member_with_a_wrong_checksum_is_left_out():
    content = zipped(("hw2.py", WORK), ("p.csv", b"1,2,3,4"), method=zipfile.ZIP_STORED)
    program = read(content.replace(b"1,2,3,4", b"1,2,3,5"))
    assert program.files == {}
    assert program.remarks == ("p.csv in ada.zip was left out: its bytes are damaged; make the archive again.",)


def test_an_archive_of_which_the_end_is_missing_is_refused():
    content = zipped(("hw2.py", WORK), ("p.csv", random.Random(1).randbytes(500)))
    for length in range(1, len(content)):
        assert "ada.zip" in refusal(content[:length])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "ada.zip is empty."),
        (b"Rar!\x1a\x07\x01\x00" + b"\0" * 100, "ada.zip is not a zip archive, or only a part of one."),
        (b'{"cells": []}', "ada.zip is not a zip archive"),
        (zipped(), "There is no notebook"),
        (zipped(("__MACOSX/._hw2.py", b"x")), "There is no notebook"),
        (zipped(("hw2.docx", b"x")), "There is no notebook"),
        (zipped(("inner.zip", zipped(("hw2.py", WORK)))), "archives in it (inner.zip) are not opened"),
        (zipped(("a/one.py", WORK), ("b/two.py", WORK)), "There is no notebook"),
    ],
)
def test_what_holds_no_program_is_refused(content, reason):
    said = refusal(content)
    assert reason in said
    assert said.endswith(".")


# Bombs


def peak_of(action: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_more_than_the_limit_of_bytes_is_refused_before_anything_is_decompressed():
    content = zipped(("hw2.py", WORK), *((f"{number}.bin", bytes(1_000_000)) for number in range(21)))
    assert len(content) < 50_000
    said = []
    assert peak_of(lambda: said.append(refusal(content))) < 2_000_000
    assert said[0].startswith("The files in ada.zip have 21.0 MB in all; at most 20 MB are read.")
    assert len(unpacked(zipped(("big", bytes(MAX_FILE_BYTES))), "ada.zip")[0]["big"]) == MAX_FILE_BYTES


def test_a_member_that_is_larger_than_it_says_is_never_decompressed_further():
    content = bytearray(zipped(("hw2.py", WORK), ("bomb", bytes(100_000_000))))
    entry = content.rfind(b"PK\x01\x02")
    struct.pack_into("<L", content, entry + 24, 10)
    programs = []
    assert peak_of(lambda: programs.append(read(bytes(content)))) < 10_000_000
    assert programs[0].files == {}
    assert "bomb in ada.zip was left out: its bytes are damaged" in programs[0].remarks[0]
    struct.pack_into("<L", content, entry + 16, zlib.crc32(bytes(10)))  # a lie that fits
    assert read(bytes(content)).files == {"bomb": bytes(10)}


def test_members_that_share_their_bytes_are_refused():
    """The better zip bomb: one kernel that many entries of the directory point to, each quoting the next header."""
    kernel = zlib.compress(bytes(100_000), 9)[2:-4]
    checksum = zlib.crc32(bytes(100_000))
    names = [f"{number}.bin".encode() for number in range(5)]
    fields = (20, 0, 8, 0, 33, checksum, len(kernel), 100_000)
    body = struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields, len(names[0]), 0) + names[0] + kernel
    directory = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, *fields, len(name), 0, 0, 0, 0, 0, 0) + name for name in names
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 5, 5, len(directory), len(body), 0)
    assert "has members that share their bytes (0.bin, 1.bin)" in refusal(body + directory + end)

    quoting = zipped(("a.bin", bytes(50)), ("b.bin", bytes(50)), ("hw2.py", WORK), method=zipfile.ZIP_STORED)
    longer = bytearray(quoting)
    struct.pack_into("<L", longer, quoting.find(b"PK\x01\x02") + 20, quoting.find(b"PK\x03\x04", 60))
    assert "share their bytes (a.bin, b.bin)" in refusal(bytes(longer))


def test_ten_thousand_members_are_refused_before_there_are_as_many_objects():
    content = zipped(("hw2.py", WORK), *((f"{number}", b"") for number in range(10_000)))
    said = []
    assert peak_of(lambda: said.append(refusal(content))) < 100_000
    assert said[0].startswith(f"ada.zip has more than {MAX_MEMBERS} members; hand in only what your work needs")


def test_the_count_at_the_end_of_the_archive_is_not_believed():
    content = bytearray(zipped(("hw2.py", WORK), *((f"{number}", b"") for number in range(10_000))))
    struct.pack_into("<2H", content, content.rfind(b"PK\x05\x06") + 8, 1, 1)
    assert "members" in refusal(bytes(content))


def test_as_many_files_as_in_a_folder_may_be_in_an_archive():
    members = [("hw2.py", WORK), *((f"data/{number}", b"") for number in range(MAX_FILES_BESIDE))]
    assert len(read(zipped(*members)).files) == MAX_FILES_BESIDE
    assert "holds 202 files; at most 200" in refusal(zipped(*members, ("one more", b"")))


# Any bytes


def test_any_damage_to_an_archive_is_a_program_or_a_refusal(notebook):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("作业/hw2.py", WORK * 20)
        archive.writestr("作业/hw2.ipynb", notebook([("code", "x = 1")]))
        with archive.open("large", "w", force_zip64=True) as member:
            member.write(b"1" * 300)
        archive.comment = b"PK\x05\x06 of a comment"
    whole = memory.getvalue()
    chance = random.Random(1)
    outcomes = set()
    for _ in range(3000):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            position = chance.randrange(len(content))
            match chance.randrange(4):
                case 0:
                    content[position] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
                case 1:
                    content[position : position + 4] = chance.choice((b"PK\x01\x02", b"\xff" * 4, b"PK\x05\x06"))
                case 2:
                    del content[position : position + chance.randint(1, 30)]
                case _:
                    content[position:position] = content[-chance.randint(1, 100) :]
        try:
            program = read(bytes(content))
        except RefusedError as refused:
            outcomes.add("refused")
            texts = [str(refused)]
        else:
            outcomes.add("read")
            texts = [*program.remarks, *program.files]
        for text in texts:
            text.encode()
            assert text.isprintable()
    assert outcomes == {"read", "refused"}


def test_long_names_of_nothing_but_accents_are_not_put_in_order():
    # To store the accents of one such name in one way takes a second.
    members = [(f"{number}" + "\u0301\u0316" * 15_000, b"") for number in range(200)]
    program = read(zipped(("hw2.py", WORK), *members))
    assert program.files == {}
    assert "was left out: its name is too long." in program.remarks[0]
    assert len(program.remarks) == 11
