"""The options of recording, for every command that runs a session."""

import argparse
import dataclasses
import hashlib
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from eav_offline.common.errors import InputRefused

if TYPE_CHECKING:
    from eav_live.options import LiveConfig
    from eav_live.recording.consent import Consent
    from eav_live.recording.recorder import Recorder
    from eav_live.session import Session


def add_recording_options(options: argparse.ArgumentParser) -> None:
    """Add --record and what consent it takes."""
    group = options.add_argument_group("recording")
    group.add_argument(
        "--record",
        metavar="FILE.xdf",
        type=Path,
        help="write everything that comes in and goes out; never overwrites",
    )
    group.add_argument(
        "--consent", metavar="FILE.toml", type=Path, help="who agreed, and who asked"
    )
    group.add_argument(
        "--person", metavar="CODE", help="who is recorded: a code, never a name"
    )
    group.add_argument("--consent-by", metavar="WHO", help="who asked for consent")


def consent_for(options: argparse.Namespace, config: "LiveConfig") -> "Consent | None":
    """The consent to what is to be recorded, asked for before any device is opened.

    None if nothing is to be recorded. Raises InputRefused without consent.
    """
    if options.record is None:
        if (options.consent, options.person, options.consent_by) != (None,) * 3:
            raise InputRefused("consent is for a recording; give --record FILE.xdf too")
        return None
    from eav_live.recording.recorder import check_name

    check_name(options.record)
    return ask_for_consent(options, config)


def ask_for_consent(options: argparse.Namespace, config: "LiveConfig") -> "Consent":
    """The consent to record the streams that the options name. Raises InputRefused."""
    from eav_live.recording.consent import obtain_consent, terminal

    what = {"EEG": options.eeg_stream, "voice": options.audio, "face": options.video}
    return obtain_consent(
        [name for name, source in what.items() if source != "none"],
        config.consent.text,
        file=options.consent,
        person=options.person,
        by=options.consent_by,
        ask=terminal(),
    )


def make_recorder(
    options: argparse.Namespace,
    config: "LiveConfig",
    consent: "Consent",
    session: "Session",
    model: Path,
) -> "Recorder":
    """A recorder of the session, not started yet. Raises InputRefused."""
    from eav_live.recording.recorder import Recorder

    return Recorder(
        options.record,
        consent,
        session,
        session_settings(options, config, session, model),
        markers=session.truth,
    )


def session_settings(
    options: argparse.Namespace,
    config: "LiveConfig",
    session: "Session",
    model: Path,
) -> dict[str, object]:
    """What it takes to predict again from the recording, and who said what."""
    from eav_offline.versions import package_versions

    with model.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    recognizer = session.recognizer
    return {
        "model": {
            "name": recognizer.name,
            "sha256": digest,
            "demo": recognizer.demo,
            "preprocess": dataclasses.asdict(recognizer.checkpoint.preprocess),
        },
        "hop_s": session.hop,
        "smoothing_s": options.smoothing,
        "max_missing": options.max_missing,
        "config": config.model_dump(mode="json", exclude={"consent"}),
        "streams": {
            "eeg": options.eeg_stream,
            "audio": options.audio,
            "video": options.video,
        },
        "versions": package_versions(),
    }


def recording(recorder: "Recorder | None") -> AbstractContextManager[object]:
    """Record while the context lasts; without a recorder nothing happens."""
    return nullcontext() if recorder is None else recorder
