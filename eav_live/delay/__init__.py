"""How late microphone, camera and amplifier are, found from clicks and flashes."""
