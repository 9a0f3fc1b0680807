"""What `assignment.toml` may say about a GPU, and what becomes of it on a machine without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment.assignment import load_assignment
from grader.assignment.errors import AssignmentError
from grader.assignment.specification import read_specification
from grader.batch.workplace import Workplace, lacking, limits
from grader.judge.grade import Grade, Status
from grader.sandbox.gpu import NoGpuError, find_gpu
from grader.sandbox.warm import SandboxUnavailableError
from grader.submission.program import Submission

PLAIN = """
id = "demo"
title = "A demonstration"
lecture = 1
environment = "torch"
device = "cuda"
cpu_instead = true

[limits]
cpu_seconds = 20
wall_seconds = 60
gpu_memory_mb = 2048

[[questions]]
id = "double"
title = "Twice"
points = 1
"""
CHECKS = """
import numpy as np

from grader.assignment import Experiment, Question, Values


def double(x):
    return 2 * x


questions = [Question("double", [Experiment("three", double, x=np.arange(3.0), public=True)], [Values(points=1)])]
"""
STUDENT = """
import torch

device = "cuda" if torch.cuda.is_available() else "cpu"


def double(x):
    return 2 * torch.from_numpy(x).to(device)
"""


def written(folder: Path, text: str) -> Path:
    (folder / "checks.py").write_text(CHECKS, encoding="utf-8")
    (folder / "assignment.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_device_is_read(tmp_path: Path) -> None:
    folder = written(tmp_path, PLAIN)
    specification = read_specification(folder / "assignment.toml")
    assert (specification.device, specification.cpu_instead) == ("cuda", True)
    assert specification.limits.gpu_memory_mb == 2048
    assert limits(load_assignment(folder)).cpu_seconds == 20


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('"torch"', '"numpy"', 'device: "cuda" is for PyTorch'),
        ("gpu_memory_mb = 2048", "", "limits.gpu_memory_mb: is required"),
        ("gpu_memory_mb = 2048", "gpu_memory_mb = 1", "limits.gpu_memory_mb: Input should be greater"),
        ('device = "cuda"', 'device = "gpu"', "device: Input should be 'cpu' or 'cuda'"),
        ('device = "cuda"', "", "cpu_instead: has a meaning only"),
        ('device = "cuda"\ncpu_instead = true', "", "limits.gpu_memory_mb: has a meaning only"),
        ("cpu_instead = true", 'cpu_instead = "perhaps"', "cpu_instead: Input should be a valid boolean"),
    ],
)
def test_what_does_not_go_together_is_named(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    file = written(tmp_path, PLAIN.replace(before, after)) / "assignment.toml"
    with pytest.raises(AssignmentError) as caught:
        read_specification(file)
    assert str(caught.value).startswith(f"{file}: {sentence}")


def without_gpu() -> None:
    try:
        find_gpu()
    except NoGpuError:
        return
    pytest.skip("this machine has a GPU")


@pytest.mark.parametrize(
    ("cpu_instead", "consequence"), [("true", "the programs run on the CPU instead"), ("false", "can be graded here")]
)
def test_the_start_of_a_batch_tells_what_is_missing(tmp_path: Path, cpu_instead: str, consequence: str) -> None:
    without_gpu()
    folder = written(tmp_path, PLAIN.replace("cpu_instead = true", f"cpu_instead = {cpu_instead}"))
    told = lacking(load_assignment(folder))
    assert consequence in told
    assert "there is no /dev/nvidia0" in told


def test_nothing_is_missing_for_the_cpu(tmp_path: Path) -> None:
    plain = PLAIN.replace('device = "cuda"\ncpu_instead = true', "").replace("gpu_memory_mb = 2048", "")
    assert lacking(load_assignment(written(tmp_path, plain))) == ""


def graded(folder: Path, source: str = STUDENT) -> Grade:
    with Workplace(folder) as workplace:
        try:
            return workplace.grade(Submission("ada", "ada.py", source.encode())).grade
        except SandboxUnavailableError as error:
            pytest.skip(str(error))


def test_the_cpu_will_do_and_the_grade_says_so(tmp_path: Path) -> None:
    without_gpu()
    grade = graded(written(tmp_path, PLAIN))
    assert (grade.status, grade.score) == ("graded", 1)
    assert any("The program ran on the CPU." in remark.sentence for remark in grade.remarks)


def test_without_a_gpu_nothing_is_the_students_fault(tmp_path: Path) -> None:
    without_gpu()
    grade = graded(written(tmp_path, PLAIN.replace("cpu_instead = true", "cpu_instead = false")))
    assert grade.status == "unavailable"
    assert "there is no /dev/nvidia0" in grade.reason
    assert [question.status for question in grade.questions] == [Status.UNAVAILABLE]
