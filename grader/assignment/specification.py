"""The contents of `assignment.toml`: what an instructor decides."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from grader.assignment.errors import AssignmentError

Identifier = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
Points = Field(gt=0, le=1000)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LimitsSpecification(_Table):
    """What a student's code may use.

    cpu_seconds    processor time of one call, and of one cell
    wall_seconds   time on the clock of the same
    total_seconds  time on the clock of the whole submission
    memory_mb      memory of one process
    gpu_memory_mb  memory of the GPU for one process, where `device` is "cuda"
    result_mb      what one call may return, 8 bytes for each number; all calls together may return four times that
    """

    cpu_seconds: float = Field(default=10.0, gt=0, le=86400)
    wall_seconds: float = Field(default=30.0, gt=0, le=86400)
    total_seconds: float = Field(default=180.0, gt=0, le=864000)
    memory_mb: int = Field(default=2048, ge=64)
    gpu_memory_mb: int | None = Field(default=None, ge=64)
    result_mb: int = Field(default=16, ge=1, le=64)


class RubricItemSpecification(_Table):
    """One item of a question that is marked by hand."""

    id: str = Identifier
    text: str
    points: float = Points


class QuestionSpecification(_Table):
    """One question: its title and points; a rubric where it is marked by hand."""

    id: str = Identifier
    title: str
    points: float = Points
    rubric: tuple[RubricItemSpecification, ...] = ()


class Specification(_Table):
    """The whole file."""

    id: str = Identifier
    title: str
    lecture: int = Field(ge=1)
    due: AwareDatetime | None = None
    environment: Literal["numpy", "torch"] = "numpy"
    device: Literal["cpu", "cuda"] = "cpu"
    cpu_instead: bool = False
    """Whether the CPU will do where there is no GPU."""
    limits: LimitsSpecification = LimitsSpecification()
    questions: tuple[QuestionSpecification, ...] = Field(min_length=1)


def read_specification(file: Path) -> Specification:
    """Read and validate `assignment.toml`.

    Raises:
        AssignmentError: names the file, the key and the reason.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AssignmentError(f"{file}: there is no such file; an assignment folder needs it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AssignmentError(f"{file}: cannot be read: {error}") from None
    try:
        specification = Specification.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(f"{file}: not valid TOML: {error}") from None
    except ValidationError as error:
        raise AssignmentError("\n".join(_sentences(file, error))) from None
    _check_ids(file, specification)
    _check_device(file, specification)
    return specification


def _sentences(file: Path, error: ValidationError) -> list[str]:
    sentences = []
    for detail in error.errors():
        parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]]
        key = "".join(parts).lstrip(".")
        reason = "is not a known key" if detail["type"] == "extra_forbidden" else detail["msg"]
        sentences.append(f"{file}: {key}: {reason}")
    return sentences


def _check_ids(file: Path, specification: Specification) -> None:
    if twice := _repeated(question.id for question in specification.questions):
        raise AssignmentError(f"{file}: questions: two questions have the id {twice!r}")
    for question in specification.questions:
        if twice := _repeated(item.id for item in question.rubric):
            raise AssignmentError(
                f"{file}: question {question.id!r}: two rubric items have the id {twice!r}; give one of them another, "
                "since a mark names its item by the id"
            )


def _repeated(ids: Iterable[str]) -> str | None:
    return next((id for id, times in Counter(ids).items() if times > 1), None)


def _check_device(file: Path, specification: Specification) -> None:
    if specification.device == "cuda":
        if specification.environment != "torch":
            raise AssignmentError(f'{file}: device: "cuda" is for PyTorch; write `environment = "torch"`, too')
        if specification.limits.gpu_memory_mb is None:
            raise AssignmentError(
                f'{file}: limits.gpu_memory_mb: is required where `device = "cuda"`: how much of the memory of the GPU '
                "one process may use"
            )
        return
    if specification.cpu_instead:
        raise AssignmentError(f'{file}: cpu_instead: has a meaning only where `device = "cuda"`')
    if specification.limits.gpu_memory_mb is not None:
        raise AssignmentError(f'{file}: limits.gpu_memory_mb: has a meaning only where `device = "cuda"`')
