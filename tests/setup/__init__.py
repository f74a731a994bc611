# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets up what the checks need, runs them and adds up: ``python3 -m tests.setup``, standard library only."""
