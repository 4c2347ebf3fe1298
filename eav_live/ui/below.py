"""Words that the window shows and that are made below it, where nobody knows of Qt.

Each is found again in what comes up, with what stands at its named places.
"""

import re
from collections.abc import Iterator
from functools import cache
from string import Formatter

from eav_live.ui.card_words import CARD_WORDS
from eav_live.ui.findings import FINDINGS
from eav_live.ui.refusals import REFUSALS
from eav_live.ui.words import later, tr

_NUMBER = r"[-+]?\d[\d.:]*"
_STREAM, _INPUT = "EEG|Voice|Face", "EEG|voice|face"
_PLACES = {
    **dict.fromkeys(("n", "all", "least", "most", "seconds", "rate", "hertz"), _NUMBER),
    **dict.fromkeys(("room", "minutes", "void", "time"), _NUMBER),
    **dict.fromkeys(("share", "other", "chance"), r"\d+%"),
    **{"input": _INPUT, "inputs": f"(?:{_INPUT})(?:, (?:{_INPUT}))*"},
    **dict.fromkeys(("sense", "other_sense"), "voice|face"),
    "fault": r"(?:lacks|has(?=\ (?:the\ unknown|of\ another)))\ .+",
    # Of a finding in a recording, which may have others beside it.
    **{"where": r"\S+(?: \S+)?", "expected": r"(?:(?!\. ).)+", "gaps": "gaps?"},
    **{"stream": _STREAM, "state": "connecting|late|lost|refused|off"},
}

_MOST_JOINED = 8  # parts of a list; no template has more of what parts one

