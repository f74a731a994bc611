# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults × operations × invariants: what modules do, and say, when zones do not answer as they should.

``operations`` are runs of modules, ``faults`` what goes wrong, ``invariants`` what holds all the same, and ``scene``
runs modules in this process against the local zones. A cell that is wrong is told by its name. As a rule a fault is
tried at one place of an operation; with ALL_FAULTS=1 in the environment, at all. ``test_sources`` is the half of the
registry that an image comes from, ``test_route`` what is in front of a zone.

No cell depends on how fast a machine is: requests have a timeout of minutes, but for what never answers, and there the
invariants hold whichever request meets the timeout. ``python -m tests.faults.at_once`` runs prune and push of the same
tag at the same time, and is run by hand.
"""
