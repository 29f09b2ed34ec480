"""Reads acting logs and computes from them who acted when, and whether two ever did at once.

A line is `BOOT_NS EVENT TERM UNTIL_NS NODE PID [KEY=VALUE...]`. From a `begin` or `extend` on the
node may act until UNTIL_NS or until the next line of its process, whichever is first. Events and
pairs that are not known are passed over, so that later releases may write more.
"""

from collections import namedtuple

Line = namedtuple("Line", "at event term until node pid pairs")
Window = namedtuple("Window", "start end node term pid")
Overlap = namedtuple("Overlap", "start end one other")


class Evidence:
    """What some logs say: windows of acting, and everything that speaks against the logs."""

    def __init__(self):
        self.windows, self.doubts, self.begins, self.boots = [], [], [], set()

    def read(self, name, text):
        """Adds one log, which one node wrote, perhaps in many processes."""
        lines = []
        for number, raw in enumerate(text.splitlines(), 1):
            if not raw.strip():
                continue
            line = parse(raw)
            if line:
                lines.append(line)
            else:
                self.doubts.append(f"{name}:{number}: not a whole line: {raw[:60]!r}")
        for line in lines:
            if line.event == "open":
                self.boots.add(line.pairs.get("boot", "unknown"))
            elif line.event == "lost":
                self.doubts.append(f"{name}: {line.node} lost {line.pairs.get('count')} lines")
            elif line.event == "begin":
                self.begins.append(line)
        for process in processes(lines):
            self.windows += windows(process)
        self.windows.sort()

    def judge(self):
        """Everything that must not be, as sentences; empty if all is well."""
        wrong = [tell_overlap(overlap) for overlap in self.overlaps()]
        wrong += terms_that_do_not_rise(self.begins)
        return wrong

    def overlaps(self):
        """Every stretch in which two nodes might act at once."""
        found, open_windows = [], []
        for window in self.windows:
            open_windows = [other for other in open_windows if other.end > window.start]
            for other in open_windows:
                end = min(other.end, window.end)
                if other.node != window.node and end > window.start:
                    found.append(Overlap(window.start, end, other, window))
            open_windows.append(window)
        return found

    def overlap_ns(self):
        """For how long more than one node might act, all stretches merged."""
        return sum(end - start for start, end in merged((o.start, o.end) for o in self.overlaps()))

    def acting(self):
        """When anybody might act, as merged (start, end)."""
        return merged((window.start, window.end) for window in self.windows)

    def longest_gap(self, start, end):
        """The longest stretch in [start, end] in which nobody acted, in nanoseconds."""
        longest, at = 0, start
        for begun, ended in self.acting():
            if begun >= end:
                break
            longest = max(longest, begun - at)
            at = max(at, ended)
        return max(longest, end - at)

    def of_reigns(self):
        """The windows of each (node, term)."""
        reigns = {}
        for window in self.windows:
            reigns.setdefault((window.node, window.term), []).append(window)
        return reigns


def parse(raw):
    """One line, or None if it is not whole."""
    words = raw.split(" ")
    if len(words) < 6 or not all(words[index].isdigit() for index in (0, 2, 3, 5)):
        return None
    pairs = dict(word.split("=", 1) for word in words[6:] if "=" in word)
    at, event, term, until, node, pid = words[:6]
    return Line(int(at), event, int(term), int(until), node, int(pid), pairs)


def processes(lines):
    """The lines of each process: one daemon at a time writes a node's log."""
    lives = []
    for line in lines:
        if not lives or line.event == "open" or line.pid != lives[-1][-1].pid:
            lives.append([])
        lives[-1].append(line)
    return lives


def windows(lines):
    """The windows of one process, a window for each stretch of acting in one term."""
    found, window = [], None

    def close(at):
        if window and min(at, window.end) > window.start:
            found.append(window._replace(end=min(at, window.end)))

    for line in lines:
        is_same = window and line.term == window.term and line.at <= window.end
        if line.event == "extend" and is_same:
            # Without a break: the same window, with another end.
            window = window._replace(end=max(line.at, line.until))
        elif line.event in ("begin", "extend"):
            close(line.at)
            window = Window(line.at, line.until, line.node, line.term, line.pid)
        elif line.event == "end":
            close(line.at)
            window = None
    close(float("inf"))
    return found


def merged(spans):
    """Spans that touch or overlap, made one."""
    whole = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(end, whole[-1][1])
        else:
            whole.append((start, end))
    return whole


def terms_that_do_not_rise(begins):
    wrong, last = [], None
    for line in sorted(begins):
        if last and line.term <= last.term:
            wrong.append(
                f"TERMS DO NOT RISE: {line.node} began term {line.term} at {line.at} ns, "
                f"after {last.node} had begun term {last.term}"
            )
        last = line
    return wrong


def tell_overlap(overlap):
    one, other = overlap.one, overlap.other
    return (
        f"TWO MASTERS for {overlap.end - overlap.start} ns from {overlap.start}: "
        f"{one.node} in term {one.term} and {other.node} in term {other.term}"
    )
