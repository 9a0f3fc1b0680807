"""What is found of a GPU, on machines that are folders with the same files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.sandbox.gpu import Gpu, NoGpuError, find_gpu
from grader.sandbox.view import student_view

DEVICES = ("nvidia0", "nvidia10", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "null")
LIBRARIES = "opt/driver/lib"
ADDRESS = "0000:17:00.0"


def machine(root: Path) -> Path:
    """One with two GPUs, a driver in a folder of its own, and all that a driver makes."""
    for name in DEVICES:
        device(root, name)
    library = root / LIBRARIES / "libcuda.so.1"
    library.parent.mkdir(parents=True)
    library.touch()
    cache(root, f"/{LIBRARIES}")
    (root / "proc/driver/nvidia/gpus" / ADDRESS).mkdir(parents=True)
    for folder in (f"sys/devices/pci0000:16/{ADDRESS}", "sys/module/nvidia", "sys/bus/pci/devices"):
        (root / folder).mkdir(parents=True)
    (root / "sys/bus/pci/devices" / ADDRESS).symlink_to(f"../../../devices/pci0000:16/{ADDRESS}")
    return root


def device(root: Path, name: str, mode: int = 0o666) -> None:
    file = root / "dev" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    file.chmod(mode)


def cache(root: Path, *folders: str) -> None:
    """As `ldconfig` writes it: some numbers, then texts that end with NUL."""
    paths = "".join(f"{folder}/libcuda.so.1\0" for folder in folders)
    text = f"glibc-ld.so.cache1.1\3\0\0/usr/lib/libcudart.so.12\0{paths}/usr/lib/libc.so.6\0"
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/ld.so.cache").write_bytes(text.encode())


def test_everything_that_cuda_needs_is_found(tmp_path: Path) -> None:
    gpu = find_gpu(machine(tmp_path))
    assert gpu.devices == (
        "/dev/nvidia0",
        "/dev/nvidia10",
        "/dev/nvidiactl",
        "/dev/nvidia-uvm",
        "/dev/nvidia-uvm-tools",
    )
    assert gpu.shown == (
        f"/{LIBRARIES}",
        "/sys/module/nvidia",
        f"/sys/bus/pci/devices/{ADDRESS}",
        f"/sys/devices/pci0000:16/{ADDRESS}",
    )


def test_a_part_of_a_gpu_is_passed_on_if_it_is_open_to_all(tmp_path: Path) -> None:
    device(machine(tmp_path), "nvidia-caps/nvidia-cap21", 0o444)
    assert "/dev/nvidia-caps/nvidia-cap21" in find_gpu(tmp_path).devices
    if os.geteuid() == 0:  # what root may open says nothing about student code, which is nobody
        device(tmp_path, "nvidia-caps/nvidia-cap1", 0o400)
        assert "/dev/nvidia-caps/nvidia-cap1" not in find_gpu(tmp_path).devices


@pytest.mark.parametrize(
    ("removed", "sentence"),
    [
        (("dev/nvidia0", "dev/nvidia10"), "there is no /dev/nvidia0"),
        (("dev/nvidia-uvm",), "/dev/nvidia-uvm is missing. `nvidia-modprobe"),
        (("dev/nvidiactl",), "/dev/nvidiactl is missing"),
        ((f"{LIBRARIES}/libcuda.so.1",), "libcuda.so.1"),
        (("etc/ld.so.cache",), "run `ldconfig`"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, removed: tuple[str, ...], sentence: str) -> None:
    machine(tmp_path)
    for name in removed:
        (tmp_path / name).unlink()
    with pytest.raises(NoGpuError) as caught:
        find_gpu(tmp_path)
    assert sentence in str(caught.value)


def test_an_empty_machine_has_none(tmp_path: Path) -> None:
    with pytest.raises(NoGpuError, match="shows no NVIDIA GPU"):
        find_gpu(tmp_path)


def test_a_device_that_student_code_may_not_open_is_named(tmp_path: Path) -> None:
    device(machine(tmp_path), "nvidia0", 0o600 if os.geteuid() == 0 else 0o000)
    with pytest.raises(NoGpuError, match="chmod a\\+rw /dev/nvidia0"):
        find_gpu(tmp_path)


def test_a_folder_that_the_linker_names_and_that_is_a_link_is_shown_with_its_target(tmp_path: Path) -> None:
    machine(tmp_path)
    (tmp_path / "run").symlink_to("opt/driver")
    cache(tmp_path, "/run/lib")
    assert find_gpu(tmp_path).shown[:2] == ("/run/lib", f"/{LIBRARIES}")


def test_a_driver_of_another_kind_is_no_driver(tmp_path: Path) -> None:
    cache(machine(tmp_path), "/usr/lib32")
    with pytest.raises(NoGpuError, match="does not find"):
        find_gpu(tmp_path)


def test_only_a_view_with_a_gpu_has_its_files(tmp_path: Path) -> None:
    plain = student_view()
    assert not plain.devices
    assert not any("nvidia" in path for path in plain.shown if path.startswith(("/dev", "/sys", "/proc")))
    gpu = Gpu(("/dev/nvidia0",), ("/usr", "/opt/driver/lib"))
    view = plain.with_gpu(gpu)
    assert view.devices == ("/dev/nvidia0",)
    assert view.shown == (*plain.shown, "/opt/driver/lib")
    assert view.hidden == plain.hidden
