"""What is found in a recording and seen of streams, as templates of `below`."""

from eav_live.ui.words import later

FINDINGS = (
    later("{where}: {found}; expected {expected}."),
    later(
        "it {how}, {n} of {all} bytes cannot be read; what is whole lasts {seconds} s"
    ),
    later("breaks off in the middle of a chunk"),
    later("is damaged"),
    later("whole chunks to its end"),
    later("Use what is whole, or {again}."),
    later("copy it again from where it was recorded, if there is a longer one"),
    later("copy it again from where it was recorded, if there is a longer one."),
    later(
        "look at its cable, battery and network, and record again if the part matters"
    ),
    later("it was not ended properly and stops after {seconds} s"),
    later("the end of the session and a footer for each stream"),
    later(
        "The program was killed or the disk was full: use what is there, or {again}."
    ),
    later("{n} arrivals were not written"),
    later("none lost"),
    later("The disk was full or too slow: free some room, or record elsewhere."),
    later("no such stream was recorded"),
    later("one from {source}"),
    later("Check the device with `eav-live doctor` before the next session."),
    later("no marker of this stream was recorded"),
    later("some, since the session had to have it"),
    later("Check that the program that sends them was running."),
    later("the stream {name} is empty"),
    later("samples"),
    later("See that its sender sends before the recording begins."),
    later("{n} samples can be read"),
    later("the {n} of its footer"),
    later("The file is damaged: {again}."),
    later("{rate} samples a second"),
    later("{rate} to {tolerance}"),
    later(
        "Samples were lost or the stated rate is wrong: correct it at the sender, or "
        "give `rate` under [eeg] of live.toml."
    ),
    later("its clock was never compared with the recording computer's"),
    later("a comparison every {seconds} s or oftener"),
    later("Its stamps may not fit the other streams': compare a common event."),
    later("its clock jumped by {seconds} s against the recording computer's"),
    later("steps under {seconds} s"),
    later("Its sender was restarted or its clock was set: treat the parts apart."),
    later(
        "{n} {gaps} of {all} s in all, the first at {seconds} s, the longest {most} s"
    ),
    *(later("gap"), later("gaps")),
    later("Windows across a gap are not recognized: {advice}."),
    later("it begins {seconds} s after the stream that came first"),
    later("at most {seconds} s"),
    later("Wait until all lamps are green before the session begins."),
    later("it ends {seconds} s before the recording does"),
    later("both to end together"),
    later("It was lost: {advice}."),
    later("{n} frames"),
    later("there is no such file"),
    later("{n}, one for each stamp in {file}"),
    later("Put it beside the recording again."),
    later("markers"),
    later("{name} was never marked ({said})"),
    later("it at least once"),
    later("Check that the program that marks was running and its stream recorded."),
    later("estimates"),
    later("none in {n} windows"),
    later("one a window"),
    later(
        "See in the log why nothing was recognized; `eav-live repredict` makes them "
        "again from what was recorded."
    ),
    later(
        "the sender's clock is {seconds} s {side} this computer's; its samples are "
        "placed by when they arrive."
    ),
    *(later("ahead of"), later("behind")),
    later("Restart the amplifier's program"),
    later("{n} electrodes send values that are not numbers"),
    later("{fault} (set it there, or `rate` under [eeg] in {file})"),
    later(
        "looking for an LSL stream of type {kind} named {name}; visible of this type: "
        "{names}; there is a stream {other_name}. Have its program state the type "
        "{other_kind}"
    ),
    later("Recognizing with the model of {code}'s calibration; --model wins"),
    later(
        "{code} has no model of their own so far; eav-live calibrate --person "
        "{code_again} makes one in four minutes"
    ),
)
