"""How late a microphone, a camera and an amplifier are, found from clicks and flashes."""
