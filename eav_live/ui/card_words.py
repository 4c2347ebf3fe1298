"""What the program writes into models' cards, as templates of `below`.

The words of other authors stay as they wrote them.
"""

from eav_live.ui.words import later

CARD_WORDS = (
    later("not stated"),
    later("{emotions}; not known to it: {unknown}"),
    later("{name}: {people}, language {languages}, license {license}"),
    later("{name} (for {purpose}): {people}, language {languages}, license {license}"),
    later("{name} (for {purpose}): {people}"),
    later("number of people {what}"),
    later("synthetic people"),
    later("the voice"),
    later("the face"),
    later("German"),
    later("English"),
    later("Chinese"),
    later("fused"),
    later("{output}: accuracy {value} ({between}); {on}"),
    later("{output}: balanced accuracy {value} ({between}); {on}"),
    *(later("95 % by {unit} {low}-{high}"), later("person"), later("trial")),
    later("interval not stated"),
    later("chance {chance}"),
    later("{n} windows"),
    later(
        "{names}: {before} before, {after} after (difference 95 % by clip {low} to "
        "{high}; {n} clips)"
    ),
    later("transformers of each modality, joined by AMBT ({variant})"),
    later("transformer of {names}"),
    later("{name}, a baseline"),
    later("the mean of the probabilities of {n} models: {names}"),
    later(
        "published classifiers as they are: {names}; together the mean of the "
        "probabilities of what is there"
    ),
    later("{model} for the {sense}"),
    later("{model} for the {sense} and {other_model} for the {other_sense}"),
    later("{n} labeled clips"),
    later("{n} labeled clips of {all} days"),
    later("not tested here; see the cards of the models"),
    later("Nothing was measured here; what the authors' cards say was, on their data."),
    later(
        "They learned from acted or posed clips and pictures of other people, cut out "
        "in other ways. Speaking disturbs a face's expression; another language, "
        "microphone or room, a voice's."
    ),
    later("It knows synthetic people only and says nothing of real ones."),
    later("Of people it was not trained on nothing was tested."),
    later("{windows} showed what it does not know."),
    later("{n} test window"),
    later("{n} test windows"),
    later("{output}: not shown to be better than chance."),
    later(
        "{emotion} is recognized least, in {share} of its windows; it is taken for "
        "{other_emotion} most often."
    ),
    later("{name} is under {license}"),
    later("{count} parameters, seed {seed}"),
    later("configuration"),
    later("stages"),
    later("{name} begun from"),
    later("classes of the {sense}"),
    later("{name} as {emotion}"),
    later("{name} left out"),
    later(
        "within subjects: the first trials of each class train, the last test; whole "
        "trials only"
    ),
    later("leave subjects out: nobody who trains or validates is tested"),
    later(
        "the mean of a published network of faces (mini-Xception) and a logistic "
        "regression on statistics of speech; assets/people.md says more"
    ),
    later(
        "{name} (for {purpose}: {source}): {people}, language {languages}, license "
        "{license}"
    ),
    later("pictures of the web, labeled by people"),
    later(
        "the voice: each speaker left out, and speakers of another language; the "
        "face: two people's faces are said to show what they show, which checks it "
        "and is no accuracy; both together: not tested"
    ),
    later("live windows of EmoDB, each speaker left out"),
    later("RAVDESS's clips in English, nobody of it trained on"),
    later("windows that slide over RAVDESS's clips in a row, smoothed"),
    later(
        "Speaking disturbs the face: a mouth that forms a vowel looks like an "
        "expression."
    ),
    later("A resting face reads as sad or angry for some people."),
    later("A smile is all but certain and outweighs the voice, whatever it says."),
    later(
        "The voice of another language or microphone is right in about half of the "
        "cases: happiness is taken for anger and sadness for neutral."
    ),
    later(
        "FER2013's labels are noisy and its faces not balanced over age, sex and "
        "skin; for whom the model is worse was not measured."
    ),
    later(
        "Acted emotions are stronger than those of everyday life. Beards, glasses, "
        "hands, masks and side views were not tested."
    ),
    later("MIT (face), CC0 (voice); see NOTICE"),
    later("{n} live windows of {all} clips"),
)
