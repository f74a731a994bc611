# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API of a local zone: objects, rights, tokens, ImageStreams."""
