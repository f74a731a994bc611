# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry side of a local zone: a real registry that answers as OpenShift's integrated one."""
