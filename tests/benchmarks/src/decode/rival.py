"""Parses a recording once for each line of input: `rival.py XTCE PACKETS`."""

import json
import sys
import time

import space_packet_parser as spp

definition = spp.load_xtce(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    recording = file.read()


def parse():
    """As its documentation says; parse_bytes reads all parameters."""
    packets = values = 0
    for packet_bytes in spp.ccsds_generator(recording):
        packet = definition.parse_bytes(packet_bytes)
        packets += 1
        values += len(packet)
    return packets, values


def checksum():
    total = 0.0
    for packet_bytes in spp.ccsds_generator(recording):
        for value in definition.parse_bytes(packet_bytes).values():
            total += float(value.raw_value)
    return total


total = checksum()
for _ in sys.stdin:
    begun = time.thread_time()
    packets, values = parse()
    seconds = time.thread_time() - begun
    print(json.dumps({"packets": packets, "values": values, "sum": total, "seconds": seconds}), flush=True)
