"""Extracts chosen members of a wheel: extract_wheel.py WHEEL DESTINATION PREFIX=TARGET...

A member whose name starts with PREFIX is written to DESTINATION/TARGET + the rest of its name, with its permissions
as far as the umask allows.
Prints the extracted bytes. Uses only the standard library: it runs before anything is installed.
"""

import os
import shutil
import sys
import zipfile


def main(wheel, destination, rules):
    pairs = [rule.split("=", 1) for rule in rules]
    total = 0
    umask = os.umask(0)
    os.umask(umask)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            for prefix, target in pairs:
                if not member.filename.startswith(prefix):
                    continue
                path = os.path.normpath(os.path.join(destination, target + member.filename[len(prefix):]))
                if not path.startswith(os.path.abspath(destination) + os.sep):
                    sys.exit("the wheel names a path outside its folder: " + member.filename)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with archive.open(member) as source, open(path, "wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                mode = (member.external_attr >> 16) & 0o777
                os.chmod(path, (mode | 0o600 if mode else 0o644) & ~umask)
                total += member.file_size
                break
    if total == 0:
        sys.exit("nothing in " + wheel + " starts with " + ", ".join(pair[0] for pair in pairs))
    print(total)


main(sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3:])
