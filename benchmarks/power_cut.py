"""A power cut, as near as one gets without pulling the plug: what was not flushed to the disk is lost.

A small library in front of the system's keeps a copy of each SQLite file as it was at its latest flush. It needs a C
compiler and a dynamic loader that honours `LD_PRELOAD`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_KEPT = ".flushed"
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The file as it is now, under another name; whole or not at all. */
static void keep(int fd) {
    char link[64], name[4096], fresh[4200], kept[4200], piece[1 << 16];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    if (n <= 0) return;
    name[n] = 0;
    if (!strstr(name, ".db")) return;
    snprintf(fresh, sizeof fresh, "%s.fresh", name);
    snprintf(kept, sizeof kept, "%s.flushed", name);
    int out = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0) return;
    off_t at = 0;
    while ((n = pread(fd, piece, sizeof piece, at)) > 0) {
        if (write(out, piece, n) != n) break;
        at += n;
    }
    close(out);
    if (n == 0) rename(fresh, kept);
}

int fsync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    int done = real(fd);
    if (!done) keep(fd);
    return done;
}

int fdatasync(int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int done = real(fd);
    if (!done) keep(fd);
    return done;
}
"""


def compiler() -> str | None:
    """Where the C compiler is, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def build(folder: Path) -> Path:
    """The library, for `LD_PRELOAD`."""
    source, library = folder / "flushed.c", folder / "flushed.so"
    source.write_text(_SOURCE, "utf-8")
    subprocess.run([compiler() or "cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def begin(database: Path) -> None:
    """What is there now is on the disk."""
    for file in database.parent.glob(f"{database.name}*"):
        shutil.copyfile(file, file.with_name(file.name + _KEPT))


def lose(database: Path) -> None:
    """The power is back: of a SQLite database there is what had been flushed, and no shared memory."""
    for name in (database.name, f"{database.name}-wal"):
        file = database.with_name(name)
        kept = file.with_name(name + _KEPT)
        if kept.exists():
            shutil.copyfile(kept, file)
        elif name != database.name:
            file.unlink(missing_ok=True)
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
