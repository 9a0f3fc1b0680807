"""What `grader doctor` tells about this machine is what the sandbox finds."""

from __future__ import annotations

import os

import pytest

from grader.sandbox import layers as module
from grader.sandbox.layers import isolated_run, layers


def test_layers_agree_with_the_sandbox() -> None:
    found = layers()
    for level, needs in {"strong": ("strong", "both"), "weak": ("weak", "both")}.items():
        works = not isolated_run(level)  # type: ignore[arg-type]
        assert works is all(layer.active for layer in found if layer.need in needs), level
    by_name = {layer.name: layer for layer in found}
    assert by_name["other user"].active is (os.geteuid() == 0)
    assert by_name["resource limits"].active
    assert all(bool(layer.remedy) is not layer.active for layer in found)


def test_trying_changes_nothing_here() -> None:
    before = (os.getuid(), os.readlink("/proc/self/ns/mnt"), os.readlink("/proc/self/ns/user"), os.getcwd())
    layers()
    assert (
        os.getuid(),
        os.readlink("/proc/self/ns/mnt"),
        os.readlink("/proc/self/ns/user"),
        os.getcwd(),
    ) == before


def test_a_layer_that_does_not_work_names_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise PermissionError

    monkeypatch.setattr(module, "_LAYERS", [("a layer", "strong", "something", "Do this.", refused)])
    first, *_ = layers()
    assert (first.active, first.remedy) == (False, "Do this.")