TEMPLATES = (
    *CARD_WORDS,
    *FINDINGS,
    *REFUSALS,
    # One word, or a few
    *(later("Neutral"), later("Sadness"), later("Anger")),
    *(later("Happiness"), later("Calmness"), later("Undecided")),
    *(later("neutral"), later("sadness"), later("anger")),
    *(later("happiness"), later("calmness"), later("No estimate")),
    *(later("off"), later("connecting"), later("live"), later("returned")),
    *(later("late"), later("lost"), later("refused"), later("missing")),
    *(later("Voice"), later("Face"), later("voice"), later("face")),
    *(later("audio"), later("video")),
    *(later("arousal"), later("dominance"), later("valence")),
    *(later("theta"), later("alpha"), later("beta"), later("gamma")),
    *(later("microphone"), later("camera"), later("streams"), later("nothing")),
    *(later("What it is"), later("Reads"), later("Tells"), later("Adapted to")),
    *(later("Shown so far"), later("Learned from"), later("Tested")),
    *(later("Accuracy"), later("Known failures"), later("License")),
    later("Made with"),
    # Electrodes, speech, face
    *(later("not numbers"), later("flat"), later("railed"), later("noisy")),
    *(later("drifting"), later("{hertz} Hz hum"), later("{text} and {n} more")),
    later("electrodes {faults}"),
    later("{n} electrodes bad or missing, {most} allowed"),
    later("samples that are not numbers"),
    later("no speech"),
    later("no face"),
    later("the picture stands still"),
    later("someone else's voice, it seems"),
    later("someone else's face, it seems"),
    later("no order of a head: electrodes mixed up, or no EEG"),
    later("contradicts the two others"),
    later("dead silence: muted, or no sound at all"),
    later("clipped: turn the gain down"),
    # Why there is nothing in a window
    later("no frames"),
    later("no data"),
    later("pictures are missing"),
    later("no {n} s at one go"),
    later("this model does not read it"),
    later("too many bad electrodes"),
    later("collecting {seconds} of {all} s"),
    later("newest data {seconds} s old"),
    # Streams and devices
    later("samples come late by {seconds} s; over {most} s they are left out"),
    later(
        "{rate} samples a second instead of {all}: samples are lost, or the sender "
        "states a wrong rate"
    ),
    later(
        "samples come without a valid time stamp and are placed by when they arrive; "
        "restart the sender's program"
    ),
    later("the sender's clock stepped by {seconds} s"),
    later("is this another person now?"),
    later("interpolated: {names}"),
    later("computed from their neighbors: {names}"),
    later("file ended"),
    later("stopped: {why}"),
    later("the microphone fell silent; is it still connected?"),
    later("the camera gives no more frames; is it still connected?"),
    later(
        "looking for an LSL stream of type {kind} named {name}; visible of this type: "
        "{names}"
    ),
    later("none"),
    later(
        "no microphone opens ({why}). Connect one, or use --audio mic:DEVICE "
        "(`eav-live devices` lists them), lsl:NAME, file:PATH or none."
    ),
    later(
        "{name} does not open. Connect one, allow this program to use it (on Linux: "
        "membership of the group video), or use --video camera:INDEX (`eav-live "
        "devices` lists them), lsl:NAME, file:PATH or none."
    ),
    later("camera {n}"),
    later(
        "{name} states no sampling rate; an even rate of {least} Hz or more is needed. "
        "Set the nominal rate in the amplifier's program, or give `rate` under [eeg] "
        "in {file}."
    ),
    later(
        "{name} runs at {rate} Hz; {least} Hz or more are needed for the band of "
        "0.5-50 Hz. Raise the rate at the amplifier."
    ),
    later(
        "{name} names none of its {n} channels, and electrodes are never chosen by "
        "position. Have the amplifier's LSL program write labels into the header, or "
        "list all of them, in order, as `labels` under [eeg] in {file}."
    ),
    later(
        "sound at {least} Hz or more is needed; have its program send the sound "
        "itself, and state its rate"
    ),
    later(
        "there is a camera that gives no picture; close other programs that use it, or "
        "allow this one to (on Linux: membership of the group video)"
    ),
    later(
        "camera {name} gives no picture. Close other programs that use it, or allow "
        "this one to (on Linux: membership of the group video)."
    ),
    later(
        "another stream has the same name, computer and source id; stop one of them, "
        "or give it another name"
    ),
    later(
        "--save-preset {name} cannot be used; give up to 64 letters, digits, - and _, "
        "such as lab1"
    ),
    later("this file has no sound; choose another"),
    later("this file has no picture; choose another"),
    # Opening a session
    later("Loading {model}\u2026"),
    later("the model {name}"),
    later("the demo and its model"),
    later("the embedded model"),
    later("Looking for {streams}\u2026"),
    later("the demo's streams"),
    later("EEG stream {name}"),
    later("stream {name}"),
    later("Waiting for what the session must have\u2026"),
    later("Demo model, trained on synthetic people: not valid for real people"),
    later("no card: for whom it works is not stated"),
    # For whom a model works
    *(later("{inputs} and {input}"), later("{input} not used")),
    *(later("{inputs} and {input} not used"), later("adapted to {person}")),
    later(
        "the voice right on {share} of acted German and {other} of acted English "
        "speech (chance {chance})"
    ),
    later("synthetic people only, not valid for real people"),
    later("for whom it works was not tested here"),
    later("not tested"),
    later("{share} right (chance {chance}) on {whom}"),
    later("a trial run, {share} right (chance {chance}) on {whom}"),
    *(later("{n} person"), later("{n} people")),
    later("{people} it was not trained on"),
    later("later trials of the {people} it was trained on"),
    later("{people}, trained on or not"),
    # Adapting to a person
    later("Adaptation is frozen"),
    later("Adapting to this person: {n} of {all} windows seen"),
    later("Adapting to this person: {n} of {all} windows seen ({modalities})"),
    later("Adapting to this person: waiting for more varied expressions"),
    later(
        "Adapting to this person: waiting for more varied expressions ({modalities})"
    ),
    # What is recorded, and what must be there
    later("recording to {file}"),
    later("recording to {file}, {time}, {room} GB left"),
    later("recording to {file}, with losses: see the log"),
    later("recording to {file}, with losses: see the log, {time}, {room} GB left"),
    later("NOT recording to {file}: {why}"),
    later("NOT recording to {file}: {why}, {time}, {room} GB left"),
    later("{file} waits to be started"),
    later("{file} has {n} fault"),
    later("{file} has {n} faults"),
    later("{file} has {n} fault: {text}"),
    later("{file} has {n} faults: {text}"),
    later("{file} is whole: {seconds} s of {streams}"),
    later("{file} was not looked through"),
    later("{what} was lost and is back."),
    later("nothing is recorded, since the session lacks what it must have."),
    later("The electrodes are not steady."),
    later("{stream} is off: give {option}."),
    later("{stream} is {state}: {why}."),
    later("{stream} is left out: {why}."),
    later("see that its sender is on"),
    later("The electrodes are not judged yet: wait a moment."),
    later("Electrode {name} is {fault}: see to it."),
    later("electrode {name}"),
    later("electrodes"),
    later("disk"),
    later("{n} electrodes are bad or missing, {most} may be: see to {names}."),
    later("No face ({why}): turn the camera, or more light."),
    later("not looked for yet"),
    later("markers {name}"),
    later("There is no stream of markers {name}: start the program that sends it."),
    later(
        "The disk has {room} GB left of the {all} it must have: make room, or record "
        "elsewhere."
    ),
    # What the person is asked and told
    later(
        "This session records your EEG, your voice and pictures of your face, and what "
        "a program estimates from them. The estimates are guesses at acted emotions "
        "and say nothing certain about you. The recordings stay on this computer, "
        "under a code instead of your name, and you may have them deleted at any time. "
        "You may end the session whenever you wish."
    ),
    later(
        "A model of how you sound and look is learned from it. It holds features of "
        "what was recorded, by which your voice and face are told from other "
        "people's, and is kept only if you say so."
    ),
    later(
        "In this session a computer program estimates emotions from your face, your "
        "voice or your EEG. Its estimates are guesses at acted emotions and say "
        "nothing certain about you. You will not be shown any, and you may end the "
        "session whenever you wish."
    ),
    later("Recorded: {all_of_it}."),
    later("who asked for consent is empty; give initials or a name"),
    # Cued sessions
    later("{n} of {all} trials"),
    later("trial {n} of {all}, {minutes} min left"),
    later("trial {n} of {all}, {void} void, {minutes} min left"),
    later("End the session?"),
    later("Enter ends it. Esc goes back to the pause."),
    later("The session has ended"),
    later("Thank you"),
    later("{n} of {all} trials are recorded."),
    later("Paused"),
    later("When the space bar is pressed, {what}."),
    later("the rest goes on"),
    later("the page is shown again"),
    later("trial {n} begins again with its countdown"),
    later("All is there again: the space bar goes on."),
    later("{what} in trial {n}."),
    later("R does it again, the space bar keeps it."),
    later("Nothing is recorded: {why}"),
    later("Some of what came in was not recorded"),
    later("{modality} had a gap"),
    later("{stream} is {state}. {why}"),
    later("How you sound and look"),
    later(
        "You will say short sentences, each for seconds only, as if you felt what is "
        "shown."
    ),
    later(
        "Let face and voice show it, and go on in your own words until the ring is "
        "empty."
    ),
    later("You may pause or stop at any time, without giving a reason."),
    later(
        "You will listen, and then answer aloud, ten times, for twenty seconds each."
    ),
    later("You will listen, and then answer aloud, for twenty seconds each."),
    later(
        "Feel into the emotion that is shown, and speak as you would if it were yours."
    ),
    # Calibration
    later("{n} of {all} clips are recorded already; {what}."),
    later("{n} are left"),
    later("none is left to record"),
    later("It has become better."),
    later("It has become worse: better discard it."),
    later("These clips cannot tell whether it has become better."),
    later("Too much of what was learned on earlier days would be forgotten."),
    # Between the parts of a list
    *(later(", "), later("; "), later(": ")),
)


