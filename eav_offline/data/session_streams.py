"""What the streams of a recorded session are called, for its writer and its readers."""

from eav_offline.core.labels import EMOTIONS, MODALITIES

PREDICTIONS_NAME = "EAV-Live Predictions"
DECISIONS_NAME = "EAV-Live Decisions"
EVENTS_NAME = "EAV-Live Events"
MARKERS_NAME = "EAV-Live Markers"
FRAMES_NAME = "EAV-Live Frames"

ANSWERS = ("fused", *MODALITIES, "smoothed")
PREDICTION_COLUMNS = tuple(f"{a}_{e}" for a in ANSWERS for e in EMOTIONS)  # 25

# Index in the Matroska file; the face's box, pixels; whether it was found in this very
# frame; whether the frame follows a gap; index of the frame that the face was cut from,
# an earlier one where none was found; pixel of a face chosen by hand, NaN if none was.
FRAME_COLUMNS = (
    *("frame", "x1", "y1", "x2", "y2", "found", "begins", "cut_from"),
    *("chosen_x", "chosen_y"),
)
