"""Fetch the detector of speech anew: `python -m benchmarks.offline.speech_model`.

It is a file of the package `silero-vad`, unchanged: its network for 16 kHz in the form
that takes many chunks in one call. The form that takes one at a time says the same.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import ROOT
from benchmarks.offline.people_model import check_digest, unpacked_wheel
from eav_offline.common.console import configure_logging, run

DEFAULT_OUT = ROOT / "assets" / "silero_vad.onnx"
WHEEL = "silero-vad==6.2.3"
NETWORK = Path("silero_vad", "data", "silero_vad_16k_sequence.onnx")
SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"


def main(argv: Sequence[str] | None = None) -> int:
    """Fetch the wheel, check the network in it, and copy that."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument(
        "--network", type=Path, metavar="ONNX", help="that of the wheel, if there"
    )
    options = parser.parse_args(argv)
    configure_logging(verbose=False)
    return run(lambda: _fetch(options.out, options.network))


def _fetch(out: Path, network: Path | None) -> int:
    with tempfile.TemporaryDirectory(prefix="eav-speech-model-") as scratch:
        path = network or unpacked_wheel(WHEEL, Path(scratch), "--network") / NETWORK
        check_digest(path, SHA256, f"{NETWORK} of {WHEEL}")
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out)
    sys.stdout.write(f"{out}: {out.stat().st_size} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
