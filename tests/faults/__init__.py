# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults × operations × invariants: what modules do, and say, when zones do not answer as they should.

``operations`` are runs of modules, ``faults`` what goes wrong, ``invariants`` what holds all the same, and ``scene``
runs modules in this process against the local zones. A cell that is wrong is told by its name. As a rule a fault is
tried at one place of an operation; with ALL_FAULTS=1 in the environment, at all.
"""
