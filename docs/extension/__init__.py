"""What makes the reference from the headers, the table of codes, the docstrings and the examples."""

from __future__ import annotations

import re

import peergraph
import peergraph.aio
import peergraph.sim
from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from . import c_reference, docstrings, prose, tables

MODULES = (peergraph.sim, peergraph.aio, peergraph)


def name_as_imported() -> None:
    """References follow `__module__`; people import from the package and not from where a class is defined."""
    for module in MODULES:
        for name in module.__all__:
            item = getattr(module, name)
            if getattr(item, "__module__", "").startswith("peergraph") and callable(item):
                item.__module__ = (
                    module.__name__ if module is peergraph or name not in peergraph.__all__ else "peergraph"
                )


def find_elsewhere(
    app: Sphinx, environment: BuildEnvironment, reference: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Annotations name a class as its module does: `peergraph._codes.Scope` is `peergraph.Scope`."""
    target = str(reference.get("reftarget", ""))
    if reference.get("refdomain") != "py":
        return None
    domain = environment.domains.python_domain
    name = target.rsplit(".", 1)[-1]
    for module in (str(reference.get("py:module") or "peergraph"), "peergraph", "peergraph.sim", "peergraph.aio"):
        if f"{module}.{name}" in domain.objects:
            args = (reference["refdoc"], app.builder, "obj", f"{module}.{name}", reference, content)
            return domain.resolve_xref(environment, *args)
    return None


def _linked(match: re.Match[str]) -> str:
    role = prose.roles().get(match.group(1))
    return f"{{{role}}}`{match.group(1)}`" if role else match.group()


def read_as_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """Links to what is no part of the documentation are for the repository; names of functions become links here."""
    if app.env.doc2path(page).suffix == ".md":
        source[0] = re.sub(r"\[[^]]+\]\(\.\./([^)]+)\)", r"`\1`", source[0])
        source[0] = re.sub(r"(?<!\})`(peer_\w+|PEER_\w+)`", _linked, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    for name in ("folders", "layers", "way"):  # the pictures in architecture.md
        app.add_lexer(name, TextLexer)
    app.connect("source-read", read_as_pages)
    name_as_imported()
    c_reference.setup(app)
    tables.setup(app)
    docstrings.setup(app)
    app.connect("missing-reference", find_elsewhere)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
