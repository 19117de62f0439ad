"""Names that become files or folders: one rule, which holds on every system."""

import re
from typing import Annotated

import msgspec

from datasets.errors import InputError

LONGEST = 200
"""Bytes of a name, which gets an ending; file systems allow 255."""

_DEVICES = r"con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]"
_CONTROL = (
    r"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
)
_PATTERN = rf"\A(?!(?i:{_DEVICES})(?:\.|\Z))[^{_CONTROL}/\\<>:\"|?*]+(?<![. ])\Z"

FileName = Annotated[str, msgspec.Meta(pattern=_PATTERN, max_length=LONGEST)]
"""A name that may become part of a path, for it stays in its folder."""

RULE = (
    'no control characters, none of / \\ < > : " | ? *, no dot or space at its end, no device of '
    "Windows such as CON"
)


def require_file_name(name: str, what: str, remedy: str, longest: int = LONGEST) -> None:
    """Refuse a name that cannot be a folder's or file's on every system.

    Parameters
    ----------
    name : str
        The name.
    what : str
        Whose it is, such as ``a dataset``, for the message.
    remedy : str
        What to do, to end the message with.
    longest : int
        Bytes that it may have.

    Raises
    ------
    InputError
        If it is none.
    """
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > longest:
        raise InputError(
            f"{name[:20]!r}… is no name for {what}: {size} bytes, at most {longest} are; {remedy}"
        )
    if not re.search(_PATTERN, name):
        raise InputError(f"{name!r} is no name for {what} ({RULE}); {remedy}")
