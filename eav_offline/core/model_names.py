"""Names of the baselines, and the modality that each stands in."""

NETWORKS = {
    "eegnet": "eeg",
    "shallowconvnet": "eeg",
    "scnn": "audio",
    "resnet50": "video",
}
FEATURES = {
    "eeg-bands": "eeg",
    "eeg-riemann": "eeg",
    "audio-mfcc": "audio",
    "audio-logmel": "audio",
    "video-vit": "video",
}
BASELINES = {**NETWORKS, **FEATURES}
AVERAGE = "average"  # of several runs; nothing of it is trained
