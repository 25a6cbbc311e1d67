"""A checksum inside a Parquet file that covers every byte of it.

Parquet's own page checksums leave the headers and the footer open, where one flipped bit
can change a type, a length or a label. Here the footer holds the SHA-256 of the whole
file, taken while the place of the digest itself was filled with zeros.
"""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

KEY = "bakeoff-sha256"
BLANK = "0" * 64

# In Thrift's compact protocol the key is followed by the header of the next field (0x18:
# a string) and the length of the value (0x40: 64 bytes).
_MARK = KEY.encode() + b"\x18\x40"
_BLOCK = 1 << 20


def seal(path: Path) -> None:
    """Replace the BLANK that the file's footer holds under KEY by the file's digest."""
    with path.open("rb+") as file:
        place = _place(file)
        if place is None:
            raise ValueError(f"{path}: no place for a checksum in the footer")
        digest = _digest(file, place)
        file.seek(place)
        file.write(digest.encode())


def stated(path: Path) -> str | None:
    """The checksum that a sealed file states of itself, unchecked; None if not sealed."""
    with path.open("rb") as file:
        place = _place(file)
        if place is None:
            return None
        file.seek(place)
        return file.read(len(BLANK)).decode("ascii", "replace")


def is_whole(path: Path) -> bool:
    """Whether every byte is as written; False where the file was never sealed.

    Raises ValueError where the checksum does not match, OSError where the file cannot
    be read.
    """
    with path.open("rb") as file:
        place = _place(file)
        if place is None:
            return False
        file.seek(place)
        if file.read(len(BLANK)) != _digest(file, place).encode():
            raise ValueError("its checksum does not match")
    return True


def _place(file: BinaryIO) -> int | None:
    """Where the digest stands; None in what is no sealed Parquet file.

    A Parquet file ends in the footer, its length (4 bytes, little endian) and PAR1.
    """
    size = file.seek(0, os.SEEK_END)
    if size < 12:
        return None
    file.seek(size - 8)
    end = file.read(8)
    start = size - 8 - int.from_bytes(end[:4], "little")
    if end[4:] != b"PAR1" or start < 4:
        return None
    file.seek(start)
    found = file.read(size - 8 - start).rfind(_MARK)
    place = start + found + len(_MARK)
    return place if found >= 0 and place + len(BLANK) <= size - 8 else None


def _digest(file: BinaryIO, place: int) -> str:
    """SHA-256 of the file with zeros at `place`."""
    digest = hashlib.sha256()
    file.seek(0)
    left = place
    while left and (block := file.read(min(left, _BLOCK))):
        digest.update(block)
        left -= len(block)
    digest.update(BLANK.encode())
    file.seek(place + len(BLANK))
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
