"""Files whose pixels are whole though something beside them is damaged."""

from collections.abc import Iterator

from datasets.decoding import heif, jpeg, png, tiff

MOST_BYTES = 2**29
"""Size of the largest file that is mended: it is copied in memory."""


def without_metadata(data: bytes) -> bytes:
    """Copy a picture without the metadata that cannot be right.

    Parameters
    ----------
    data : bytes
        A whole file.

    Returns
    -------
    bytes
        A file of the same pixels; the same file, if its format has no such metadata.
    """
    if data.startswith(png.BEGIN):
        return png.without_metadata(data)
    if data.startswith(jpeg.BEGIN):
        return jpeg.without_metadata(data)
    if data.startswith(tiff.BEGIN):
        return tiff.without_metadata(data)
    if data.startswith(b"ftyp", 4):
        return heif.without_metadata(data)
    return data


def repairs(data: bytes) -> Iterator[tuple[bytes, str]]:
    """Files that hold the same pixels as one that cannot be decoded, with a remark on each.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    try:
        bare = without_metadata(data)
        if bare != data:
            yield bare, "its metadata are damaged and left out"
        ended = jpeg.completed(bare) if data.startswith(jpeg.BEGIN) else None
    except Exception:  # decoders raise whatever they like: then it cannot be told
        return
    if ended is not None:
        yield ended, "its end is missing, its pixels are not"
