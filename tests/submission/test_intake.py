"""Files and folders become submissions, one a student; what is not graded is told with a sentence."""

from __future__ import annotations

import os
import random
import socket
import stat
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.submission import intake
from grader.submission.intake import Collection, PathError, RefusedFile, collect, collect_one
from grader.submission.parsing import parse
from grader.submission.program import RefusedError

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


def test_where_there_is_nothing_to_grade_the_user_is_told(put, tmp_path):
    put("one/.hidden")
    (tmp_path / "other").mkdir()
    with pytest.raises(PathError, match=r'nothing to grade in ".*/one", ".*/other": no file .* Hidden files'):
        collect([tmp_path / "one", tmp_path / "other"])
    assert students(collect([tmp_path / "one", put("ada.py")])) == ["ada"]


def test_a_path_that_is_not_there_is_an_error_of_the_user(tmp_path):
    with pytest.raises(PathError, match=r'There is no file or folder ".*/nowhere"\. Check'):
        collect([tmp_path / "nowhere"])


def test_an_archive_is_a_submission_like_any_other(put, tmp_path):
    put("ada.zip", b"PK", time=1)
    put("ada.ipynb")
    collection = collect([tmp_path])
    assert [(one.student, one.file_name, one.content) for one in collection.submissions] == [("ada", "ada.zip", b"PK")]
    assert list(reasons(collection)) == [("ada", "ada.ipynb")]


def test_other_files_are_refused(put, tmp_path):
    put("ada.pdf")
    put("emmy")
    assert reasons(collect([tmp_path])) == dict.fromkeys(
        [("ada", "ada.pdf"), ("emmy", "emmy")],
        "It is neither a notebook (.ipynb), nor a Python script (.py), nor a zip archive (.zip) of such files; "
        "hand in one of these.",
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


def test_work_is_as_late_as_the_last_file_of_its_folder(put, tmp_path):
    put("ada/hw2.py", time=1)
    put("ada/helpers.py", b"y = 1", time=9)
    put("emmy/hw2.py", time=7)
    put("emmy/helpers.py", b"y = 1", time=2)
    times = [submission.modified_at for submission in collect([tmp_path]).submissions]
    assert times == [datetime.fromtimestamp(BASE + time, UTC) for time in (9, 7)]


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a file system with dates of 64 bits")
@pytest.mark.parametrize(("seconds", "year"), [(300_000_000_000, 9999), (-300_000_000_000, 1)])
def test_a_date_beyond_the_calendar_is_no_obstacle(seconds, year):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder) / "ada.py"
        path.write_bytes(b"x = 1")
        os.utime(path, (seconds, seconds))
        (submission,) = collect([path]).submissions
    assert submission.modified_at is not None
    assert submission.modified_at.year == year


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


def test_a_folder_where_nothing_is_obvious_is_kept_whole_and_refused_with_a_list(put, tmp_path):
    put("ada/first.ipynb", time=3)
    put("ada/second.ipynb", time=8)
    put("ada/third.py")
    (submission,) = collect([tmp_path]).submissions
    assert (submission.student, submission.file_name, submission.content) == ("ada", "ada/", b"")
    assert set(submission.files) == {"first.ipynb", "second.ipynb", "third.py"}
    assert submission.modified_at == datetime.fromtimestamp(BASE + 8, UTC)
    with pytest.raises(RefusedError, match=r'\(first\.ipynb, second\.ipynb, third\.py\).* or call it "ada\.ipynb"'):
        parse(submission)


@pytest.mark.parametrize("folder", ["hw2.zip", "hw2.py", "hw2.ipynb"])
def test_such_a_folder_is_no_file_whatever_its_name(put, tmp_path, folder):
    put(f"{folder}/one.py")
    put(f"{folder}/two.py")
    (submission,) = collect([tmp_path]).submissions
    with pytest.raises(RefusedError, match=rf'Several files in the folder "{folder}" could be'):
        parse(submission)


def test_in_such_a_folder_the_functions_that_are_asked_for_tell(put, tmp_path, notebook):
    put("ada/first.ipynb", notebook([("code", "def mean(x):\n    return 0")]))
    put("ada/second.ipynb", notebook([("code", "def gradient(x):\n    return x")]))
    (submission,) = collect([tmp_path]).submissions
    program = parse(submission, ["gradient"])
    assert program.blocks[0].source.startswith("def gradient")
    assert program.remarks == (
        'second.ipynb is the file in the folder "ada" that was graded; the others lie beside it.',
    )
    assert set(program.files) == {"first.ipynb"}


