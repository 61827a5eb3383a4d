"""Sphinx configuration: guides in Markdown, the option reference and the API reference made from the code.

Nothing is fetched: neither at build time nor by the pages, which also open from disk.
"""

from __future__ import annotations

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sg_keras  # noqa: E402
from docs.option_reference import write_option_reference  # noqa: E402

project = "sg_keras"
author = "the sg_keras authors"
project_copyright = f"{author}, Apache-2.0"
version = release = sg_keras.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["README.md"]
nitpicky = False
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Links to source files beside the pages lead to the file in the checkout, not into the site.
myst_all_links_external = False

autodoc_default_options = {"members": True, "imported-members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

smartquotes = False  # options begin with two hyphens

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"sg_keras {release}"
html_show_sphinx = False
html_copy_source = False
html_permalinks_icon = "#"

write_option_reference(pathlib.Path(__file__).parent / "reference" / "options.md")
