"""The colours of the five emotions, the same on the dashboard and in every report."""

from eav_offline.core.labels import EMOTIONS

# Okabe and Ito's colours, told apart with any colour vision. Their black is invisible
# on the dashboard's dark ground and is replaced by a light grey.
EMOTION_COLOURS = {
    "neutral": "#b9c2ce",
    "sadness": "#56b4e9",
    "anger": "#d55e00",
    "happiness": "#f0e442",
    "calmness": "#009e73",
}
EMOTION_COLOUR_LIST = tuple(EMOTION_COLOURS[name] for name in EMOTIONS)
