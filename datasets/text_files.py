"""Reading of text files that editors and spreadsheets write, in whatever encoding they choose."""

import stat
from pathlib import Path

from datasets.errors import InputError


def require_regular(path: Path) -> None:
    """Raise `InputError` if the path is that of a folder, a pipe or a device; OSError if none."""
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
        raise InputError(f"{path}: cannot be read (not a regular file); name another")


def read_text(path: Path) -> str:
    """Read UTF-8, with or without a byte order mark, or UTF-16 with one.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        If it cannot be read or has another encoding; names the line.
    """
    try:
        require_regular(path)
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    if encoding == "utf-8-sig" and b"\0" in data:
        raise InputError(f"{path}: holds NUL bytes, so it is no UTF-8 text; save it as UTF-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}: line {line}: no UTF-8 (byte 0x{data[error.start]:02x}); save it as UTF-8"
        ) from error
