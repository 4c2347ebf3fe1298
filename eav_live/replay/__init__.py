"""Recordings and files sent as LSL streams at their own pace."""

TRIAL_GAP_SECONDS = 0.8  # between trials: longer than any step that is taken for jitter
