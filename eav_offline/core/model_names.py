"""What options offer, by name; a command that is only asked for help reads no more."""

STAGES = ("eeg", "audio", "video", "ambt")  # the order in which a full run trains them
# Baselines, and the modality that each stands in.
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
    "audio-speech": "audio",
    "video-vit": "video",
}
BASELINES = {**NETWORKS, **FEATURES}
# What `study` makes: AMBT in its variants, and all baselines.
FUSIONS = {"ambt-mean": "mean", "ambt-concat": "concat"}
STUDIED = (*FUSIONS, *BASELINES)
STUDY_PROTOCOLS = ("within", "kfold")
# Classifiers of others that `models.published` runs, by the modality they read.
PUBLISHED = {"video": "published-face", "audio": "published-voice"}
# What comes with its weights; nothing here trains them.
EXPERTS = {"mini-xception": "video", **{name: m for m, name in PUBLISHED.items()}}
FUSINGS = ("ambt", "mean", "calibrated")  # how a fused answer is made
COVERAGES = (0.8, 0.9, 0.95)  # of sets of emotions; checkpoints hold thresholds of each
COVERAGE = 0.9
AVERAGE = "average"  # of several runs; nothing of it is trained
