# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What newer programs reach than can be installed with the benchmark: measured once, kept as text."""

from __future__ import annotations

NEWER = """Newer skopeo is faster than Debian's: since 1.21, Go's SHA-256 uses the processor's own instructions.
skopeo 1.22 and crane of 2026 are not among Debian's packages, so `make bench` cannot install them; `crane`, `regctl`,
`oras` and `oc image mirror` take part below where they are on the path. This is what was measured once, on 2026-11-25,
with this benchmark as it was then, over TLS, three rounds, on the same kind of machine (medians; CPU in brackets). It
is not measured anew with this page, and what changed here since is not in it:

| case | appuio.registry | skopeo 1.22 | crane | ours / skopeo: wall, CPU | ours / crane: wall |
| --- | --: | --: | --: | --: | --: |
| first push, OCI layout of 8 × 25 MiB | 1.32 s (0.52) | 1.56 s (0.39) | 1.08 s (0.28) | 0.84, **1.32** | **1.22** |
| first push of 60 small layers | 0.60 s (0.25) | 0.84 s (0.11) | 0.69 s (0.10) | 0.72, **2.3** | 0.87 |
| docker-archive of 196 MiB, isal | 0.99 s (1.11) | 2.23 s (2.32) | 5.35 s (5.15) | 0.44, 0.48 | 0.19 |
| the same, Python's own gzip | 3.22 s (3.31) | 2.23 s (2.32) | 5.35 s (5.15) | **1.45**, **1.43** | 0.60 |
| unchanged | 0.20 s (0.17) | 0.06 s (0.04) | 0.03 s (0.02) | **3.2**, **4.8** | **7.4** |
| one of eight layers changed | 0.34 s (0.22) | 0.21 s (0.08) | 0.19 s (0.07) | **1.6**, **2.9** | **1.8** |
| from another registry | 1.28 s (0.98) | 0.95 s (0.50) | 1.10 s (0.59) | **1.34**, **1.95** | **1.17** |
| layout to three registries | 2.27 s (1.09) | 2.81 s (1.26), at the same time | | 0.81, 0.87 | |

For the first push there were 21 requests against skopeo's 46 and crane's 39; for the unchanged image 1, 11 and 2.
"""
