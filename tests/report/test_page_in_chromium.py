"""The pages in a real browser, as wide as a phone."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from grader.report.class_page import class_page
from grader.report.feedback import feedback_page

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE = 390
"""Width of a phone's screen, CSS pixels."""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_pages_fit_a_phone_and_accept_their_own_style(sample, whole_class, tmp_path: Path):
    pages = {name: feedback_page(sample(name)) for name in ("full", "mistakes", "refused", "hostile", "not_checked")}
    pages["class"] = class_page("Homework 2: gradient descent", whole_class)
    frames = "".join(
        f'<iframe name="{name}" srcdoc="{html.escape(page)}" style="width:{PHONE}px;height:900px;border:0"></iframe>'
        for name, page in pages.items()
    )
    # Everything unfolded, then measured from outside: the pages themselves may not run any script.
    script = """
        addEventListener("load", () => {
            document.title = [...document.querySelectorAll("iframe")].map(frame => {
                const page = frame.contentDocument;
                page.querySelectorAll("details").forEach(details => details.open = true);
                const styled = frame.contentWindow.getComputedStyle(page.querySelector(".card")).borderRadius;
                return [frame.name, page.documentElement.scrollWidth, styled].join(" ");
            }).join("; ");
        });
    """
    wrapper = tmp_path / "wrapper.html"
    wrapper.write_text(f"<meta charset='utf-8'><title></title><script>{script}</script>{frames}", encoding="utf-8")
    assert BROWSER is not None
    shown = subprocess.run(
        [
            *(
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--hide-scrollbars",
            ),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", wrapper.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    ).stdout
    measured = re.search(r"<title>([^<]*)</title>", shown)
    assert measured is not None
    assert measured[1].split("; ") == [f"{name} {PHONE} 12px" for name in pages]
