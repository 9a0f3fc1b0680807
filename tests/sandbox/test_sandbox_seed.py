"""A generator reaches the student's function as a new one with the same seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from grader.sandbox.driver import packed
from grader.sandbox.local import LocalProcess
from grader.sandbox.recording import Call, Limits, Outcome, Recording
from grader.submission.program import Block, Program

CallOnce = Callable[..., Recording]

DRAW = "def f(generator, n):\n    return generator.standard_normal(n)"


def test_the_numbers_are_those_of_the_seed(call: CallOnce) -> None:
    recording = call(DRAW, generator=np.random.default_rng(7), n=5)
    np.testing.assert_array_equal(recording.value, np.random.default_rng(7).standard_normal(5))  # type: ignore[arg-type]


def test_a_generator_that_was_used_starts_anew(call: CallOnce) -> None:
    used = np.random.default_rng(7)
    used.standard_normal(100)
    recording = call(DRAW, generator=used, n=5)
    np.testing.assert_array_equal(recording.value, np.random.default_rng(7).standard_normal(5))  # type: ignore[arg-type]


def test_code_that_patches_numpy_gets_the_same_generator(call: CallOnce) -> None:
    patched = "import numpy as np\nnp.random.default_rng = None\n" + DRAW
    recording = call(patched, generator=np.random.default_rng(7), n=5)
    np.testing.assert_array_equal(recording.value, np.random.default_rng(7).standard_normal(5))  # type: ignore[arg-type]


def test_every_call_has_a_new_one_also_without_isolation() -> None:
    calls = [Call(name, "f", {"generator": np.random.default_rng(7), "n": 3}) for name in ("first", "second")]
    recordings = LocalProcess().run(Program((Block("the script", DRAW),)), calls, Limits()).recordings
    first, second = (recordings[name].value for name in ("first", "second"))
    np.testing.assert_array_equal(first, second)  # type: ignore[arg-type]
    np.testing.assert_array_equal(first, np.random.default_rng(7).standard_normal(3))  # type: ignore[arg-type]


@pytest.mark.parametrize("generator", [np.random.Generator(np.random.MT19937(7)), np.random.default_rng([1, 2])])
def test_a_generator_without_a_number_as_its_seed_cannot_cross(generator: np.random.Generator, call: CallOnce) -> None:
    with pytest.raises(ValueError, match="whole number"):
        packed(Call("c", "f", {"generator": generator}), results=0, printed=0)
    assert call(DRAW, generator=generator, n=5).outcome is Outcome.UNAVAILABLE
