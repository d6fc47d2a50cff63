"""The elements that hold UIDs (VR UI), for files that do not tell: implicit little endian names no VR.

From DICOM PS3.6 (2025), chapters 6 and 9, without the group 0002 of the file's head, which is never implicit.
"""

from __future__ import annotations

_BY_GROUP = {
    0x0000: "0002 0003 1000 1001",
    0x0004: "1432 1510 1511 1512 151A",
    0x0008: "0014 0016 0017 0018 0019 001A 001B 0058 0062 010C 010D 0117 0118 040E 1150 1155 115A 1167 1195 "
    "3002 3010 3012 9123",
    0x0018: "1002 100B 2042 991E",
    0x0020: "000D 000E 0052 0200 0242 9161 9164 9312 9313",
    0x0028: "0304 1199 1214",
    0x0034: "0003",
    0x003A: "0310",
    0x0040: "0554 4023 A021 A022 A124 A171 A172 A402 DB0C DB0D E011 E030 E031",
    0x0044: "0102 0108",
    0x0062: "0021",
    0x0064: "0003",
    0x0068: "7004",
    0x006A: "0003",
    0x0070: "031A 031B 1101 1102 1209 1904",
    0x0072: "007F",
    0x0088: "0140",
    0x0400: "0010 0100 0510",
    0x3006: "0024 00C2",
    0x300A: "0013 0054 0083 0609 0650 0675 0700 0785",
    0x3010: "0006 000B 0013 0015 001F 0031 003B 0052 0053 006E 006F",
}

UID_ELEMENTS = frozenset(
    group << 16 | int(element, 16) for group, elements in _BY_GROUP.items() for element in elements.split()
)
