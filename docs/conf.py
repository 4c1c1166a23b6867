"""How Sphinx makes the documentation; ./dev docs calls it."""

from __future__ import annotations

import sys
from pathlib import Path

import peergraph

sys.path.insert(0, str(Path(__file__).parent))

project = "peergraph"
author = "the authors of peergraph"
copyright = author  # noqa: A001 - Sphinx reads this name
version = release = peergraph.library_version()

extensions = ["sphinx.ext.autodoc", "myst_parser", "sphinx_design", "sphinx_copybutton", "extension"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
exclude_patterns = ["examples", "extension"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autodoc_typehints = "signature"
autodoc_inherit_docstrings = False
add_module_names = False
python_use_unqualified_type_names = True

nitpicky = True
nitpick_ignore_regex = [
    (r"c:identifier", r"u?int\d+_t|size_t"),
    (r"py:.*", r"(datetime|dt|uuid|os|enum|typing|typing_extensions|collections|asyncio|types|builtins)\..*"),
    (r"py:.*", r"(peergraph\.)?(\w+\.)*_\w+(\.\w+)*|(peergraph\.sim\.)?(T|Self|Seconds|Hosts|Predicate)"),
    (r"py:.*", r"Buffer|Keep|UUID|AttributesInput|RawMessage|[A-Z]\w*Error"),
]
suppress_warnings = ["ref.python"]  # which of several attributes `type` an annotation means: none of them

html_theme = "furo"
html_title = "peergraph"
html_static_path = ["static"]
html_css_files = ["peergraph.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
