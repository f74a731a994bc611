# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Noting in each zone which tags the set brings: before they move, and put right after what did not go as planned.

What is noted before survives the end of the process at any moment. A tag that has not moved then does not point to
the digest that is noted, so that nobody takes it for ours.
"""

from __future__ import annotations

from typing import Callable, Mapping

from .._errors import AppuioError, ConflictError
from .._openshift import resources
from .._openshift.client import Api
from .._openshift.image_streams import ImageStream, get_document, parse_stream
from .._push.plan import ZonePlan
from .._zones.session import ZoneSession
from .image import ImageSync
from .managed import managed_tags, new_stream, with_managed_tags

_TRIES = 8
# From the tags that are noted, and the stream, to those that are to be noted.
Change = Callable[[Mapping[str, str], ImageStream], Mapping[str, str]]


class Marking:
    """The tags that one image is to get, and what was noted of them before."""

    def __init__(self, image: ImageSync, set_name: str) -> None:
        self._image = image
        self._plan = image.plan.plan
        self._set_name = set_name
        self._before: dict[str, Mapping[str, str]] = {}
        self._noted: dict[str, Mapping[str, str]] = {}

    def note(self) -> None:
        """Note the tags that are to move, in all zones at once; raises AppuioError where that cannot be."""

        def note(session: ZoneSession, wanted: Mapping[str, str]) -> None:
            def change(known: Mapping[str, str], _stream: ImageStream) -> Mapping[str, str]:
                self._before[session.name] = known
                return {**known, **wanted}

            write_managed(session.api(), session.namespace, self._name, self._set_name, change, create=True)
            self._noted[session.name] = wanted

        self._each(note)

    def put_right(self) -> None:
        """Note what has moved and nothing else; asks only where that may not be what was noted.

        A failure is one of the image, whose tags are as they are.
        """

        def put_right(session: ZoneSession, wanted: Mapping[str, str]) -> None:
            before, noted = self._before.get(session.name, {}), self._noted.get(session.name, {})

            def change(known: Mapping[str, str], stream: ImageStream) -> Mapping[str, str]:
                result = dict(known)
                for tag, digest in wanted.items():
                    if tag in stream.tags and stream.tags[tag].digest == digest:
                        result[tag] = digest
                    elif tag in known and known[tag] == noted.get(tag):  # else another run has noted its own
                        result.pop(tag)
                        result.update({tag: before[tag]} if tag in before else {})
                return result

            if self._image.plan.error is not None or wanted != noted:
                write_managed(session.api(), session.namespace, self._name, self._set_name, change)

        if self._noted:
            try:
                self._each(put_right)
            except AppuioError as error:
                self._image.plan.error = self._image.plan.error or error

    @property
    def _name(self) -> str:
        return self._image.plan.name

    def _each(self, work: Callable[[ZoneSession, Mapping[str, str]], None]) -> None:
        plan = self._plan
        if plan is None:
            return
        zones = {zone.zone: zone for zone in plan.zones if zone.changed}

        def one(session: ZoneSession) -> None:
            if session.name in zones:
                work(session, _digests(zones[session.name], plan.image.digest))

        for outcome in self._image.push.sessions.each(one):
            if outcome.error is not None:
                raise outcome.error


def write_managed(api: Api, namespace: str, name: str, set_name: str, change: Change, create: bool = False) -> None:
    """Change which tags of a stream are noted as a set's; raises AppuioError.

    A stream that is not there is created with ``create``, and else left alone.
    """
    step = f"note the tags of {name} in its ImageStream"
    for tries_left in reversed(range(_TRIES)):
        document = get_document(api, namespace, name)
        try:
            if document is None:
                if create:
                    tags = change({}, ImageStream(name, namespace))
                    stream = new_stream(namespace, name, set_name, tags)
                    api.create(resources.IMAGE_STREAM, namespace, stream, step=step)
                return
            known = managed_tags(document, set_name)
            tags = change(known, parse_stream(document))
            if tags != known:
                patch = with_managed_tags(document, set_name, tags)
                api.merge(resources.IMAGE_STREAM, namespace, name, patch, step=step)
            return
        except ConflictError:
            if not tries_left:
                raise


def _digests(zone: ZonePlan, digest: str | None) -> dict[str, str]:
    """Return the digest of each tag that is to move, as far as it is known."""
    found = {tag.tag: tag.referrer.digest if tag.referrer else digest for tag in zone.tags if tag.needed}
    return {tag: known for tag, known in found.items() if known is not None}
