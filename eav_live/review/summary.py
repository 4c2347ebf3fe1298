"""A session on one page: what was estimated, from what, how late, and what happened."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eav_live.recognition.predictions import STREAM_NAMES
from eav_live.recording.forgetting import PAGE
from eav_live.review.drawings import (
    estimates_figure,
    latency_figure,
    streams_figure,
    timed,
)
from eav_live.review.reader import SessionReader
from eav_offline.common.console import counted
from eav_offline.common.errors import InputRefused
from eav_offline.common.files import package_versions, private_files, write_atomically
from eav_offline.core.labels import EMOTIONS, MODALITIES
from eav_offline.report.drawing import listing

_MOST_EVENTS = 200
_MOST_REASONS = 5
NOT = (
    "They say what a model made of these signals. They are no measurement of what the "
    "person felt, no diagnosis, and no ground for a decision about the person.",
    "Probabilities are the model's own. How often it is right stands on its card; for "
    "people and rooms unlike those it learned from, that may not be known.",
    "Overlapping windows of five seconds are not independent: many alike in a row are "
    "no more evidence than one.",
)


@dataclass(frozen=True)
class StreamRow:
    """One stream. rate: samples or frames a second, 0 if irregular. losses: how many.

    seconds, lost_s: with data, and lost after it began. used: share of the windows that
    it was in; why: the commonest reasons it was left out, and how often.
    """

    name: str
    sender: str
    rate: float
    seconds: float
    losses: int
    lost_s: float
    used: float | None
    why: str


@dataclass(frozen=True)
class Event:
    """Something that happened: seconds since the recording's beginning, and what."""

    since_s: float
    kind: str
    text: str


@dataclass(frozen=True)
class Latency:
    """Seconds: median and 95th percentile of age and of computation, longest pause."""

    age: tuple[float, float]
    infer: tuple[float, float]
    pause: float


