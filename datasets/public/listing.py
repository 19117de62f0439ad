"""Public sets in words: for ``--list``, and the page that tells their facts."""

from collections.abc import Iterator, Sequence

from datasets.fetching.archive import Archive
from datasets.fetching.progress import megabytes
from datasets.places import fetched
from datasets.protocols import Protocol
from datasets.public.public_set import About, PublicSet

_HEAD = """\
# Public sets

The field's own sets, each by its name: `python -m benchmarks.run --all --dataset roxford5k`. A set
that is not there is brought by `python -m datasets.fetch NAME`, which shows its terms and asks; a
copy that you have is `--dataset NAME=PATH`. Nothing is downloaded unless you ask for it.

**Not verified from here.** No server of these sets was reached when this was written: addresses,
sizes and sums are those that well-known public loaders have, DOIs and addresses of pages are
partly from memory, and readers of layouts were tried on small archives in the true layout, not
on the sets themselves, but for Corel-1000 and parts of PACS. The ground truth of revisited
Oxford and Paris is the authors'. A run counts what it finds, and says where that differs from
the published protocol. An archive without a published sum is taken as it comes the first time;
its sum, noted in `NAME.fetched.json`, is asked for the next time.

This page is made of the metadata in `public/`, by `python -m datasets.fetch --page`.

| name | set | pictures | archives | terms | sum known |
| --- | --- | ---: | ---: | --- | --- |
"""

_LEFT_OUT = """\
## Left out

Facts were missing or licences unclear for the zero-shot protocols of TU-Berlin and
QuickDraw-Extended, the rotated Holidays, and the protocols of cross-domain retrieval on PACS and
Office-Home, which vary by paper. Numbers that were only recalled are not shown.
"""


def list_line(source: PublicSet) -> str:
    """Size, pictures, licence and place of a set, in a line."""
    about = source.about
    folder = fetched(source.name)
    place = f"in {folder}" if folder else "not here"
    if not folder and about.by_hand:
        place += ", to be had by hand"
    return f"{size(about)}, {about.pictures:,} pictures; {source.licence}; {place}"


def size(about: About) -> str:
    """Bytes of a set's archives, for people."""
    if about.size is not None:
        return megabytes(about.size)
    known = sum(one.size or 0 for one in about.archives)
    return f"more than {megabytes(known)}" if known > 10**8 else "size unknown"


def page(sources: Sequence[PublicSet]) -> str:
    """The page about all sets, in Markdown."""
    lines = [_HEAD.rstrip("\n")]
    for one in sources:
        about = one.about
        sums = f"{sum(a.has_sum for a in about.archives)} of {len(about.archives)}"
        terms = one.licence.partition(";")[0]
        row = (f"`{one.name}`", about.title, f"{about.pictures:,}", size(about), terms, sums)
        lines.append(f"| {' | '.join(row)} |")
    for one in sources:
        lines += ["", *_section(one)]
    return "\n".join([*lines, "", _LEFT_OUT.rstrip("\n")]) + "\n"


def _section(source: PublicSet) -> Iterator[str]:
    about = source.about
    yield f"## {source.name}"
    yield ""
    yield f"{_sentence(source.summary)} {about.reference}. Page and terms: <{about.page}>."
    if about.by_hand:
        yield f"To be had by hand: {about.by_hand}."
    yield ""
    yield from _archives(about.archives)
    if source.protocols:
        yield from _protocol(list(source.protocols.values()))
    else:
        yield "- *protocol*: this suite's own, see [the layout](README.md)"
    if about.unverified:
        yield ""
        yield about.unverified


def _protocol(protocols: Sequence[Protocol]) -> Iterator[str]:
    """A set's protocol; several of one set are its levels."""
    protocol = protocols[0]
    yield f"- *protocol*: {'; '.join(one.name for one in protocols)}"
    yield f"- asks: {protocol.queries}; searched: {protocol.gallery}"
    if len(protocols) > 1:
        yield "- relevant and junk: by level, as the ground truth judges"
    else:
        yield f"- relevant: {protocol.relevant}; takes no part: {protocol.junk}"
    metrics = ", ".join(f"`{name}`" for name in protocol.metrics)
    yield f"- metrics: {metrics}. {_sentence(protocol.denominators)}"
    yield f"- source: {protocol.source}"


def _archives(archives: Sequence[Archive], most: int = 6) -> Iterator[str]:
    for one in archives[:most]:
        facts = [f"{one.size:,} bytes" if one.size else "size unknown"]
        facts += [f"sha256 `{one.sha256}`"] if one.sha256 else []
        facts += [f"md5 `{one.md5}`"] if one.md5 and not one.sha256 else []
        facts += [] if one.has_sum else ["no sum"]
        facts += [f"<{address}>" for address in one.addresses]
        yield f"- {one.file}: {', '.join(facts)}"
    if len(archives) > most:
        yield f"- … {len(archives) - most} more like the last"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
