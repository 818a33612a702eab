"""Whether a file is whole: every block read, every byte between blocks accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuiapp.errors import SessionError
from tuiapp.events import Frame, Kind
from tuiapp.session.columns import Session
from tuiapp.session.decoder import Decoder
from tuiapp.session.file import SessionFile
from tuiapp.session.frames import OVERHEAD, Header, header_at, is_whole, unpack
from tuiapp.session.identity import Identity
from tuiapp.session.index import Block
from tuiapp.session.validity import MAX_NS

_CHUNK = 1 << 20
_SEQUENCES = 1 << 32
_REPEATED = "it stands there a second time"


@dataclass(frozen=True, slots=True)
class Lost:
    """Something of a file that cannot be read.

    Attributes:
        t0_ns, t1_ns: the moments between which it lies.
        offset, length: its bytes; none where only sequence numbers are missing.
        frames: blocks lost; 0 when nobody can tell.
        kind: of what, as far as a header still says so; None when it does not.
        reason: what is wrong with it.
    """

    t0_ns: int
    t1_ns: int
    offset: int
    length: int
    frames: int
    kind: int | None
    reason: str

    @property
    def what(self) -> str:
        """``TOKENS``, ``blocks``: what was lost, in a word."""
        return "blocks" if self.kind is None else kind_name(self.kind)

    @property
    def is_repeated(self) -> bool:
        """Nothing is lost with it: the same stands there before."""
        return self.reason == _REPEATED

    def as_gap(self) -> Frame:
        """The same as rows of a session say it."""
        attrs = {"reason": f"damaged file: {self.reason}", "frames": max(self.frames, 1)}
        return Frame(Kind.GAP, self.t0_ns, max(self.t0_ns, self.t1_ns), {}, attrs)


@dataclass(frozen=True, slots=True)
class Whole:
    """A block whose checksum holds."""

    block: Block
    data: bytes

    def frame(self) -> Frame | None:
        """Its rows; None when they make no sense to this version."""
        try:
            return unpack(self.data)
        except SessionError:
            return None


@dataclass(slots=True)
class Verdict:
    """What is left of a file, and whom it tells of.

    Attributes:
        frames: whole blocks.
        indexed: it was closed in order.
        growing: it is being recorded now.
        lost: what cannot be read, in the order of the file.
        torn_bytes: the unfinished tail that a crash left.
        gaps: attrs of the GAP frames: what was lost while recording, or before a copy was made.
        identifying: what tells whose recording it is, by sort.
    """

    path: Path
    size: int
    version: tuple[int, int]
    indexed: bool
    growing: bool
    frames: int = 0
    torn_bytes: int = 0
    lost: list[Lost] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    identifying: dict[str, list[str]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Nothing of what was written is missing."""
        return not self.lost and (self.growing or not self.torn_bytes)

    @property
    def missing_frames(self) -> int:
        """Blocks that were written and cannot be read, as far as they can be counted."""
        return sum(lost.frames for lost in self.lost)


def verify(path: Path) -> Verdict:
    """Read the whole file at ``path``.

    Raises:
        SessionError: it cannot be opened, is no session, or is of a newer major version.
    """
    with SessionFile(path) as file:
        verdict = Verdict(path, file.size, file.version, file.indexed, file.is_growing)
        identity, sense = Identity(), Sense()
        for found in walk(file):
            if isinstance(found, Lost):
                verdict.lost.append(found)
                continue
            frame = found.frame()
            if frame is None or not sense.has(frame):
                verdict.lost.append(senseless(found))
                continue
            verdict.frames += 1
            identity.see(frame)
            if frame.kind == Kind.GAP:
                span = {"t0_ns": frame.t0_ns, "t1_ns": frame.t1_ns}
                verdict.gaps.append({**frame.attrs, **span})
        verdict.torn_bytes = torn_bytes(file)
    verdict.identifying = identity.found()
    return verdict


class Sense:
    """Whether blocks can be believed, each beside those before it."""

    def __init__(self) -> None:
        self._session = Session()

    def has(self, frame: Frame) -> bool:
        """Whoever opens the file will not leave it out."""
        rejected = self._session.rejected
        self._session.fold(frame)
        return self._session.rejected == rejected


def torn_bytes(file: SessionFile) -> int:
    """Bytes of the unfinished tail that a crash left."""
    return 0 if file.indexed else file.report.torn_bytes


def kind_name(kind: int) -> str:
    """``TOKENS``; ``kind 77`` for one of a later version."""
    return Kind(kind).name if kind in Kind.__members__.values() else f"kind {kind}"


