"""Damage that disks and power cuts do to the content of files."""


def flipped(content: bytes, place: float = 0.5) -> bytes:
    """One bit of a byte changed, at a share of the whole."""
    where = int(len(content) * place)
    return content[:where] + bytes([content[where] ^ 16]) + content[where + 1 :]


DAMAGES = {
    "flipped": flipped,
    "cut": lambda content: content[: len(content) // 3],
    "empty": lambda _: b"",
    "zeros": lambda content: bytes(len(content)),
}
