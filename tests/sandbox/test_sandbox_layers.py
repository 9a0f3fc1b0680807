"""What `grader doctor` tells about this machine is what the sandbox finds."""

from __future__ import annotations

import os

import pytest

from grader.sandbox import layers as module
from grader.sandbox.layers import layers
from grader.sandbox.recording import Limits
from grader.sandbox.warm import SandboxUnavailableError, WarmSandbox
from grader.submission.program import Program


def test_layers_agree_with_the_sandbox() -> None:
    found = {layer.name: layer for layer in layers()}
    try:
        with WarmSandbox() as sandbox:
            sandbox.run(Program(()), [], Limits())
        works = True
    except SandboxUnavailableError:
        works = False
    assert found["isolated run"].active is works
    assert found["user namespace"].active or not works
    assert found["other user"].active is (os.geteuid() == 0)
    assert found["resource limits"].active
    assert all(bool(layer.remedy) is not layer.active for layer in found.values())


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

    monkeypatch.setattr(module, "_LAYERS", [("a layer", "something", "Do this.", refused)])
    first, *_ = layers()
    assert (first.active, first.remedy) == (False, "Do this.")
