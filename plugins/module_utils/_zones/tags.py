# SPDX-FileCopyrightText: 2026 The appuio.registry authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Move tags in all zones, or put them back: the second phase of a push, of a promotion and of a rollback.

A registry has no transaction, so zones are taken in one order, and after the last tag all are read again.
"""

from __future__ import annotations

import time
from typing import Callable, Sequence

from .._errors import AppuioError, unexpected_error
from .._signals import LONGEST_HOLD, held
from .fanout import at_once
from .zone_tags import TagState, TagUpdate, ZoneTags

# Seconds in which another run over the same zones moves its last tags, or puts them back.
_OTHER_RUN = 1.0


def move_tags(
    zones: Sequence[ZoneTags],
    atomic: bool,
    sleep: Callable[[float], None] = time.sleep,
    images: Sequence[Sequence[ZoneTags]] = (),
) -> None:
    """Move the tags of all zones; what fails is noted in ``error`` of the zone, and if atomic, what moved goes back.

    Where the tags are those of several ``images``, these are the zones of each: what another run has moved meanwhile is
    looked for image by image, also where an image goes to one zone only.

    Zones are taken in the order of their registries' addresses, whatever the order given, so that of two runs over
    the same zones the second stops at the first tag. What is no ``Exception``, as a signal that became one, goes on
    to the caller after the tags have gone back.
    """
    ordered = _ordered(zones)
    try:
        if not atomic:
            # Told to stop, what the other zones have begun ends before anybody says what has become of it.
            at_once(lambda zone: _noting(zone, zone.move_all), ordered, on_stop=lambda: None)
            find_out(ordered)
            return
        if _is_single_put(ordered):
            _noting(ordered[0], ordered[0].move_all)
        else:
            at_once(lambda zone: _noting(zone, zone.remember), ordered)
            for zone in ordered:
                if any(one.error for one in ordered):
                    break
                _noting(zone, zone.move_all)
        if not any(zone.error for zone in ordered):
            for group in images or [ordered] * (len(ordered) > 1):
                settle(_ordered(group), sleep)
            return
    except BaseException:
        (roll_back if atomic else find_out)(ordered)
        raise
    roll_back(ordered)


def _ordered(zones: Sequence[ZoneTags]) -> list[ZoneTags]:
    return sorted(zones, key=lambda zone: (zone.address, zone.repository))


def find_out(zones: Sequence[ZoneTags]) -> None:
    """Ask whether the tags moved of which that is not known, as an answer was lost; they stay as they are."""
    at_once(_find_out, zones)


def roll_back(zones: Sequence[ZoneTags]) -> None:
    """Put back what has moved: first what is known to have, in all zones at once, then what may have.

    A zone that died meanwhile is asked last, with all its retries, when the good ones are as they were already.
    """
    with held():
        for state in (TagState.MOVED, TagState.BEGUN):
            at_once(lambda zone, state=state: _restore(zone, state), zones)  # type: ignore[misc]


def settle(zones: Sequence[ZoneTags], sleep: Callable[[float], None]) -> None:
    """Read what each tag points to after the last one moved, and report, or put right, what another run has moved.

    Where two runs have moved the same tags at once, the image in the first zone stays, and the run that has lost
    there moves its own tags to it. Nothing that somebody else has put is overwritten, so that a run that has won
    waits for the other one. What a run that was undone has put back is moved once more.
    """
    shared = _shared_tags(zones)
    if not shared:
        return
    try:
        apart = _apart(zones, shared)
        if not apart:
            return
        sleep(_OTHER_RUN)
        for tag, found in _apart(zones, shared).items():
            with held(LONGEST_HOLD):
                _put_right(zones, tag, found)
        for tag, found in _apart(zones, shared).items():
            _report(zones, tag, found)
    except AppuioError as error:
        zones[0].warnings.append(f"whether another run has moved the tags meanwhile is not known: {error}")


def _is_single_put(zones: Sequence[ZoneTags]) -> bool:
    """One tag alone needs no memory: it moves, or it does not."""
    updates = [update for zone in zones for update in zone.updates]
    return len(updates) == 1 and len(zones) == 1 and not updates[0].remove


def _noting(zone: ZoneTags, work: Callable[[], None]) -> None:
    """Note a failure at its zone. One that is a mistake of ours goes the same way, as tags have to go back."""
    try:
        work()
    except AppuioError as error:
        zone.error = error.at(zone=zone.zone)
    except Exception as error:
        zone.error = unexpected_error(error).at(zone=zone.zone, step="move the tag")


def _find_out(zone: ZoneTags) -> None:
    for update in zone.updates:
        if update.state is TagState.BEGUN:
            try:
                update.now = zone.points_to(update.tag)
            except Exception as error:
                if not update.refused:
                    _note_not_restored(zone, update, error)
            else:
                update.state = TagState.MOVED if update.now == update.after else TagState.WAITING


def _restore(zone: ZoneTags, state: TagState) -> None:
    for update in [update for update in reversed(zone.updates) if update.state is state]:
        try:
            zone.restore(update)
        except Exception as error:
            if update.refused and update.state is TagState.BEGUN:
                update.state = TagState.WAITING  # a refusal that cannot be checked is believed
            else:
                _note_not_restored(zone, update, error)


def _note_not_restored(zone: ZoneTags, update: TagUpdate, error: Exception) -> None:
    cause = str(error.at(zone=zone.zone) if isinstance(error, AppuioError) else error)
    if update.state is TagState.MOVED:
        sentence = f"the tag {update.tag} was moved and could not be put back: {cause}"
    else:
        sentence = f"whether the tag {update.tag} was moved is not known: {cause}"
    before = f"It pointed to {update.before or 'nothing'} before"
    if zone.error is None:
        zone.error = AppuioError(sentence, zone=zone.zone, step="roll back", hint=before)
    else:
        zone.error.message += f"; {sentence}. {before}"


def _shared_tags(zones: Sequence[ZoneTags]) -> dict[str, str]:
    """Return the tags that all zones have set to the same image, with its digest."""
    wanted: dict[str, list[str | None]] = {}
    for zone in zones:
        for update in zone.updates:
            if update.state in (TagState.MOVED, TagState.SAME):
                wanted.setdefault(update.tag, []).append(update.after)
    return {
        tag: str(digests[0])
        for tag, digests in wanted.items()
        if len(digests) == len(zones) and len(set(digests)) == 1 and digests[0] is not None
    }


def _apart(zones: Sequence[ZoneTags], shared: dict[str, str]) -> dict[str, list[str | None]]:
    """Return what each tag points to, zone by zone, of the tags that point to something else anywhere."""
    found: dict[str, dict[int, str | None]] = {tag: {} for tag in shared}

    def read(number: int) -> None:
        for tag in shared:
            found[tag][number] = zones[number].points_to(tag)

    at_once(read, range(len(zones)))
    listed = {tag: [there[number] for number in range(len(zones))] for tag, there in found.items()}
    return {tag: there for tag, there in listed.items() if any(digest != shared[tag] for digest in there)}


def _put_right(zones: Sequence[ZoneTags], tag: str, found: list[str | None]) -> None:
    updates = [_update(zone, tag) for zone in zones]
    ours = updates[0].after
    if found[0] in (ours, updates[0].before):
        for zone, update, now in zip(zones, updates, found):
            if now == update.before != ours:
                zone.apply(update)
                zone.warnings.append(f"the tag {tag} was put back by another run, and was moved once more")
        return
    if ours not in found:
        return
    first = zones[0].registry.get_manifest(zones[0].repository, tag)
    for zone, update, now in zip(zones, updates, found):
        update.state, update.now = TagState.OVERTAKEN, now
        if now == ours and first is not None:
            zone.registry.put_manifest(zone.repository, tag, first.content, first.media_type)
            update.now = first.digest


def _report(zones: Sequence[ZoneTags], tag: str, found: list[str | None]) -> None:
    ours = _update(zones[0], tag).after
    if len(set(found)) == 1 and _update(zones[0], tag).state is not TagState.OVERTAKEN:
        zones[0].warnings.append(f"the tag {tag} has been moved to {found[0] or 'nothing'} in all zones meanwhile")
        return
    for zone, now in zip(zones, found):
        if now != ours and zone.error is None:
            zone.error = AppuioError(
                f"another run moved the tag {tag} at the same time, to {now or 'nothing'}",
                zone=zone.zone,
                step="read the tags once more",
                hint="All zones have the same image" if len(set(found)) == 1 else "The zones differ: push again",
            )


def _update(zone: ZoneTags, tag: str) -> TagUpdate:
    return next(update for update in zone.updates if update.tag == tag)
