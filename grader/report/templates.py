"""The pages' templates: compiled once, everything escaped, one inline style that the page's policy names by hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.locations import shipped
from grader.report.text import SENTENCE, counted, passage, points, shortened, visible


def render(template: str, **values: object) -> str:
    """The page that `template` makes of `values`."""
    return _environment().get_template(template).render(values)


def content_policy(style: str) -> str:
    """Content-Security-Policy of a page with this inline style: no script, no network, no form, no other style."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> Environment:
    folder = shipped("templates")
    style = (folder / "style.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_showable,
    )
    environment.filters.update(points=points, passage=passage, counted=counted)
    environment.globals.update(style=Markup(style), content_policy=content_policy(style))
    return environment


def _showable(value: Any) -> Any:
    # Every expression of every template comes through here, before it is escaped.
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(shortened(value, SENTENCE))
    return value
