"""From files to recordings: EAV on disk, synthetic subjects, media, and the prepared cache."""
