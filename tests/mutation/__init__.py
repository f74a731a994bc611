# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks important lines one by one and sees whether the unit tests notice: ``python -m tests.mutation``.

mutmut wants the code under the module path of its file, which a collection's is not; cosmic-ray finds eleven thousand
mutations, a day and a night of tests. So the lines that guard users' images and credentials stand in tables here.
"""
