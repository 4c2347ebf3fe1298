"""What can be refused where a window is open, as templates of `below`.

Within a sentence, what the system or a library says stays as it says it.
"""

from eav_live.ui.words import later

REFUSALS = (
    later(
        "no clip in {names} can be learned from: nothing of it was fit to be "
        "recognized; look at microphone, camera and light, and record again"
    ),
    later("{name} is none of the electrodes {names}"),
    later("a mark's name is empty"),
    later("{path}: session is no table; write [session]"),
    later("{path} cannot be read ({error}); give a file such as configs/live.toml"),
    later("{path} is not valid TOML: {error}"),
    later("two labels are mapped to {electrode}"),
    later(
        "the cue of key {key} under [participant.cues] is of no mark; give "
        "{other_key} a name under [marks]"
    ),
    later("{option} is missing; give a stream's name, or none"),
    later("{option} is empty; give a stream's name, or none"),
    later("{option} is given beside eeg_stream or demo; give one"),
    later("eeg = {value} is no stream of mne-lsl; for a name give eeg_stream"),
    later("every stream is 'none'; name at least one"),
    later("--backend {backend}: {name} is no transformer; leave it out"),
    later("{option} = {value} cannot be used; {advice}"),
    later("give text"),
    later("give {amount} from {low} to {high}"),
    later("a number"),
    later("a whole number"),
    later("give one of {names}"),
    later("{option} {text} is unknown; give {choices}, lsl:NAME, file:PATH or none"),
    later(
        "{option} {text} is unknown; give {choices}, lsl:NAME, file:PATH or none, or "
        "{others}"
    ),
    later("{what}: there is no such file or folder"),
    later("{option} = {value} is none of {names}"),
    later("{option} = {value} is neither true nor false"),
    later("{path}: unknown key {key}; {advice}"),
    later("unknown key {key}; {advice}"),
    later("key {key} is missing"),
    later("{number} more faults"),
    later("did you mean {name}?"),
    later("remove it or correct its spelling"),
    later("{what}: give a name without quotation marks, such as EAV"),
    later(
        "{what}: there is already a stream {name} of type {kind} on {host}; choose "
        "another name, or stop the other program"
    ),
    later(
        "{path} cannot be read ({error}); put it aside to begin anew: recordings and "
        "model stay where they are"
    ),
    later("{what} is no code for a person: up to 32 letters, digits, - and _ are."),
    later("Keep names out of recordings; P01 will do."),
    later("--preset {name} is unknown; {there} in {folder}."),
    later("--save-preset {name} with a session's options makes it"),
    later("there are none so far"),
    later("there are {names}"),
    later("{what}: there is no such file"),
    later(
        "{path} was trained on features as EAV's authors released them (EEG filtered "
        "to 0.5-45 Hz over whole sessions, faces cropped by another tracker), and "
        "live windows are made otherwise; train on a cache that `eav-offline prepare` "
        "makes of recordings"
    ),
    later(
        "{name} is adapted to a person, whose modalities are averaged; take mean, or "
        "the model that it was made of"
    ),
    later("{name} has no AMBT to fuse by; take mean, or train all stages"),
    later(
        "{path}: unknown key {key}; {guess} Give --consent {file} with the lines "
        "person = {person}, by = {by} and agreed = true; or --person {code} "
        "--consent-by {initials}; or start in a terminal and answer there."
    ),
    later(
        "Give --consent {file} with the lines person = {person}, by = {by} and agreed "
        "= true; or --person {code} --consent-by {initials}; or start in a terminal "
        "and answer there."
    ),
    later("{path} does not say agreed = true. {how}"),
    later("{path} lacks person or by, both texts. {how}"),
    later("the person did not agree; nothing is recorded"),
    later("give --consent or --person with --consent-by"),
    later("{path} cannot be read ({error}). {how}"),
    later("nothing is recorded without consent. {how}"),
    later("--record {path}: give a name ending in .xdf"),
    later(
        "--record {path}: {there} is there already, and recordings are never "
        "overwritten; choose another name"
    ),
    later(
        "--record {path} cannot be written ({error}); choose a folder that may be "
        "written to, with room for about 200 MB an hour of EEG and sound and up to 10 "
        "GB an hour of video"
    ),
    later("nothing is being recorded, so the mark is kept nowhere; start first"),
    later("the session ends; nothing is recorded any more"),
    later("{name} is running; stop it"),
    later("{name} is running already"),
    later("nothing is being recorded; start it first"),
    later("{path} holds no recording; give FILE.xdf, or the folder it lies in"),
    later("{name} is computed in one way only; leave the backend as it is"),
    later(
        "{path} cannot be read as annotations ({error}): expected an object with "
        "{key}, a list of objects with {time_key} in seconds and {text_key}; mend the "
        "file or move it away"
    ),
    later(
        "{path} holds {number} recordings ({names}); name one FILE.xdf, or the folder "
        "of a subject in EAV layout"
    ),
    later("{path} cannot be shown: {why}"),
    later(
        "{path} holds no EEG, sound, frames, estimates or markers; give a recording "
        "of eav-live --record or of LabRecorder"
    ),
    later(
        "{name} runs at {rate} Hz; sound at {least} Hz or more was expected (0 means "
        "that the sender states no rate)."
    ),
    later(
        "{name} has an unknown sample format; float32, double64, int8, int16 or int32 "
        "was expected."
    ),
    later("{who} the PortAudio library ({error})."),
    *(later("the microphone needs"), later("sound needs"), later("clicks need")),
    later("On Debian or Ubuntu: sudo apt-get install libportaudio2."),
    later("Or use --audio none."),
    later("PortAudio lists no devices: {error}"),
    later(
        "{name} runs at {rate} Hz; up to {most} Hz are read, and nothing above 50 Hz "
        "is used. Lower the rate at the amplifier."
    ),
    later("{name} sends text; numbers were expected."),
    later(
        "{name} has {n} channels and [eeg] labels in {file} names {all}; they must "
        "agree."
    ),
    later(
        "{name} cannot be played ({error}); connect loudspeakers or headphones, and "
        "see that PortAudio is installed"
    ),
    later(
        "no loudspeaker opens ({error}). Connect one, or leave sound out with --audio "
        "none."
    ),
    later("no loudspeaker is there ({error}); connect one to hear the recording"),
    later("not connected"),
    later("{name} sends {n} channels and its header describes {all}; they must agree."),
    later(
        "{n} LSL streams of type {kind} match {name}: {names}. Give {handles}, or "
        "stop the others."
    ),
    later(
        "{n} LSL streams of type {kind} match {name}: {names}. Nothing tells them "
        "apart: stop the others."
    ),
    later("the sender no longer answers"),
    later("the sender is gone"),
    later("{name} is not of format int8; raw RGB bytes are."),
    later(
        "{name} sends {n} values a frame and states width {width} and height "
        "{height}; width x height x 3 was expected, both in the header's desc."
    ),
    later("{name} states format {colors}; RGB was expected."),
    later("{name} gave a frame that cannot be decoded"),
    later("stream {name} states no size of frames"),
    later(
        "{path} holds no EEG, sound or frames; give a recording of eav-live --record"
    ),
    later(
        "{path} has checkpoint format {found}, this version reads {expected}; train "
        "it again or use the version of eav-live that wrote it"
    ),
    later("{path}: its {key} metadata is no object"),
    later(
        "{path} was trained for {what}, this version has {expected}; train it again "
        "or use the version of eav-live that wrote it"
    ),
    later(
        "{path} describes itself in a way this version does not understand ({why}); "
        "train it again or use the version of eav-live that wrote it"
    ),
    later("{path} does not fit its own configuration: it {faults}. Train it again"),
    later("lacks {names}"),
    later("has the unknown {names}"),
    later("has of another shape or type {names}"),
    later("it {fault}"),
    later(
        "{model} was trained on windows prepared with {settings}, {data} has {found}; "
        "prepare the data that way"
    ),
    later("its configuration has {low} weights or more, the file {number}"),
    later("it fuses by AMBT and has none"),
    later("{name} is of {found} features, the model has {expected}"),
    later(
        "{path} is not a safetensors file or is damaged; expected the {name} that "
        "eav-offline train writes"
    ),
    later(
        "{path} is not a safetensors file or is damaged ({error}); expected the "
        "model.safetensors that eav-offline train writes"
    ),
    later(
        "{path} is a safetensors file, but not of eav-live: it lacks the {key} "
        "metadata; expected what eav-offline train writes"
    ),
    later("backend {backend} is not there on this computer; there are {names}"),
    later("approximation {name} is unknown; there are {names}"),
    later("{name}: approximations are for PyTorch's backends"),
    later("{name}: what runs along is not compiled"),
    later("its AMBT fuses {names} alone; only one of all three can be exported"),
    later(
        "the {kind} export differs from PyTorch by {difference} of a probability, "
        "more than {limit}; {advice}"
    ),
    later("the {name} part is the baseline {kind}; only transformers can be exported"),
    later(
        "{path} does not exist; give the folder of a training run, or the {file} in it"
    ),
    later(
        "{path} does not exist; give the folder of a training run, such as {example}, "
        "or the {file} in it"
    ),
    later("{path} is not a folder; give one that exists"),
    later(
        "{path} cannot be written: {there} is a file; give a folder, which may be new"
    ),
    later("{path} is a folder; give the file to be written"),
    later(
        "{path} cannot be written: {there} takes no new file or folder ({error}); "
        "give another folder"
    ),
    later(
        "no package that is installed offers {name} under {group}; install the one "
        "that does"
    ),
    later("{names} both offer {name} under {group}; uninstall one of them"),
    later("{package} offers {name} ({place}), which cannot be loaded: {kind}: {error}"),
    later(
        "{package} offers {name} ({place}), which is no {expected}; see "
        "docs/how-to/extend.md"
    ),
    later(
        "{path} is damaged: a chunk of {n} bytes claims {number} samples; copy the "
        "file again from where it was recorded"
    ),
    later(
        "{path} cannot be read as XDF ({kind}: {error}); it is damaged, so copy it "
        "again from where it was recorded"
    ),
    later("no length of 1, 4 or 8 bytes"),
    later("{path} cannot be read: {error}"),
    later(
        "{name} changed its rate ({hertz} Hz), and here there is only one; arrays() "
        "gives the samples with their times"
    ),
    later(
        "{name} pauses for {number} hours, which is more than can be filled; arrays() "
        "gives the samples with their times"
    ),
    later(
        "EEG stream {name} does not say which channel is which electrode ({labels}); "
        "recordings of eav-live --record do"
    ),
    later("{path} holds no audio samples"),
    later("{path} is not a readable media file: {error}"),
    later("{path} has no {kind} stream"),
    later(
        "nothing of this model can be adapted by these clips: they have {names}; "
        "expected a modality that one encoder with a linear head reads"
    ),
    later("nothing that it reads"),
    later(
        "this model is adapted to {person}, not to {other_person}; give the model "
        "that it was made of"
    ),
    later("{n} labeled clips of {person} were found, expected {least} or more"),
    later(
        "all clips of {person} show {emotion}; expected two emotions or more: what is "
        "common to all of them cannot be told from the person"
    ),
    later(
        "this model cannot be adapted without labels: its checkpoint does not say "
        "what the windows of its training people look like; train it again with this "
        "version"
    ),
    later(
        "{option}: there is no folder {folder}; correct the path, or make it: mkdir "
        "-p {path}"
    ),
    later("{what} cannot be written: {error}"),
    later(
        "the face detector needs facenet-pytorch's weights, which are not installed; "
        "run ./dev setup, or install facenet-pytorch"
    ),
    later(
        "the face detector's weights {path} cannot be used ({error}); install "
        "facenet-pytorch again"
    ),
    later(
        "{path} could not be written: {why}. Make room or choose another folder, and "
        "give the command again"
    ),
    later("{path} cannot be used: {why}. Choose another place, or mend this one"),
    later("the disk is full"),
    later("your share of the disk is full"),
    later("the file would be larger than is allowed here"),
    later("permission is denied"),
    later("it lies on a disk that can only be read"),
    later("a file stands where a folder is needed"),
    later("a folder stands where a file is needed"),
    later("the name is too long"),
    later("this needs {library}, which is not installed; {command} brings it"),
    later(
        "which EEG stream? Give --eeg-stream NAME (its name or the beginning of it), "
        "{otherwise}"
    ),
    later("--eeg-stream none, or try --demo"),
    later(
        "--participant-screen {screen}: there is {count}; connect another, or give "
        "--participant-screen window"
    ),
    later("{n} screen"),
    later("{n} screens"),
)
