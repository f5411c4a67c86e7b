"""Recomputes the root of a ledger from its entries, with Python and nothing else: python3 ledger_root.py DIR

DIR has `checkpoint` and `tile/entries/`, as https://c2sp.org/tlog-tiles lays them out. Prints size and root, and exits 0 if
they are the checkpoint's. The signature is not checked here.
"""
import base64, hashlib, pathlib, sys

def bundle(directory, index, width):
    """The first `width` entries of a bundle; a full one may stand in for a partial one."""
    digits = str(index).zfill((len(str(index)) + 2) // 3 * 3)
    groups = [digits[at:at + 3] for at in range(0, len(digits), 3)]
    full = directory / "tile/entries" / "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    partial = full.with_name(full.name + ".p") / str(width)
    left, entries = (partial if width < 256 and partial.exists() else full).read_bytes(), []
    while left:
        end = 2 + int.from_bytes(left[:2], "big")
        if len(left) < end:
            sys.exit(f"bundle {index} ends within entry {len(entries)}")
        entries.append(left[2:end])
        left = left[end:]
    if len(entries) < width:
        sys.exit(f"bundle {index} has {len(entries)} entries and not {width}")
    return entries[:width]

def root(leaves):
    """RFC 6962, section 2.1, over the hashes of leaves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:middle]) + root(leaves[middle:])).digest()

directory = pathlib.Path(sys.argv[1])
origin, size, expected = (directory / "checkpoint").read_text().split("\n")[:3]
leaves = []
for index in range((int(size) + 255) // 256):
    entries = bundle(directory, index, min(256, int(size) - 256 * index))
    leaves += [hashlib.sha256(b"\0" + entry).digest() for entry in entries]
found = base64.b64encode(root(leaves)).decode()
print(size, found, "is" if found == expected else "is NOT", "the root of the checkpoint of", origin)
sys.exit(found != expected)
