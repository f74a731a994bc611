# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushes measured against those of skopeo, crane, oras and others: same images, registries and machine, in turns.

``python -m tests.benchmark`` runs it, ``make bench`` writes docs/benchmarks.md with it.
"""
