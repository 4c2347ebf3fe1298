"""An experiment that starts, marks and stops a recording of eav-live by a socket.

Nothing but Python is needed; PsychoPy, if it runs the experiment, has pylsl for the
exact time of a flip. Beside it runs, for instance,

    eav-live --eeg-stream BrainAmp --record P01.xdf --person P01 --consent-by AB \
        --control 127.0.0.1:22345
"""

import json
import socket
import sys
import time


class EavLive:
    """The remote control of a running eav-live. RuntimeError: what it refused."""

    def __init__(self, host: str = "127.0.0.1", port: int = 22345) -> None:
        self._lines = socket.create_connection((host, port), 20).makefile("rw")

    def ask(self, do: str, **more: object) -> dict:
        """Send one line, wait for its answer."""
        self._lines.write(json.dumps({"do": do, **more}) + "\n")
        self._lines.flush()
        answer = json.loads(self._lines.readline())
        if not answer["ok"]:
            raise RuntimeError(answer["error"])
        return answer


def main(port: int = 22345, trials: int = 3, seconds: float = 0.5) -> None:
    live = EavLive(port=port)
    print("recording to", live.ask("start")["file"])
    for trial in range(trials):
        # In PsychoPy: win.callOnFlip(live.ask, "mark", text=...), or with the flip's
        # own time: live.ask("mark", text=..., t=pylsl.local_clock()).
        mark = live.ask("mark", text=f"stimulus {trial}")
        print(f"stimulus {trial} at {mark['t']:.3f} s")
        time.sleep(seconds)
    newest = live.ask("last")["prediction"]
    print("the newest estimate:", newest and newest["label"])
    print("recorded", live.ask("stop")["file"])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
