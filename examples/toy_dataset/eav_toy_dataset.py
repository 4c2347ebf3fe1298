"""A collection of clips of one's own, told by the names of its files: `p07_joy_2.wav`.

    eav-offline check CLIPS
    eav-offline prepare CLIPS --out cache-toy

What is no such collection gives, in place of a `Corpus`, a class that is called with
the folder and has what `eav_offline.data.dataset.Dataset` asks for.
"""

import re

from eav_offline.data.corpora import SOUND, Corpus

TOY_CLIPS = Corpus(
    name="toy-clips",
    title="Toy clips",
    example="p07_joy_2.wav",
    pattern=re.compile(r"^p(?P<actor>(?!00)\d\d)_(?P<emotion>[a-z]+)_(?P<take>[12])$"),
    emotions={
        "calm": ("calm", "calmness"),
        "joy": ("joy", "happiness"),
        "rage": ("rage", "anger"),
        "awe": ("awe", None),  # which is none of the five, and left out
    },
    codes={"take": ("1", "2")},
    media={".wav": SOUND},
    suffixes=frozenset({".wav"}),
    actor="p{:02d}",
    cite="Nobody et al., never published.",
    where="nowhere: it is an example",
    size="as many as you have",
    license="CC0 1.0",
)
