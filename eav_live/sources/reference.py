"""The amplifier's reference electrode, held against the one the model learned with."""

import re


def reference_note(
    stated: str | None, header: str, trained: str, averaged: bool, config_hint: str
) -> str:
    """What is to be said of the reference; empty if all is well.

    stated: `reference` of the configuration; header: what the stream says, "" if
    nothing. trained: the training recordings', "" if the checkpoint does not say.
    averaged: whether the model subtracts the mean electrode, which takes any
    reference out again.
    """
    if averaged:
        return ""
    found = (stated or header).strip()
    if not found:
        known = f" (the model was trained with {trained})" if trained else ""
        return (
            f"the amplifier's reference is not known{known}. Give it as `reference` "
            f"under [eeg] in {config_hint}"
        )
    if trained and _plain(found) != _plain(trained):
        return (
            f"the amplifier's reference is {found} and the model was trained with "
            f"{trained}: what it makes of the EEG may be wrong. Use that reference, "
            "or a model prepared with --reference average"
        )
    return ""


def _plain(reference: str) -> frozenset[str]:
    """The electrodes a reference is made of, whatever their order and spelling."""
    parts = re.split(r"[\s,;+/&]+", reference.casefold())
    return frozenset(part for part in parts if part and part != "and")
