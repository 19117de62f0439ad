"""Errors in the user's input, each told in one line."""


class InputError(ValueError):
    """Bad input: the message names the file or option and the remedy.

    Commands print the message and leave with exit code 2, without a traceback.
    """


class DamagedError(InputError):
    """A file was read, and it does not hold what it must.

    A file that cannot be read (no permission, a broken disk) is never called damaged.
    """


class UnreadableImageError(ValueError):
    """A file that is no readable picture; the message says why.

    It becomes a row in the table of image problems, never a crash.
    """


class UnopenedError(UnreadableImageError):
    """A file that cannot be opened, or is another by now: this says nothing of the picture."""


class OtherFormatError(UnreadableImageError):
    """A picture, film or document in a known format that is not read here."""


class NoPictureError(UnreadableImageError):
    """A file that is no picture and does not look like one, such as a text beside pictures."""
