"""Writers of files that are small and claim much: in pieces, so that no more than a megabyte is in memory."""
import gzip
import json
import struct
import zipfile

PIECE = 1 << 20
VCF_HEAD = b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def pieces(parts):
    """The bytes of (text, times) pairs, in pieces."""
    for text, times in parts:
        at_once = max(1, PIECE // max(1, len(text)))
        block = text * min(at_once, times)
        for _ in range(times // at_once):
            yield block
        yield text * (times % at_once)


def plain(path, *parts):
    with open(path, "wb") as out:
        for piece in pieces(parts):
            out.write(piece)
    return path


def packed(path, *parts):
    """The same, by gzip."""
    with gzip.GzipFile(path, "wb", compresslevel=6, mtime=0) as out:
        for piece in pieces(parts):
            out.write(piece)
    return path


def counted(path, lines, line, head=b"", pack=False):
    """A text of numbered lines: `line` is a format of one number."""
    opened = gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) if pack else open(path, "wb")
    with opened as out:
        out.write(head)
        for first in range(0, lines, 10000):
            numbers = range(first, min(lines, first + 10000))
            out.write("".join(line % number for number in numbers).encode())
    return path


def archive(path, entries, method=zipfile.ZIP_DEFLATED):
    """A zip archive of entries: a name, and (text, times) pairs."""
    with zipfile.ZipFile(path, "w", method, compresslevel=6) as out:
        for name, parts in entries.items():
            with out.open(zipfile.ZipInfo(name) if method == zipfile.ZIP_STORED else name, "w", force_zip64=False) as entry:
                for piece in pieces(parts):
                    entry.write(piece)
    return path


def torch(path, *pickle, storages=None, method=zipfile.ZIP_DEFLATED):
    """A file of torch.save with this pickle, and the bytes of storages by their names."""
    entries = {"archive/data.pkl": pickle, "archive/byteorder": [(b"little", 1)], "archive/version": [(b"3\n", 1)]}
    for name, parts in (storages or {}).items():
        entries[f"archive/data/{name}"] = parts
    return archive(path, entries, method)


def text(value):
    """The opcode of a text."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def whole(value):
    """The opcode of a whole number."""
    if 0 <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(8, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tensor(key, numbers, shape, stride):
    """The opcodes of a float32 tensor over a storage of so many numbers."""
    sizes = lambda values: b"(" + b"".join(map(whole, values)) + b"t"
    storage = (b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + whole(numbers) + b"tQ")
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + whole(0) + sizes(shape) + sizes(stride)
            + b"\x89ccollections\nOrderedDict\n)RtR")


def dictionary(**entries):
    """The opcodes of a dict, of values that are opcodes."""
    return b"}(" + b"".join(text(name) + value for name, value in entries.items()) + b"u"


def npy(path, shape, *parts, descr="<f4"):
    head = str({"descr": descr, "fortran_order": False, "shape": tuple(shape)}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return plain(path, (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head, 1), *parts)


def safetensors(path, header, *parts):
    data = header if isinstance(header, bytes) else json.dumps(header).encode()
    return plain(path, (struct.pack("<Q", len(data)) + data, 1), *parts)


# Thrift's compact protocol, as far as a footer of Parquet needs it.

def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def zigzag(value):
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def fields(**values):
    """A struct: fields f1, f2, … of kinds and bytes."""
    out, last = b"", 0
    for name, (kind, data) in values.items():
        number = int(name[1:])
        out += bytes([(number - last) << 4 | kind]) + data
        last = number
    return out + b"\0"


I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12


def number(kind, value):
    return kind, zigzag(value)


def name(value):
    return BINARY, varint(len(value)) + value


def items(kind, count, data=b""):
    """A list's head, and its items."""
    head = bytes([count << 4 | kind]) if count < 15 else bytes([0xf0 | kind]) + varint(count)
    return LIST, head + data


def column(label, kind=2):
    return fields(f1=number(I32, kind), f3=number(I32, 0), f4=name(label))


def parquet(path, footer, body=()):
    """A file of these pieces of a footer."""
    length = sum(len(data) * times for data, times in footer)
    return plain(path, (b"PAR1", 1), *body, *footer, (struct.pack("<I", length) + b"PAR1", 1))
