# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 for the servers of this folder, with faults and a request log."""
