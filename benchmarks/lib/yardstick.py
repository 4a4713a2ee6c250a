"""Reads a CSV, JSONL or JSON file by Python's standard library: `yardstick.py format file prove|time`.

`prove` prints each row, `time` how long it took. The checksum is that of tally.mjs: of the first and the last cell.
"""

import csv
import json
import sys
import time


def rows_of(kind, path):
    if kind == "csv":
        with open(path, encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    elif kind == "jsonl":
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
    else:
        with open(path, encoding="utf-8") as file:
            yield from json.load(file)


def weigh(value):
    if isinstance(value, str):
        # As JavaScript counts: in units of UTF-16.
        return len(value) if value.isascii() else len(value.encode("utf-16-le")) // 2
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    return (int(value) + 2**31) % 2**32 - 2**31


def peak_bytes():
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    kind, path, mode = sys.argv[1:]
    if mode == "prove":
        for row in rows_of(kind, path):
            print(json.dumps({"row": row}))
        print(json.dumps({"measured": {}}))
        return
    count = 0
    checksum = 0
    first = last = None
    started, cpu_at_start = time.perf_counter(), time.process_time()
    for row in rows_of(kind, path):
        if count == 0:
            names = list(row)
            first, last = names[0], names[-1]
        count += 1
        checksum += weigh(row[first]) + weigh(row[last])
    measured = {
        "rows": count,
        "checksum": checksum,
        "ms": (time.perf_counter() - started) * 1000,
        "cpuMs": (time.process_time() - cpu_at_start) * 1000,
        "peakRss": peak_bytes(),
    }
    print(json.dumps({"measured": measured}))


main()
