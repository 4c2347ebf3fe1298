"""What a calibration keeps of the person's face, from the recording to the session."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from recorded import T0, FakeSession, frame_arrival, recorder
from source_helpers import wait_for

from eav_live.calibrate.running import fit
from eav_live.recognition.assets import PEOPLE_MODEL, asset
from eav_live.windows.whose_face import face_prints
from eav_offline.core.labels import EMOTIONS
from eav_offline.core.window import FRAME_PERIOD, WINDOW_SECONDS, FaceFrame
from eav_offline.data.media import iter_frames, rgb
from eav_offline.personal.calibration import LEAST_CLIPS
from eav_offline.preprocess.face import FaceTracker, FrameThinner

_PERIOD = 1.5 * FRAME_PERIOD  # sparse, and enough


def tracked(path: Path) -> list[FaceFrame]:
    """The faces of a clip and no more than is around them, which is written sooner."""
    tracker, thinner, head = FaceTracker(), FrameThinner(), np.s_[80:280, 80:270]
    frames = (rgb(f)[head] for t, f in iter_frames(path) if thinner.keep(t))
    return [tracker.update(image, i * FRAME_PERIOD) for i, image in enumerate(frames)]


def record_clips(path: Path, faces: list[FaceFrame]) -> None:
    """Cued clips of five seconds each, of a camera alone."""
    session, t = FakeSession(), T0
    with recorder(path, session) as made:
        for number in range(LEAST_CLIPS):
            emotion = EMOTIONS[number % 4].capitalize()
            about = {"trial": number + 1, "task": "Speaking", "emotion": emotion}
            made.mark({"event": "trial_start", **about, "attempt": 1}, t)
            for i in range(1 + round(WINDOW_SECONDS / _PERIOD)):
                face = replace(faces[i % len(faces)], time=t)
                arrival = frame_arrival(face.image, t, number == i == 0)
                session.sources["video"].offer(replace(arrival, face=face))
                t += _PERIOD
            made.mark({"event": "trial_end", **about, "attempt": 1}, t)
        wait_for(lambda: made._backlog.empty, 60)  # the end itself waits a second only


def test_a_calibrated_model_knows_the_persons_face(
    test_data: Callable[[str], Path], tmp_path: Path
) -> None:
    own, other = (
        tracked(test_data(f"face_clips/{name}.mpg")) for name in ("bbaf2n", "lbbc2a")
    )
    record_clips(tmp_path / "P01.xdf", own[:8])
    made = fit([tmp_path / "P01.xdf"], asset(PEOPLE_MODEL), "P01").checkpoint
    layer = made.model.personal
    assert layer is not None
    assert layer.face is not None
    (known,) = layer.face.days
    away = [np.linalg.norm(known - face_prints().of(x)) for x in (own[-1], other[-1])]
    assert away[0] < 0.3 < 0.6 < away[1]
