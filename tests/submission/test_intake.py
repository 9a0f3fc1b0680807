"""Files and folders become submissions, one a student; what is not graded is told with a sentence."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.submission import intake
from grader.submission.intake import Collection, PathError, RefusedFile, collect

BASE = 1_700_000_000


@pytest.fixture
def put(tmp_path):
    """Write a file below the folder of submissions, with a time of modification in seconds after some moment."""

    def write(name: str, content: bytes = b"x = 1", time: float = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (BASE + time, BASE + time))
        return path

    return write


def students(collection: Collection) -> list[str]:
    return [submission.student for submission in collection.submissions]


def reasons(collection: Collection) -> dict[tuple[str, str], str]:
    return {(file.student, file.file_name): file.reason for file in collection.refused}


def test_a_file_is_a_submission_of_the_student_it_is_named_after(put):
    (submission,) = collect([put("Ada Lovelace.py", b"x = 2", time=5)]).submissions
    assert (submission.student, submission.file_name) == ("Ada Lovelace", "Ada Lovelace.py")
    assert submission.content == b"x = 2"
    assert submission.modified_at == datetime.fromtimestamp(BASE + 5, UTC)
    assert submission.files == {}


def test_a_folder_of_files_and_of_folders_is_a_class(put, tmp_path):
    put("ada.py")
    put("emmy.ipynb")
    put("sofia/hw2.ipynb")
    collection = collect([tmp_path])
    assert students(collection) == ["ada", "emmy", "sofia"]
    assert [submission.file_name for submission in collection.submissions] == ["ada.py", "emmy.ipynb", "hw2.ipynb"]
    assert collection.refused == ()


@pytest.mark.parametrize(
    "name", ["Ada", "ADA", "华罗庚", "Évariste Galois", "o'neil & <sons>", "a.b.c", "smith_1234_late"]
)
def test_names_of_all_kinds_are_students(put, tmp_path, name):
    put(f"{name}.py")
    put(f"folders/{name}/{name}.py")
    assert students(collect([tmp_path / f"{name}.py"])) == [name]
    assert students(collect([tmp_path / "folders"])) == [name]


def test_a_name_is_the_same_student_however_its_accents_are_stored(put):
    assert students(collect([put("Ame\u0301lie.py")])) == ["Am\u00e9lie"]


def test_suffixes_may_be_in_capitals(put):
    assert students(collect([put("ada.PY"), put("emmy.IPYNB")])) == ["ada", "emmy"]


def test_the_result_does_not_depend_on_the_order_of_the_paths(put):
    paths = [put(f"{name}.{suffix}") for name in "badc" for suffix in ("py", "ipynb", "txt")]
    expected = collect(paths)
    for seed in range(5):
        random.Random(seed).shuffle(paths)
        assert collect(paths) == expected


def test_a_path_that_is_given_twice_counts_once(put, tmp_path):
    path = put("ada.py")
    assert collect([path, tmp_path, path]) == collect([path])


def test_what_editors_and_systems_leave_behind_is_passed_over(put, tmp_path):
    for litter in [
        ".DS_Store",
        ".ada.py",
        ".ipynb_checkpoints/ada-checkpoint.ipynb",
        "__pycache__/ada.pyc",
        "__MACOSX/ada.py",
        "Thumbs.db",
        "desktop.ini",
        "ada.py~",
        "emmy/.ipynb_checkpoints/emmy.ipynb",
    ]:
        put(litter)
    put("emmy/emmy.ipynb")
    collection = collect([tmp_path])
    assert students(collection) == ["emmy"]
    assert collection.submissions[0].files == {}
    assert collection.refused == ()


def test_an_empty_folder_holds_nothing(tmp_path):
    assert collect([tmp_path]) == Collection((), ())


def test_a_path_that_is_not_there_is_an_error_of_the_user(tmp_path):
    with pytest.raises(PathError, match=r'There is no file or folder ".*/nowhere"\. Check'):
        collect([tmp_path / "nowhere"])


def test_other_files_are_refused(put, tmp_path):
    put("ada.pdf")
    put("emmy")
    assert reasons(collect([tmp_path])) == dict.fromkeys(
        [("ada", "ada.pdf"), ("emmy", "emmy")],
        "It is neither a notebook (.ipynb) nor a Python script (.py); hand in one of these.",
    )


def test_of_two_files_the_later_is_graded(put, tmp_path):
    put("ada.ipynb", time=0)
    put("ada.py", time=1)
    collection = collect([tmp_path])
    assert [submission.file_name for submission in collection.submissions] == ["ada.py"]
    assert collection.refused == (
        RefusedFile("ada", "ada.ipynb", "ada.py of the same student is graded instead: it was modified later."),
    )


def test_of_two_files_of_the_same_time_the_notebook_is_graded(put, tmp_path):
    put("ada.ipynb")
    put("ada.py")
    collection = collect([tmp_path])
    assert [submission.file_name for submission in collection.submissions] == ["ada.ipynb"]
    assert reasons(collection) == {
        ("ada", "ada.py"): "ada.ipynb of the same student is graded instead: "
        "both were modified at the same time, and it is the notebook."
    }


def test_a_file_and_a_folder_of_one_student_are_two_files(put, tmp_path):
    put("ada.py", time=0)
    put("ada/hw2.py", time=1)
    collection = collect([tmp_path])
    assert [submission.file_name for submission in collection.submissions] == ["hw2.py"]
    assert list(reasons(collection)) == [("ada", "ada.py")]


# A student's folder


def test_the_other_files_of_a_folder_go_along(put, tmp_path):
    put("ada/hw2.ipynb", b"{}")
    put("ada/helpers.py", b"y = 1")
    put("ada/data/points.csv", b"1,2")
    (submission,) = collect([tmp_path]).submissions
    assert submission.file_name == "hw2.ipynb"
    assert submission.files == {"helpers.py": b"y = 1", "data/points.csv": b"1,2"}


@pytest.mark.parametrize(
    ("names", "graded"),
    [
        (["ada.py", "hw2.ipynb", "other.ipynb"], "ada.py"),  # named like the folder
        (["anything.py", "notes.txt"], "anything.py"),  # the only one
        (["hw2.ipynb", "a.py", "b.py"], "hw2.ipynb"),  # the only notebook
        (["hw2.ipynb", "hw2.py"], "hw2.ipynb"),  # the same stem, the same time
    ],
)
def test_the_obvious_file_of_a_folder_is_graded(put, tmp_path, names, graded):
    for name in names:
        put(f"ada/{name}")
    (submission,) = collect([tmp_path]).submissions
    assert submission.file_name == graded


def test_the_twin_of_the_graded_file_is_refused_and_does_not_go_along(put, tmp_path):
    put("ada/hw2.ipynb", time=0)
    put("ada/hw2.py", time=9)
    collection = collect([tmp_path])
    assert [(one.file_name, dict(one.files)) for one in collection.submissions] == [("hw2.py", {})]
    assert reasons(collection) == {
        ("ada", "hw2.ipynb"): "hw2.py of the same student is graded instead: it was modified later."
    }


def test_a_folder_where_nothing_is_obvious_is_refused_with_a_list(put, tmp_path):
    for name in ["first.ipynb", "second.ipynb", "third.py"]:
        put(f"ada/{name}")
    collection = collect([tmp_path])
    assert collection.submissions == ()
    assert "(first.ipynb, second.ipynb, third.py)" in reasons(collection)["ada", "ada"]


def test_a_folder_without_code_is_refused(put, tmp_path):
    put("ada/report.pdf")
    assert "no notebook" in reasons(collect([tmp_path]))["ada", "ada"]


def test_two_hundred_files_beside_the_graded_one_are_the_limit(put, tmp_path):
    put("ada/ada.py")
    for number in range(200):
        put(f"ada/data/{number}.txt")
    assert len(collect([tmp_path]).submissions[0].files) == 200
    put("ada/data/more.txt")
    assert "more than 200 files" in reasons(collect([tmp_path]))["ada", "ada"]


# What is too large, and what is no file


def test_a_file_of_more_than_twenty_megabytes_is_refused(put, tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 2_000_000)
    put("ada.ipynb", b" " * 2_000_000)
    put("emmy.ipynb", b" " * 2_500_000)
    collection = collect([tmp_path])
    assert students(collection) == ["ada"]
    assert reasons(collection)["emmy", "emmy.ipynb"].startswith("It has 2.5 MB; at most 2 MB are read.")


def test_files_beside_are_bounded_in_all(put, tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_FILE_BYTES", 2_000_000)
    put("ada/ada.py")
    put("ada/one.bin", b"1" * 1_500_000)
    put("ada/two.bin", b"1" * 1_500_000)
    assert "more than 2 MB in all" in reasons(collect([tmp_path]))["ada", "ada"]


def test_links_are_refused_wherever_they_point(put, tmp_path):
    secret = put("elsewhere/answer.py", b"the answer")
    put("class/emmy/emmy.py")
    (tmp_path / "class/ada.py").symlink_to(secret)
    (tmp_path / "class/sofia").symlink_to(secret.parent)
    (tmp_path / "class/lost.py").symlink_to("nowhere")
    (tmp_path / "class/emmy/data").symlink_to(secret.parent)
    collection = collect([tmp_path / "class"])
    assert [(one.student, dict(one.files)) for one in collection.submissions] == [("emmy", {})]
    assert reasons(collection) == dict.fromkeys(
        [("ada", "ada.py"), ("emmy", "data"), ("lost", "lost.py"), ("sofia", "sofia")],
        "It is a link; hand in the file itself.",
    )


def test_a_link_that_the_user_names_is_followed(put, tmp_path):
    put("class/ada.py")
    (tmp_path / "newest").symlink_to(tmp_path / "class")
    assert students(collect([tmp_path / "newest"])) == ["ada"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(put, tmp_path):
    put("emmy/emmy.py")
    os.mkfifo(tmp_path / "ada.py")
    os.mkfifo(tmp_path / "emmy" / "data")
    collection = collect([tmp_path])
    assert students(collection) == ["emmy"]
    assert set(reasons(collection).values()) == {"It is not a regular file."}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", [b"ada\xff.py", b"ada\x1b[2J.py", b"ada\n.py"])
def test_a_name_that_is_no_text_is_refused_in_printable_words(tmp_path, name):
    (tmp_path / os.fsdecode(name)).write_bytes(b"x = 1")
    (file,) = collect([tmp_path]).refused
    assert "characters" in file.reason
    assert (file.student + file.file_name).encode().decode().isprintable()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(put, tmp_path):
    put("ada.py").chmod(0)
    assert reasons(collect([tmp_path])) == {("ada", "ada.py"): "The system says: Permission denied."}