def test_a_folder_in_the_folder_of_a_student_may_hold_the_work(put, tmp_path):
    put("ada/code/hw2.py", b"x = 2")
    put("ada/code/data/points.csv", b"1,2")
    put("ada/report.pdf", b"%PDF")
    (submission,) = collect([tmp_path]).submissions
    assert set(submission.files) == {"code/hw2.py", "code/data/points.csv", "report.pdf"}
    program = parse(submission)
    assert (program.blocks[0].source, program.files) == ("x = 2", {"data/points.csv": b"1,2"})


def test_a_folder_without_code_is_kept_and_refused(put, tmp_path):
    put("ada/report.pdf")
    (submission,) = collect([tmp_path]).submissions
    assert submission.files == {"report.pdf": b"x = 1"}
    with pytest.raises(RefusedError, match=r'There is no notebook .* in the folder "ada"'):
        parse(submission)


def test_where_the_only_work_in_a_folder_is_a_link_the_refusal_says_so(put, tmp_path):
    put("class/ada/notes.txt")
    (tmp_path / "class/ada/hw2.py").symlink_to(put("answer.py"))
    (submission,) = collect([tmp_path / "class"]).submissions
    with pytest.raises(RefusedError, match=r"There is no notebook .* hw2\.py was left out\. It is a link"):
        parse(submission)


def test_an_empty_folder_of_a_student_is_refused(tmp_path):
    (tmp_path / "ada").mkdir()
    assert reasons(collect([tmp_path])) == {("ada", "ada"): "The folder holds no file that can be read."}


def test_an_archive_in_the_folder_of_a_student_is_the_submission(put, tmp_path):
    put("ada/hw2.zip", b"PK", time=4)
    put("ada/points.csv", b"1,2")
    (submission,) = collect([tmp_path]).submissions
    assert (submission.student, submission.file_name, submission.content) == ("ada", "hw2.zip", b"PK")
    assert submission.modified_at == datetime.fromtimestamp(BASE + 4, UTC)
    assert submission.files == {"points.csv": b"1,2"}


def test_a_notebook_is_graded_and_an_archive_beside_it_is_a_file(put, tmp_path):
    put("ada/hw2.ipynb", b"{}")
    put("ada/more.zip", b"PK")
    (submission,) = collect([tmp_path]).submissions
    assert (submission.file_name, submission.files) == ("hw2.ipynb", {"more.zip": b"PK"})


def test_several_archives_are_kept_and_refused(put, tmp_path):
    put("ada/one.zip", b"PK1")
    put("ada/two.zip", b"PK2")
    (submission,) = collect([tmp_path]).submissions
    assert submission.files == {"one.zip": b"PK1", "two.zip": b"PK2"}
    with pytest.raises(RefusedError, match=r"archives in it \(one\.zip, two\.zip\) are not opened"):
        parse(submission)


@pytest.mark.parametrize("name", ["作业 2/最小二乘.ipynb", "hw 2/my work.py", "x.py/hw2.py"])
def test_folders_and_files_with_odd_names_are_folders_and_files(put, tmp_path, name):
    put(name, b"x = 1")
    put(f"{name.split('/')[0]}/数据 1.csv", b"1,2")
    (submission,) = collect([tmp_path]).submissions
    assert f"{submission.student}/{submission.file_name}" == name
    assert submission.files == {"数据 1.csv": b"1,2"}


def test_two_hundred_files_beside_the_graded_one_are_the_limit(put, tmp_path):
    put("ada/ada.py")
    for number in range(200):
        put(f"ada/data/{number}.txt")
    assert len(collect([tmp_path]).submissions[0].files) == 200
    put("ada/data/more.txt")
    assert "more than 200 files" in reasons(collect([tmp_path]))["ada", "ada"]


# What is too large, and what is no file


def test_where_the_work_in_a_folder_cannot_be_read_its_name_is_told(put, tmp_path):
    with put("ada/hw2.ipynb").open("wb") as file:
        file.truncate(30_000_000)
    assert reasons(collect([tmp_path]))["ada", "ada"].startswith("hw2.ipynb cannot be read. It has 30.0 MB; at most 20")


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
    assert collection.submissions[0].remarks == ("data was left out. It is a link; hand in the file itself.",)
    assert [file.content for file in collection.refused] == [b""] * 3
    assert reasons(collection) == dict.fromkeys(
        [("ada", "ada.py"), ("lost", "lost.py"), ("sofia", "sofia")],
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
    assert [(one.student, one.remarks) for one in collection.submissions] == [
        ("emmy", ("data was left out. It is not a regular file.",))
    ]
    assert reasons(collection) == {("ada", "ada.py"): "It is not a regular file."}


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no such sockets")
def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("ada.py")
        assert reasons(collect([tmp_path])) == {("ada", "ada.py"): "It is not a regular file."}


@pytest.mark.skipif(sys.platform != "linux", reason="makes a device of Linux")
def test_a_device_is_refused_and_not_opened(tmp_path):
    try:
        os.mknod(tmp_path / "ada.py", 0o600 | stat.S_IFCHR, os.stat(os.devnull).st_rdev)
    except PermissionError:
        pytest.skip("needs the right to make devices")
    accesses: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[0]).startswith(str(tmp_path)):
            accesses.append(str(arguments[0]))

    sys.addaudithook(watch)
    assert reasons(collect([tmp_path])) == {("ada", "ada.py"): "It is not a regular file."}
    watching = False
    assert accesses == []


