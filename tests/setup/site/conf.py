# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx builds the documentation: without network, and with a reference that leads nowhere as an error.

Other collections are linked to where docs.ansible.com has them, instead of asking its inventory (intersphinx).
"""

from __future__ import annotations

import importlib
import re
from typing import Any

project = "appuio.registry"
copyright = "The appuio.registry authors"  # noqa: A001  # Sphinx's name
html_title = html_short_title = "appuio.registry"
html_theme = "sphinx_ansible_theme"
html_theme_options = {"navigation_depth": 3}
html_show_sphinx = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_use_index = False
html_use_modindex = False
extensions = ["sphinx_antsibull_ext"]
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"
nitpicky = True

_ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
_PLUGIN = re.compile(r"ansible_collections\.(?!appuio\.registry\.)(\w+)\.(\w+)\.(\w+?_[a-z]+)(?:__.*)?")


def _address(target: str) -> str | None:
    """Return where a label, a plugin or an environment variable of Ansible is; None where it should be one of ours."""
    if target in _PAGES:
        return f"{_ANSIBLE}/{_PAGES[target]}"
    if target.startswith("ANSIBLE_"):
        return f"{_ANSIBLE}/reference_appendices/config.html#envvar-{target}"
    plugin = _PLUGIN.fullmatch(target)
    return f"{_ANSIBLE}/collections/{plugin[1]}/{plugin[2]}/{plugin[3]}.html" if plugin else None


def _elsewhere(_app: Any, _env: Any, reference: Any, text: Any) -> Any:
    address = _address(reference.get("reftarget", ""))
    # There is no docutils where types are checked.
    nodes = importlib.import_module("docutils.nodes")
    return nodes.reference("", "", text, internal=False, refuri=address) if address else None


def setup(app: Any) -> None:
    """Tell Sphinx."""
    app.connect("missing-reference", _elsewhere)
