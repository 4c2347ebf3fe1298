"""From files to recordings: EAV on disk, synthetic people, media, prepared windows."""
