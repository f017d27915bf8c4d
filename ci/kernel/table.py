# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/kernel-faults.md: which faults are found, and after how long."""

LONGEST_S = 60

HEAD = """# Faults in a real kernel that the run finds, and those that it does not

Lies (`aio-cts list lies`) are told by a layer before the kernel. The kernels here are wrong themselves: each is
Debian's Linux {kernel} with one line of `fs/aio.c` changed, of the kind that a bad patch makes. The lines were chosen
before any of them was tried. They are in `ci/kernel/faults.tsv`.

Found are **{found} of {tried}** ({percent:.0f} %) within {longest} s of run time each, and {late} later: by generated programs,
seed 1, without suites, on 2 CPUs in a virtual machine{accel}, on {date}. Half of those that are found are found within
{median:.1f} s. How much a minute is depends on what else the host does: of the runs of half a minute or more the
slowest made {slowest:.0f} programs a second, the fastest {fastest:.0f}.

A first try of 73 of them found 58. Since then threads that wait for each other have their part in each minute, and programs
look at the signal mask after io_pgetevents, at the place of a ring after io_destroy, and at an eventfd that no flag asks for.

```sh
ci/kernels build faults
ci/kernel/try_faults
ci/kernel/try_faults --table
```

The seconds are those of the run until the programs stopped for the first divergence, without boot and minimizing. Where the kernel
died, they are those from the end of the boot until that was noticed. That includes 3 s in which it may say its last words,
or 45 s of silence where it says none.

| fault | function | the line | becomes | what a user sees | seconds | found by |
|---|---|---|---|---|---|---|
"""

TAIL = """
## Those that were not found in that time

| fault | found by the suites | why programs do not find it |
|---|---|---|
"""


def code(text):
    return "`" + text.replace("|", "\\|") + "`"


def function_name(fault):
    return fault.function if "(" not in fault.function else fault.function + ")"


def outcome(result):
    if result is None:
        return "", "not tried"
    if not result["found"]:
        return "", "**not found**"
    how = code(result["requirement"]) + (", the kernel dies" if result.get("died") else "")
    return f"{result['seconds']:.1f}", how


def in_time(result):
    return result["found"] and result["seconds"] <= LONGEST_S


def row(fault, result):
    seconds, how = outcome(result)
    cells = [code(fault.name), code(function_name(fault)), code(fault.line), code(fault.becomes), fault.effect, seconds, how]
    return "| " + " | ".join(cells) + " |\n"


def kernel_faults_page(faults, results, reasons):
    found = [result for result in results.values() if in_time(result)]
    late = sum(1 for result in results.values() if result["found"]) - len(found)
    seconds = sorted(result["seconds"] for result in results.values() if result["found"])
    paces = [each["programs"] / each["seconds"] for each in results.values() if each["seconds"] >= 30 and each.get("programs")]
    some = next(iter(results.values()))
    text = HEAD.format(
        kernel=next(result["kernel"] for result in results.values() if result.get("kernel")), found=len(found), tried=len(results),
        percent=100 * len(found) / len(results), longest=LONGEST_S, late=late, slowest=min(paces, default=0), fastest=max(paces, default=0), median=seconds[len(seconds) // 2] if seconds else 0,
        accel=" that is emulated (TCG)" if some["emulated"] else "", date=max(r["machine"]["date"] for r in results.values()))
    text += "".join(row(fault, results.get(fault.name)) for fault in faults)
    missed = [fault for fault in faults if fault.name in results and not in_time(results[fault.name])]
    if missed:
        text += TAIL
    for fault in missed:
        suite, reason = reasons.get(fault.name, ("", "**no reason is known**"))
        text += f"| {code(fault.name)} | {suite or 'no'} | {reason} |\n"
    return text
