"""Public classifiers of faces and voices, as a checkpoint of this program."""
