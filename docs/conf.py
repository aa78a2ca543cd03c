"""Builds the documentation site: `make docs` writes it to build/docs; the pages are the Markdown files beside it."""

project = "Muscle spasm decision support"
author = "The maintainers"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = project
html_static_path: list[str] = []
exclude_patterns = ["examples"]

myst_heading_anchors = 4
"""Headings can be linked to, as on a forge: page.md#a-heading."""

# Pages link to files of the repository, which are not part of the site: the link is right where the repository is read.
suppress_warnings = ["myst.xref_missing"]

autodoc_default_options = {"members": True, "undoc-members": False}
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
nitpicky = False
