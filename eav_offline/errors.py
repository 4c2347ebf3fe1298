"""The error that means: the input is at fault, and the message says what to do."""


class InputRefused(Exception):
    """A file, stream, setting or device that cannot be used as it is.

    The message gives what was found, what was expected and what to do. Programs print
    it without a traceback and exit with status 2.
    """
