"""Does what `fallocate -c` and `fallocate -p` do, for as long as it is asked: a line in, a line out."""
import ctypes
import os
import sys

KEEP_SIZE, PUNCH_HOLE, COLLAPSE_RANGE = 1, 2, 8
MODES = {'-c': COLLAPSE_RANGE, '-p': PUNCH_HOLE | KEEP_SIZE}

libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]

for line in sys.stdin:
    how, offset, length, path = line.split()
    fd = os.open(path, os.O_WRONLY)
    refused = libc.fallocate(fd, MODES[how], int(offset), int(length)) != 0
    os.close(fd)
    print(os.strerror(ctypes.get_errno()) if refused else '', flush=True)
