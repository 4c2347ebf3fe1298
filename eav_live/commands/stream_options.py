"""The options that name streams and devices, for every command that reads them."""

import argparse


def add_stream_options(options: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add --eeg-stream, --audio, --video and --max-missing; returns their group."""
    group = options.add_argument_group("streams")
    group.add_argument(
        "--eeg-stream",
        metavar="NAME",
        help="LSL stream of type EEG: its name, or the beginning of it; where two have "
        "one name, NAME@HOST or the source id; or 'none'",
    )
    group.add_argument(
        "--audio",
        metavar="SOURCE",
        default="mic",
        help="mic (default), mic:DEVICE, lsl:NAME, file:PATH or none",
    )
    group.add_argument(
        "--video",
        metavar="SOURCE",
        default="camera",
        help="camera (default), camera:INDEX, lsl:NAME, file:PATH or none",
    )
    group.add_argument(
        "--max-missing",
        metavar="N",
        type=int,
        help="electrodes that may be interpolated from their neighbours (default 4)",
    )
    return group