def test_a_file_that_grows_while_it_is_read_is_not_graded_half(put, tmp_path):
    path = put("ada.py", b"x = 1\n" * 1_000_000)
    done = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not done.is_set():
                file.write(b"#")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        refused = next(filter(None, (collect([path]).refused for _ in range(1000))))
    finally:
        done.set()
        writer.join()
    assert refused[0].reason == "It was being written while it was read; grade it again when it is complete."
    assert refused[0].ours
    assert students(collect([path])) == ["ada"]


def test_a_hundred_megabytes_are_refused_by_their_size(tmp_path):
    with (tmp_path / "ada.ipynb").open("wb") as file:
        file.truncate(100_000_000)
    (file,) = collect([tmp_path]).refused
    assert file.reason.startswith("It has 100.0 MB; at most 20 MB are read. Clear the outputs")
    assert not file.ours


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", [b"ada\xff.py", b"ada\x1b[2J.py", b"ada\n.py", "ada\u202eyp.py".encode()])
def test_a_name_that_is_no_text_is_refused_in_printable_words(tmp_path, name):
    (tmp_path / os.fsdecode(name)).write_bytes(b"x = 1")
    (file,) = collect([tmp_path]).refused
    assert "characters" in file.reason
    assert (file.student + file.file_name).encode().decode().isprintable()


@pytest.fixture
def unprivileged():
    """A folder, and a test that may read no more than its owner: root becomes somebody else for it."""
    with tempfile.TemporaryDirectory() as folder:
        is_root = os.geteuid() == 0
        if is_root:
            os.chmod(folder, 0o777)
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            if is_root:
                os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other rights")
def test_what_the_system_does_not_let_us_read_is_our_fault(unprivileged):
    """A file, a folder, and a file that goes with another: without it less would be judged than was handed in."""
    for name in ["ada.py", "emmy/emmy.py", "emmy/data.csv", "sofia/sofia.py", "grace/hw2.py", "karl.py", "paul/a.bin"]:
        (unprivileged / name).parent.mkdir(exist_ok=True)
        (unprivileged / name).write_bytes(b"x = 1")
    shut = [unprivileged / name for name in ["ada.py", "emmy/data.csv", "sofia", "grace/hw2.py"]]
    for path in shut:
        path.chmod(0)
    collection = collect([unprivileged])
    denied = "The system says: Permission denied."
    assert {(file.student, file.file_name, file.reason) for file in collection.refused if file.ours} == {
        ("ada", "ada.py", denied),
        ("emmy", "emmy", f"data.csv cannot be read. {denied}"),
        ("sofia", "sofia", denied),
        ("grace", "grace", f"hw2.py cannot be read. {denied}"),
    }
    assert students(collection) == ["karl", "paul"]
    for path in shut:
        path.chmod(0o700)
    assert collect([unprivileged]).refused == ()


# One submission


def test_a_folder_as_a_whole_is_one_submission(put, tmp_path):
    put("work/hw2.py", b"x = 2")
    put("work/helpers.py")
    put("work/data/points.csv", b"1,2")
    submission, beside = collect_one(tmp_path / "work")
    assert beside == []
    assert (submission.student, submission.file_name) == ("work", "work/")
    assert submission.files == {"hw2.py": b"x = 2", "helpers.py": b"x = 1", "data/points.csv": b"1,2"}


def test_what_is_not_taken_of_the_one_submission_is_told(put, tmp_path):
    put("work/hw2.ipynb", time=1)
    put("work/hw2.py")
    submission, (other,) = collect_one(tmp_path / "work")
    assert (submission.file_name, other.file_name) == ("hw2.ipynb", "hw2.py")
    assert other.reason == "hw2.ipynb of the same student is graded instead: it was modified later."


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere.py", r'There is no file or folder ".*nowhere\.py"'),
        ("ada.pdf", r'ada\.pdf" cannot be graded\. It is neither a notebook'),
        ("empty", r'empty" cannot be graded\. The folder holds no file that can be read'),
    ],
)
def test_what_is_no_submission_is_an_error_of_the_user(put, tmp_path, name, sentence):
    put("ada.pdf")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PathError, match=sentence):
        collect_one(tmp_path / name)
