# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults: kernels that are wrong in one line of fs/aio.c, as ci/kernel/faults.tsv lists them."""
import csv
import dataclasses
import pathlib
import re

TABLE = pathlib.Path(__file__).resolve().parent / "faults.tsv"


class FaultError(Exception):
    """A fault that is not there, or that does not fit the source."""


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    function: str  # as its definition begins, before the bracket; of a system call SYSCALL_DEFINE3(io_submit
    line: str      # a part of one line of it, which it has once
    becomes: str   # what stands there instead
    effect: str    # what a user sees

    def applied(self, source):
        """The text of fs/aio.c with this fault in it."""
        begin, end = self.body(source)
        body = source[begin:end]
        if body.count(self.line) != 1:
            raise FaultError(f"fault {self.name}: {self.function} has '{self.line}' {body.count(self.line)} times, not once")
        return source[:begin] + body.replace(self.line, self.becomes) + source[end:]

    def body(self, source):
        behind = r"\b" if "(" in self.function else r"\("
        start = rf"^(?:[a-z][\w \*]*[ \*])?{re.escape(self.function)}{behind}[^;{{}}]*\n{{\n"
        found = list(re.finditer(start, source, re.MULTILINE))
        if len(found) != 1:
            raise FaultError(f"fault {self.name}: fs/aio.c defines {self.function} {len(found)} times, not once")
        return found[0].end(), source.index("\n}\n", found[0].end())


def read_faults(path=TABLE):
    """By name, in their order."""
    with open(path, newline="") as table:
        rows = list(csv.reader(table, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    faults = {}
    for number, row in enumerate(rows, 2):
        if len(row) != len(dataclasses.fields(Fault)):
            raise FaultError(f"{path}:{number} has {len(row)} fields, not {len(dataclasses.fields(Fault))}")
        if row[0] in faults:
            raise FaultError(f"{path}:{number}: there are two faults {row[0]}")
        faults[row[0]] = Fault(*row)
    return faults


def read_reasons(path=TABLE.parent / "not_found.tsv"):
    """Why the default run does not find some: by name, the suite that does (or nothing) and the reason."""
    with open(path, newline="") as table:
        rows = list(csv.reader(table, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return {name: (suite, reason) for name, suite, reason in rows}