def write_summary(reader: SessionReader, out: Path) -> None:
    """Write the page, readable by its owner only; it needs nothing from outside it.

    out: FILE.html. Raises InputRefused if it is no page or cannot be written.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputRefused(f"--summary {out}: give a name that ends in .html")
    try:
        with private_files():  # as the recording
            write_atomically(out, page(reader))
    except OSError as error:
        raise InputRefused(
            f"--summary {out} cannot be written: {error.strerror}"
        ) from error


def page(reader: SessionReader) -> str:
    """The whole page."""
    environment = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("eav_live.review", ""),
                PackageLoader("eav_offline.report", ""),  # its head and its figures
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"clock": _clock, "rate": _rate}
    css = resources.files("eav_offline.report").joinpath("style.css").read_text("utf-8")
    person = reader.session.person
    return environment.get_template(
        "summary.html"
    ).render(
        whose=Markup(PAGE).format(person) if person else "",
        title=f"Session {reader.path.name}",
        css=Markup(css),  # the project's own, so safe; everything else is escaped
        version=package_versions()["eav-live"],
        made=time.strftime("%d %B %Y, %H:%M").lstrip("0"),
        synthetic=reader.session.synthetic or reader.demo,
        lead=_lead(reader),
        facts=_facts(reader),
        decided=decided(reader),
        streams=stream_rows(reader),
        latency=latency(reader),
        events=events(reader)[:_MOST_EVENTS],
        n_events=len(events(reader)),
        not_what=NOT,
        estimates_figure=estimates_figure(reader),
        streams_figure=streams_figure(reader),
        latency_figure=latency_figure(reader),
    )


def decided(reader: SessionReader) -> dict[str, float]:
    """Share of the windows in which each emotion was decided on, and "none"."""
    said = reader.recorded.estimates
    if not said:
        return {}
    counts = Counter(one.label if one.fused is not None else None for one in said)
    shares = {e: counts[e] / len(said) for e in EMOTIONS if e in reader.knows}
    return {**shares, "none": counts[None] / len(said)}


def stream_rows(reader: SessionReader) -> list[StreamRow]:
    """What came of each stream that was recorded."""
    return [_stream_row(reader, m) for m in MODALITIES if reader.spans[m]]


def latency(reader: SessionReader) -> Latency | None:
    """How late estimates were; None if the recording does not say."""
    said = timed(reader)
    if not said:
        return None
    pauses = np.diff(reader.recorded.times)
    return Latency(
        age=_middle_and_high([one.age_s for one in said]),
        infer=_middle_and_high([one.infer_s for one in said]),
        pause=float(pauses.max()) if len(pauses) else 0.0,
    )


def events(reader: SessionReader) -> list[Event]:
    """States of streams, losses, markers and notes, in order of time."""
    begin = reader.begin
    found = [Event(mark.t - begin, "marker", mark.text) for mark in reader.marks]
    found += [Event(note.t - begin, "note", note.text) for note in reader.annotations]
    for loss in reader.losses:
        text = f"nothing for {loss.last - loss.first:.1f} s"
        name = STREAM_NAMES[loss.modality]
        found.append(Event(loss.first - begin, f"{name} lost", text))
    for noted in reader.session.events:
        said = noted.as_object()
        if said.get("event") == "stream" and said.get("modality") in STREAM_NAMES:
            text = " ".join(str(said.get(k) or "") for k in ("name", "detail")).strip()
            kind = f"{STREAM_NAMES[said['modality']]} {said.get('state')}"
            found.append(Event(max(noted.stamp - begin, 0.0), kind, text))
        elif said.get("event") == "lost":
            text = f"{said.get('arrivals')} arrivals were not recorded"
            found.append(Event(noted.stamp - begin, "recording", text))
    return sorted(found, key=lambda event: event.since_s)


def _lead(reader: SessionReader) -> str:
    said = reader.recorded.estimates
    names = [STREAM_NAMES[m] for m in MODALITIES if reader.spans[m]]
    text = f"{_clock(reader.seconds)} of {listing(names) or 'no stream'}. "
    if not said:
        return f"{text}Nothing was recognized while it was recorded."
    n_empty = sum(one.fused is None for one in said)
    return (
        f"{text}{counted(len(said), 'window')} recognized by {reader.model_name}; "
        f"{n_empty} of them had nothing to estimate from."
    )


def _facts(reader: SessionReader) -> dict[str, str]:
    settings = reader.session.settings
    said = reader.recorded.estimates
    backends = sorted({one.backend for one in said if one.backend})
    fusions = sorted({one.fusion for one in said if one.fusion})
    electrodes = Counter(name for one in said for name in one.interpolated)
    computed = [f"{n} ({k / len(said):.0%})" for n, k in electrodes.most_common()]
    facts = {
        "Person": reader.session.person or "",
        "Recorded": _clock(reader.seconds),
        "Model": reader.model_name,
        "Emotions it knows": ", ".join(reader.knows) if said else "",
        "Hop": f"{reader.hop:g} s" if said else "",
        "Smoothing": f"{settings['smoothing_s']:g} s"
        if isinstance(settings.get("smoothing_s"), int | float)
        else "",
        "Computed by": ", ".join(backends),
        "Fused by": ", ".join(fusions),
        "Interpolated electrodes (share of windows)": ", ".join(computed),
        "File cut off": "yes" if reader.session.file.truncated else "",
    }
    return {name: value for name, value in facts.items() if value}


def _stream_row(reader: SessionReader, modality: str) -> StreamRow:
    said = reader.recorded.estimates
    losses = [loss for loss in reader.losses if loss.modality == modality]
    openings = [o for o in reader.session.openings[modality] if len(o.stamps)]
    senders = dict.fromkeys(o.stream.name for o in openings)
    reasons = Counter(
        one.reasons[modality] for one in said if one.reasons.get(modality)
    )
    seconds = sum(last - first for first, last in reader.spans[modality])
    n = sum(len(o.stamps) for o in openings)
    return StreamRow(
        name=STREAM_NAMES[modality],
        sender=", ".join(senders),
        rate=openings[0].stream.rate or (n / seconds if seconds else 0.0),
        seconds=seconds,
        losses=len(losses),
        lost_s=sum(loss.last - loss.first for loss in losses),
        used=sum(modality in one.present for one in said) / len(said) if said else None,
        why="; ".join(
            f"{why} ({k})" for why, k in _grouped(reasons).most_common(_MOST_REASONS)
        ),
    )


def _grouped(reasons: Counter[str]) -> Counter[str]:
    """Reasons without their numbers, so that "collecting 1.5 of 5 s" is one."""
    found: Counter[str] = Counter()
    for why, k in reasons.items():
        plain = "collecting" if why.startswith("collecting") else why
        found["old data" if plain.startswith("newest data") else plain] += k
    return found


def _middle_and_high(values: Sequence[float]) -> tuple[float, float]:
    middle, high = np.nanpercentile(np.array(values), [50, 95])
    return float(middle), float(high)


def _rate(hertz: float) -> str:
    return f"{hertz:.0f}" if hertz >= 50 else f"{hertz:.1f}"


def _clock(seconds: Any) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
