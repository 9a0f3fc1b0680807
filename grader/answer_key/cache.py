"""Answer keys on disk: built once, found again by the hash of what they are made from."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from grader.answer_key.answer import Answer, AnswerKey, TheoremAnswer, VariantAnswer
from grader.answer_key.build import build_answer_key, key_hash
from grader.assignment.assignment import Assignment

Tensors = dict[str, NDArray[np.float64]]


def answer_key(assignment: Assignment, folder: Path | None = None) -> AnswerKey:
    """The answer key of the assignment, from `folder` (default: the user's cache) or newly built.

    A cache that cannot be read or written is no obstacle: the key is built again.
    """
    folder = folder or _user_cache()
    file = folder / f"{assignment.id}-{key_hash(assignment)[:32]}.safetensors"
    try:
        return read_answer_key(file)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        key = build_answer_key(assignment)
    with contextlib.suppress(OSError):
        write_answer_key(key, file)
    return key


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "grader"


def write_answer_key(key: AnswerKey, file: Path) -> None:
    """Write atomically: a reader sees the whole file or none."""
    tensors: Tensors = {}
    description = {name: _describe(answer, tensors) for name, answer in key.answers.items()}
    blob = save(tensors, {"answer_key": json.dumps({"hash": key.hash, "answers": description})})
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(blob)
        os.replace(temporary, file)
    except OSError:
        os.unlink(temporary)
        raise


def read_answer_key(file: Path) -> AnswerKey:
    """Read what `write_answer_key` wrote."""
    if not file.is_file():
        raise FileNotFoundError(file)
    with safe_open(file, framework="numpy") as stream:
        description = json.loads(stream.metadata()["answer_key"])
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118  (not a dict)
    answers = {name: _answer(entry, tensors) for name, entry in description["answers"].items()}
    return AnswerKey(description["hash"], answers)


def _store(arrays: tuple[NDArray[np.float64], ...], tensors: Tensors) -> list[str]:
    names = [str(len(tensors) + index) for index in range(len(arrays))]
    tensors.update(zip(names, (np.ascontiguousarray(array) for array in arrays), strict=True))
    return names


def _describe(answer: Answer, tensors: Tensors) -> dict[str, Any]:
    return {
        "parts": _store(answer.parts, tensors),
        "shapes": [list(part.shape) for part in answer.parts],
        "returns_tuple": answer.returns_tuple,
        "iterative": answer.iterative,
        "calls": dict(answer.calls),
        "envelope": {precision: _store(parts, tensors) for precision, parts in answer.envelope.items()},
        "horizon": answer.horizon,
        "single": answer.single,
        "theorem": answer.theorem and _describe_theorem(answer.theorem, tensors),
        "variants": {name: _describe_variant(variant, tensors) for name, variant in answer.variants.items()},
    }


def _describe_variant(variant: VariantAnswer, tensors: Tensors) -> dict[str, Any]:
    parts = variant.parts or ()
    return {
        "parts": None if variant.parts is None else _store(parts, tensors),
        "shapes": [list(part.shape) for part in parts],
        "calls": dict(variant.calls),
        "changed_inputs": list(variant.changed_inputs),
        "envelope": _store(variant.envelope, tensors),
    }


def _describe_theorem(theorem: TheoremAnswer, tensors: Tensors) -> dict[str, Any]:
    return {
        "name": theorem.name,
        "sentence": theorem.sentence,
        "bound": _store((theorem.bound,), tensors),
        "slack": {precision: _store((slack,), tensors) for precision, slack in theorem.slack.items()},
    }


def _theorem(entry: dict[str, Any], tensors: Tensors) -> TheoremAnswer:
    slack = {precision: _load(names, tensors)[0] for precision, names in entry["slack"].items()}
    return TheoremAnswer(entry["name"], entry["sentence"], _load(entry["bound"], tensors)[0], slack)


def _answer(entry: dict[str, Any], tensors: Tensors) -> Answer:
    return Answer(
        parts=_load(entry["parts"], tensors, entry["shapes"]),
        returns_tuple=entry["returns_tuple"],
        iterative=entry["iterative"],
        calls=entry["calls"],
        envelope={precision: _load(names, tensors) for precision, names in entry["envelope"].items()},
        variants={name: _variant(variant, tensors) for name, variant in entry["variants"].items()},
        horizon=entry["horizon"],
        single=entry["single"],
        theorem=entry["theorem"] and _theorem(entry["theorem"], tensors),
    )


def _variant(entry: dict[str, Any], tensors: Tensors) -> VariantAnswer:
    parts = None if entry["parts"] is None else _load(entry["parts"], tensors, entry["shapes"])
    envelope = _load(entry["envelope"], tensors)
    return VariantAnswer(parts, entry["calls"], tuple(entry["changed_inputs"]), envelope)


def _load(names: list[str], tensors: Tensors, shapes: list[list[int]] | None = None) -> tuple[NDArray[np.float64], ...]:
    arrays = tuple(tensors[name] for name in names)
    if shapes is None:
        return arrays
    # `ascontiguousarray` makes a number an array of one element: the shape is kept beside it.
    return tuple(array.reshape(shape) for array, shape in zip(arrays, shapes, strict=True))