def translated(text: str) -> str:
    """Such words in the window's language; others as they are."""
    # Lines, and alarms beside each other.
    return "".join(map(_sentences, re.split("(\n| {3})", text)))


def known(text: str) -> str:
    """A text all of whose parts are known in the window's language; else as it is."""
    parts = re.split(": |; |, ", text)
    if _whole(text) or all(_whole(part) or " " not in part for part in parts):
        return _line(text)
    return text


def _sentences(text: str) -> str:
    found = _whole(text)
    return _apart(text) if found is None else found


def _apart(text: str) -> str:
    """Each sentence by itself."""
    return " ".join(map(_line, re.split(r"(?<=\.) (?=[A-Z\d])", text)))


def _line(text: str) -> str:
    found = _whole(text)
    if found is not None:
        return found
    for between in ("; ", ", "):
        if between in text:
            parts = list(_parts(text.split(between), between))
            if any(part not in text for part in parts):
                return tr(between).join(parts)
    head, colon, rest = text.partition(": ")
    parts = [_line(head), _line(rest)] if colon else []
    return text if parts in ([], [head, rest]) else tr(": ").join(parts)


def _parts(parts: list[str], between: str) -> Iterator[str]:
    """Each translated, several as one where a text has in it what parts a list."""
    while parts:
        for n in range(min(len(parts), _MOST_JOINED), 0, -1):
            one = between.join(parts[:n])
            found = _whole(one)
            if found is not None or n == 1:
                yield _line(one) if found is None else found
                parts = parts[n:]
                break


def _whole(text: str) -> str | None:
    """The translation of one of the templates; None if it is none of them."""
    for pattern, template in _patterns():
        found = pattern.fullmatch(text)
        if found is not None:
            places = {
                name: _apart(said) if name == "text" else _line(said)
                for name, said in found.groupdict().items()
            }
            return tr(template, **places)
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Each template, the ones that say most first."""
    made = []
    for template in TEMPLATES:
        pattern, n_letters = "", 0
        for literal, place, _, _ in Formatter().parse(template):
            pattern += re.escape(literal)
            n_letters += len(literal)
            if place is not None:
                pattern += f"(?P<{place}>{_PLACES.get(place, '.+?')})"
        made.append((n_letters, re.compile(pattern), template))
    made.sort(key=lambda one: -one[0])
    return tuple((pattern, template) for _, pattern, template in made)