def senseless(found: Whole) -> Lost:
    """A block whose checksum holds and whose contents this version cannot read."""
    block = found.block
    t0_ns, t1_ns = (t_ns if 0 <= t_ns < MAX_NS else 0 for t_ns in (block.t0_ns, block.t1_ns))
    return Lost(t0_ns, t1_ns, block.offset, block.length, 1, block.kind, "makes no sense")


def walk(file: SessionFile) -> Iterator[Whole | Lost]:
    """Every block of the file in its order, and between them what cannot be read.

    INDEX blocks and trailers are passed over; of the torn tail tells ``torn_bytes``.
    """
    walker = _Walker(file)
    for row in range(len(file.index)):
        block = file.index.block(row)
        yield from walker.between(block.offset, block)
        yield walker.at_block(block)
    yield from walker.between(file.size - torn_bytes(file), None)


class _Walker:
    """Where the walk is: next byte, newest sequence number and moment."""

    def __init__(self, file: SessionFile) -> None:
        self._file = file
        self._at = file.start
        self._seq = -1
        self._t_ns = 0
        self._sync = _sync(file)

    def at_block(self, block: Block) -> Whole | Lost:
        self._at = max(self._at, block.end)
        if not self._is_next(block.seq):
            return self._repeated(block)
        self._seq, self._t_ns = block.seq, block.t1_ns
        data = self._file.raw(block.offset, block.length)
        header = header_at(data, 0) if len(data) >= OVERHEAD else None
        fits = header is not None and header.size == len(data) and header.kind == block.kind
        if fits and is_whole(data):
            return Whole(block, data)
        span = (block.t0_ns, block.t1_ns, block.offset, block.length)
        return Lost(*span, 1, block.kind, "its checksum does not hold")

    def _is_next(self, seq: int) -> bool:
        return 0 < (seq - self._seq) % _SEQUENCES < _SEQUENCES // 2

    def _repeated(self, block: Block) -> Lost:
        span = (block.t0_ns, block.t1_ns, block.offset, block.length)
        return Lost(*span, 0, block.kind, _REPEATED)

    def between(self, end: int, following: Block | None) -> Iterator[Whole | Lost]:
        """What stands between the newest block and byte ``end``, where ``following`` begins."""
        start, before_ns = self._at, self._t_ns
        decoder = Decoder(self._sync, bodies=False, offset=start)
        if end > start:
            yield from self._hidden(decoder, start, end)
        skipped = decoder.damage.skipped_bytes
        missing = 0
        if following is not None:
            missing = (following.seq - self._seq - 1) % _SEQUENCES
            missing = missing if missing < _SEQUENCES // 2 else 0
        if not (skipped or missing):
            return
        header = self._header(start) if skipped else None
        t1_ns = following.t0_ns if following is not None else before_ns
        reason = "damaged bytes" if skipped else "sequence numbers are missing"
        kind = None if header is None else header.kind
        yield Lost(before_ns, max(before_ns, t1_ns), start, skipped, missing, kind, reason)

    def _hidden(self, decoder: Decoder, start: int, end: int) -> Iterator[Whole | Lost]:
        """Whole blocks that the index does not list; INDEX itself only counts."""
        for at in range(start, end, _CHUNK):
            for _ in decoder.feed(self._file.raw(at, min(_CHUNK, end - at))):
                yield from self._hidden_block(decoder)
        for _ in decoder.finish():
            yield from self._hidden_block(decoder)

    def _hidden_block(self, decoder: Decoder) -> Iterator[Whole | Lost]:
        header = decoder.header
        assert header is not None
        spans = (header.t0_ns, header.t1_ns, header.rows)
        block = Block(decoder.offset, header.size, header.kind, header.seq, *spans)
        if not self._is_next(header.seq):
            yield self._repeated(block)
            return
        self._seq = header.seq
        if header.kind != Kind.INDEX:
            self._t_ns = block.t1_ns
            yield Whole(block, self._file.raw(block.offset, block.length))

    def _header(self, start: int) -> Header | None:
        """What a damaged block's header says, where it begins as one of this file."""
        data = self._file.raw(start, OVERHEAD)
        header = header_at(data, 0) if len(data) == OVERHEAD else None
        return header if header is not None and header.sync == self._sync else None


def _sync(file: SessionFile) -> bytes | None:
    """The sync word of the file's blocks; None without any."""
    for row in range(len(file.index)):
        block = file.index.block(row)
        header = header_at(file.raw(block.offset, OVERHEAD).ljust(OVERHEAD, b"\0"), 0)
        if header is not None and header.kind == block.kind and header.seq == block.seq:
            return header.sync
    return None
