"""Errors of the user's input, told in one line."""


class InputError(ValueError):
    """Bad input: the message names the file or option and the remedy.

    Commands print the message and leave with exit code 2, without a traceback.
    """


class UnreadableImageError(ValueError):
    """A file that is no readable picture; the message says why.

    It becomes a row in the table of image problems, never a crash.
    """
