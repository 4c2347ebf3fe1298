"""Read what `eav-live --publish EAV` sends: one line for each estimate.

python examples/consume_predictions.py EAV
"""

import sys

import pylsl

name = sys.argv[1] if len(sys.argv) > 1 else "EAV"
found = pylsl.resolve_bypred(f"name='{name}' and type='Emotion'", timeout=10)
if not found:
    sys.exit(f"there is no stream {name}; start eav-live with --publish {name}")
inlet = pylsl.StreamInlet(found[0])
about = inlet.info().desc().child("eav_live")
emotions = about.child_value("labels").split(",")
print(f"{about.child_value('model')}: {about.child_value('caution')}")
while True:
    sample, stamp = inlet.pull_sample(timeout=10)  # stamp: the end of the window
    if sample is None:
        break  # nothing for ten seconds
    fused = dict(zip(emotions, sample, strict=False))  # the first five of 35 channels
    print(f"{stamp:.2f}", *(f"{name} {p:.2f}" for name, p in fused.items()))
