"""Ranks of events over their estimation days and several sets of event days, from one sort of all days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import local
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from eventstudy._typing import BoolArray, FloatArray, IntArray
from eventstudy.inference.engine.residual_pass import run_of

__all__ = ["BEYOND", "JointRanks", "PartOfSums", "Scratch", "median_signs", "order_of"]

#: Marks missing values; larger than any return.
BEYOND = float(np.finfo(np.float64).max)
#: Rows of more columns than these bits can number have too many neighbours that agree in 32 bits.
MOST_BITS = 9
#: Values in 32 bits reach from minus to plus this many times their size; larger ones are sorted by all bits.
RANGE = 8.0
#: Events whose days are counted at a time; sums over more would take more bits.
BLOCK = 256


def order_of(
    values: FloatArray, sets: IntArray | None = None, unit: float | None = None
) -> tuple[IntArray, IntArray]:
    """Order of the values of each row, and the rows that have ties.

    The number of its column takes the place of the last bits of each value, so one sort of plain
    numbers, which is far faster than a sort of positions, yields the order. Short rows are sorted as whole
    numbers of 32 bits; rows in which two of these agree but for the column, a few in a hundred as a rule,
    are sorted again by nearly all of their bits; and where these agree too, the values count as tied.

    Parameters
    ----------
    values : array, shape (n, T)
        Finite, or `BEYOND`, which are not tied.
    sets : array of int, shape (T,), optional
        The set of each column, in ascending order: columns of two sets other than 0 may be tied, and stand
        in any order.
    unit : float, optional
        Size of a value; found for each row by default.

    Returns
    -------
    columns : array of int, shape (n, T)
    tied : array of int, shape (t,)
    """
    width = values.shape[1]
    bits = max((width - 1).bit_length(), 1)
    if bits > MOST_BITS:
        return _order_by_all_bits(values, bits, sets)
    factor = np.float64(1.0 / unit) if unit else _factor(values)
    top = 1 << (31 - bits)
    with np.errstate(over="ignore"):
        scaled = values * (factor * (top / RANGE))
    if max(scaled.max(initial=0.0), -scaled.min(initial=0.0)) < top - 2:
        keys = scaled.astype(np.int32)
    else:
        keys = np.clip(scaled, -top, top - 2, out=scaled).astype(np.int32)
        keys[values == BEYOND] = top - 1
    keys <<= bits
    keys |= np.arange(width, dtype=np.int32)
    keys.sort(axis=1)
    again = _rows_near(keys, (1 << bits) - 1, sets, (top - 1) << bits)
    keys &= (1 << bits) - 1
    if not len(again):
        return keys, again
    exact, tied = _order_by_all_bits(values[again], bits, sets)
    keys[again] = exact
    return keys, again[tied]


def _order_by_all_bits(values: FloatArray, bits: int, sets: IntArray | None) -> tuple[IntArray, IntArray]:
    low = (1 << bits) - 1
    # Adding zero makes -0 and 0 the same.
    keys = (values + 0.0).view(np.int64)
    keys &= ~low
    keys |= np.arange(values.shape[1])
    keys.view(np.float64).sort(axis=1)
    largest = int(np.float64(BEYOND).view(np.int64)) & ~low
    tied = _rows_near(keys, low, sets, largest)
    keys &= low
    return keys, tied


def _rows_near(keys: IntArray, low: int, sets: IntArray | None, beyond: int) -> IntArray:
    """Rows of sorted keys of which one agrees with the next but for the column."""
    width, flat = keys.shape[1], keys.reshape(-1)
    unsigned: Any = np.uint32 if keys.itemsize == 4 else np.uint64
    at = np.flatnonzero((flat[1:] ^ flat[:-1]).view(unsigned) <= low)
    first, second = flat[at], flat[at + 1]
    near = (at % width < width - 1) & (second & ~low < beyond)
    if sets is not None:
        # Of keys that agree, those of a set follow each other.
        one, other = sets[first & low], sets[second & low]
        near &= (one == other) | (one == 0) | (other == 0)
    rows: IntArray = at[near] // width
    distinct: IntArray = rows[np.diff(rows, prepend=-1) != 0]
    return distinct


def _factor(values: FloatArray) -> FloatArray:
    """Inverse of the size of the values of each row, shape (n, 1); 0 where they have none."""
    known = np.where(values == BEYOND, 0.0, values)
    with np.errstate(over="ignore"):
        size = np.sqrt(np.vecdot(known, known) / values.shape[1])[:, None]
    sound = (size > np.finfo(np.float64).tiny) & (size < BEYOND)
    factor: FloatArray = np.divide(1.0, size, out=np.zeros_like(size), where=sound)
    return factor


def median_signs(values: FloatArray) -> FloatArray:
    """Sign of each value about the median of its row, shape (N, T); NaN stays NaN.

    Where values tie at the median, as many need not lie above it as below: signs are then about their mean.
    """
    size = (~np.isnan(values)).sum(axis=1)
    row, ordered = np.arange(len(values)), np.sort(values, axis=1)  # NaN last
    median = 0.5 * (ordered[row, (size - 1) // 2] + ordered[row, size // 2])
    signs: FloatArray = np.sign(values - median[:, None])
    signs -= (np.nansum(signs, axis=1) / np.maximum(size, 1))[:, None]
    return signs


@dataclass(frozen=True)
class PartOfSums:
    """What some events add to the sums of each day, (..., W + L), and their own ranks, if these are kept."""

    total: FloatArray
    count: IntArray
    tested: FloatArray | None = None
    sizes: IntArray | None = None
    #: Sum of squares of the scaled ranks of each event with ties, NaN for others; None where none has any.
    squares: FloatArray | None = None


class Scratch(local):
    """Memory of a thread, for one chunk after the other: new memory takes longer to get than to fill."""

    def __init__(self) -> None:
        self.held: dict[str, npt.NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return an array of that name, whatever it holds."""
        size = shape[0] * shape[1]
        if name not in self.held or len(self.held[name]) < size:
            self.held[name] = np.empty(size, dtype)
        return self.held[name][:size].reshape(shape)


class JointRanks:
    """Ranks of n events among their estimation days (n, W) and the event days of each of several sets.

    All days of an event are sorted once. Running through them in order, a counter of its own counts the
    estimation days (set 0) and the days of each set; counters are side by side in the bits of a word, so one
    sum counts them all. A day's rank in a set is what its counter of set 0 and that of the set say.

    Events with as many days in each set form a group; those with ties are left out, and ranked on their own.
    Missing estimation days count nothing. `sums` (sets, groups, W) are the sums over the events of a group of
    what the estimation days have counted, `signs_past` of a set, (W,), those of the signs about the medians.

    Parameters
    ----------
    values : array, shape (n, T)
        Of set 0 and the others side by side; NaN where missing.
    missing : array of bool, shape (n, W), or None
    sets : sequence of slice
        Columns of each set.
    signs : sequence of int
        Sets of which signs about the median are wanted.
    unit : float, optional
        As for `order_of`.
    scratch : Scratch
    keep : bool
        Whether the ranks of each event's estimation days are wanted, not their sums.
    """

    def __init__(
        self,
        values: FloatArray,
        missing: BoolArray | None,
        sets: Sequence[slice],
        signs: Sequence[int],
        unit: float | None,
        scratch: Scratch,
        keep: bool = False,
    ) -> None:
        self.values, self.width, self.missing, self.sets = values, sets[0].stop, missing, sets
        n, total = values.shape
        unseen = np.isnan(values[:, self.width :])
        self.unseen = unseen if unseen.any() else None
        self.number = np.zeros(total, dtype=np.int64)
        for k, its in enumerate(sets):
            self.number[its] = k
        whole = missing is None and self.unseen is None
        known = values if whole else np.where(np.isnan(values), BEYOND, values)
        columns, self.tied = order_of(known, self.number, unit)
        past = np.full(n, self.width) if missing is None else self.width - missing.sum(axis=1)
        self.count_past = np.full(self.width, n) if missing is None else n - _trues(missing)
        self.sizes = [past, *(past + self._seen(k).sum(axis=1) for k in range(1, len(sets)))]
        self.order, self.start = self._groups()
        largest = max(s.stop - s.start for s in sets)
        self.bits = 8 if largest < 2**8 else 16 if largest < 2**16 else 32
        # The last bits of a word are left free for sums.
        self.each = 64 // self.bits - 1
        self.events = np.zeros((-(-len(sets) // self.each), n, total - self.width), dtype="<u8")
        self.kept = np.zeros((len(self.events), n if keep else 0, self.width), dtype="<u8")
        self.sums = np.zeros((len(self.events) * self.each, len(self.start), self.width))
        self.signs_past = {k: np.zeros(self.width, dtype=np.int64) for k in ([] if keep else signs)}
        for begin in range(0, len(self.order), BLOCK):
            self._count_block(columns, begin, scratch)

    def _groups(self) -> tuple[IntArray, IntArray]:
        """Events without ties in the order of their groups, and where groups begin among them."""
        untied = np.ones(len(self.values), dtype=bool)
        untied[self.tied] = False
        order = np.flatnonzero(untied)
        same = self.missing is None and self.unseen is None
        keys = [] if same else [key[order] for key in self.sizes]
        keys = [key for key in keys if (key != key[:1]).any()]
        differ = np.arange(len(order)) == 0
        if keys:
            inside = np.lexsort(keys)
            order = order[inside]
            for key in keys:
                differ[1:] |= np.diff(key[inside]) != 0
        return order, np.flatnonzero(differ)

    def _seen(self, k: int) -> BoolArray:
        """Which event days of a set are known, shape (n, L), or where all are, (1, L)."""
        inside = self._inside(k)
        if self.unseen is None:
            return np.ones((1, inside.stop - inside.start), dtype=bool)
        return ~self.unseen[:, inside]

    def _inside(self, k: int) -> slice:
        """Columns of a set among all event days."""
        return slice(self.sets[k].start - self.width, self.sets[k].stop - self.width)

    def _count_block(self, columns: IntArray, begin: int, scratch: Scratch) -> None:
        """Count the days of some events, so few that what is needed stays in the cache of a core."""
        rows = run_of(self.order[begin : begin + BLOCK])
        these = columns[rows]
        n, total = these.shape
        counts, to = scratch.array("counts", (n, total), "<u8"), scratch.array("to", (n, total), np.int64)
        np.add(these, total * np.arange(n)[:, None], out=to)
        missing = None if self.missing is None else self.missing[rows]
        # Groups that begin here, and the one that goes on.
        inside = self.start[(self.start > begin) & (self.start < begin + n)]
        first = len(self.start[self.start <= begin]) - 1
        groups, runs = slice(first, first + len(inside) + 1), np.append(0, inside - begin)
        words = []
        for number, events in enumerate(self.events):
            word = scratch.array(f"word {number}", (n, total), "<u8")
            np.take(self._code(number), these, out=counts, mode="clip")
            np.cumsum(counts, axis=1, out=counts)
            word.reshape(-1)[to.reshape(-1)] = counts.reshape(-1)
            events[rows] = word[:, self.width :]
            past = word[:, : self.width]
            if missing is not None:
                past[missing] = 0
            if self.kept.size:
                self.kept[number, rows] = past
                continue
            held = slice(number * self.each, (number + 1) * self.each)
            self.sums[held, groups] += self._sums(past, runs, scratch)
            words.append(past)
        for k, found in self.signs_past.items():
            found += self._signs_of(words, k, rows, missing)

    def _code(self, number: int) -> npt.NDArray[np.uint64]:
        """Return what each column adds to a word: one to the counter of its set, if that is in the word."""
        first = number * self.each
        inside = (self.number >= first) & (self.number < first + self.each)
        place = ((self.number - first) * self.bits)[inside].astype(np.uint64)
        code = np.zeros(len(self.number), dtype="<u8")
        code[inside] = np.left_shift(np.uint64(1), place)
        return code

    def _fields(self, words: Sequence[npt.NDArray[np.uint64]], k: int) -> npt.NDArray[Any]:
        """Return the counts of set k that words hold."""
        word = words[k // self.each]
        return word.view(f"<u{self.bits // 8}").reshape(*word.shape, -1)[:, :, k % self.each]

    def _sums(self, past: npt.NDArray[np.uint64], runs: IntArray, scratch: Scratch) -> FloatArray:
        """Sum what words count over each run of events, shape (sets, runs, W)."""
        # Every other counter has twice the bits for its sum, which is enough for a block of events; the
        # counters between sum to what is left of the sum of all.
        mask = np.uint64(sum(((1 << self.bits) - 1) << at for at in range(0, 64, 2 * self.bits)))
        every = scratch.array("every", past.shape, "<u8")
        np.bitwise_and(past, mask, out=every)
        if len(runs) == 1:
            whole, even = (each.sum(axis=0)[None] for each in (past, every))
        else:
            whole, even = (np.add.reduceat(each, runs, axis=0) for each in (past, every))
        found = np.empty((32 // self.bits, 2, len(runs), self.width))
        for k, sums in enumerate((even, (whole - even) >> np.uint64(self.bits))):
            each = sums.view(f"<u{self.bits // 4}").reshape(len(runs), self.width, 32 // self.bits)
            found[:, k] = each.transpose(2, 0, 1)
        return found.reshape(64 // self.bits, len(runs), self.width)[: self.each]

    def _signs_of(
        self,
        words: Sequence[npt.NDArray[np.uint64]],
        k: int,
        rows: slice | IntArray,
        missing: BoolArray | None,
    ) -> IntArray:
        """Sum the signs of estimation days: one is above the median if its rank is above the middle one."""
        largest = self.width + self.sets[k].stop - self.sets[k].start
        kind: Any = np.uint8 if largest < 2**8 else np.uint16 if largest < 2**16 else np.uint32
        ranks = np.add(self._fields(words, 0), self._fields(words, k), dtype=kind)
        half, odd = np.divmod(self.sizes[k][rows] + 1, 2)
        level = half.astype(kind)[:, None]
        known = len(ranks) if missing is None else len(ranks) - _trues(missing)
        found: IntArray = 2 * _trues(ranks > level) - known
        return found if odd.all() else found + _trues((ranks == level)[odd == 0])

    def _ties(self, k: int) -> tuple[FloatArray, FloatArray]:
        """Values and ranks of the events with ties, shapes (t, W + L); missing ones rank 0."""
        its = self.sets[k]
        if not len(self.tied):
            none = np.zeros((0, self.width + its.stop - its.start))
            return none, none
        values = np.concatenate([self.values[self.tied, : self.width], self.values[self.tied, its]], axis=1)
        ranks = scipy.stats.rankdata(np.where(np.isnan(values), BEYOND, values), axis=1)
        ranks[np.isnan(values)] = 0.0
        return values, ranks

    def _event_ranks(self, k: int, tied: FloatArray) -> FloatArray:
        """Ranks of the event days of a set, shape (n, L); 0 where missing."""
        inside = self._inside(k)
        counts = [self._fields(list(self.events), each)[:, inside] for each in (0, k)]
        ranks: FloatArray = np.add(*counts, dtype=np.float64)
        if self.unseen is not None:
            ranks[self.unseen[:, inside]] = 0.0
        ranks[self.tied] = tied[:, self.width :]
        return ranks

    def _count(self, k: int) -> IntArray:
        """Events that have a return on each day, shape (W + L,)."""
        seen = self._seen(k)
        event = np.full(seen.shape[1], len(self.values)) if self.unseen is None else _trues(seen)
        return np.concatenate([self.count_past, event])

    def mean_ranks(self, k: int, tested: slice) -> PartOfSums:
        """Sum the scaled ranks of each day over the events, and keep those of the tested days."""
        sizes, count = self.sizes[k], self._count(k)
        weight = 1.0 / (sizes + 1.0)
        _, tied = self._ties(k)
        event = self._event_ranks(k, tied)
        past = _weighted(weight[self.order[self.start]], self.sums[0] + self.sums[k])
        past += _weighted(weight[self.tied], tied[:, : self.width])
        kept = event[:, tested] * weight[:, None] - 0.5
        if self.unseen is not None:
            kept[self.unseen[:, self._inside(k)][:, tested]] = np.nan
        total = np.concatenate([past, _weighted(weight, event)]) - 0.5 * count
        return PartOfSums(total, count, kept, sizes, self._squares(k, tied))

    def _squares(self, k: int, tied: FloatArray) -> FloatArray | None:
        """Sum the squares of the scaled ranks of the events with ties, as `PartOfSums` has them."""
        if not len(self.tied):
            return None
        sizes = self.sizes[k][self.tied]
        # Missing days rank 0.
        scaled = np.where(tied > 0, tied / (sizes + 1.0)[:, None] - 0.5, 0.0)
        found = np.full(len(self.values), np.nan)
        found[self.tied] = np.einsum("nt,nt->n", scaled, scaled)
        return found

    def signs(self, k: int) -> PartOfSums:
        """Sum the signs of each day about the event's median over the events."""
        values, tied = self._ties(k)
        middle = self.sizes[k] + 1
        event = np.sign(2.0 * self._event_ranks(k, tied) - middle[:, None])
        if self.unseen is not None:
            event[self.unseen[:, self._inside(k)]] = 0.0
        about = np.nan_to_num(median_signs(values)) if len(values) else values
        event[self.tied] = about[:, self.width :]
        past = self.signs_past[k] + about[:, : self.width].sum(axis=0)
        return PartOfSums(np.concatenate([past, event.sum(axis=0)]), self._count(k))

    def _ranks(self, k: int, tied: FloatArray) -> FloatArray:
        """Rank of each day of each event, shape (n, W + L); 0 where missing."""
        event = self._event_ranks(k, tied)
        ranks = np.empty((len(event), self.width + event.shape[1]))
        past, more = (self._fields(list(self.kept), each) for each in (0, k))
        np.add(past, more, out=ranks[:, : self.width], dtype=np.float64)
        ranks[self.tied, : self.width] = tied[:, : self.width]
        ranks[:, self.width :] = event
        return ranks

    def _missing(self, k: int) -> BoolArray | None:
        """Which days of each event are missing, shape (n, W + L); None where none is."""
        if self.missing is None and self.unseen is None:
            return None
        n, seen = len(self.values), self._seen(k)
        past = np.zeros((n, self.width), dtype=bool) if self.missing is None else self.missing
        return np.concatenate([past, np.broadcast_to(~seen, (n, seen.shape[1]))], axis=1)

    def _sample_count(self, k: int, size: int) -> IntArray:
        """Events of each sample that have a return on each day, shape (n / size, W + L)."""
        missing, inside = self._missing(k), self.sets[k]
        shape = (len(self.values) // size, self.width + inside.stop - inside.start)
        return np.full(shape, size) if missing is None else size - by_sample(missing, size)

    def sample_ranks(self, k: int, tested: slice, size: int) -> PartOfSums:
        """Sum and keep as `mean_ranks`, by samples of `size` events, one after another."""
        sizes, count = self.sizes[k], self._sample_count(k, size)
        tied = self._ties(k)[1]
        scaled = self._ranks(k, tied)
        scaled /= (sizes + 1.0)[:, None]
        kept = scaled[:, self.width :][:, tested] - 0.5
        if self.unseen is not None:
            kept[self.unseen[:, self._inside(k)][:, tested]] = np.nan
        total = by_sample(scaled, size) - 0.5 * count
        return PartOfSums(total, count, kept, sizes, self._squares(k, tied))

    def sample_signs(self, k: int, size: int) -> PartOfSums:
        """Sum as `signs`, by samples of `size` events, one after another."""
        (values, tied), missing = self._ties(k), self._missing(k)
        signs = self._ranks(k, tied)
        signs -= 0.5 * (self.sizes[k] + 1.0)[:, None]
        np.sign(signs, out=signs)
        if missing is not None:
            signs[missing] = 0.0
        if len(values):
            signs[self.tied] = np.nan_to_num(median_signs(values))
        return PartOfSums(by_sample(signs, size), self._sample_count(k, size))


def _weighted(weight: FloatArray, rows: FloatArray) -> FloatArray:
    # BLAS would split this little work among threads, which takes longer.
    return np.asarray(np.einsum("n,nt->t", weight, rows))


def by_sample(values: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Sum over the events of each sample, shape (n, T) -> (n / size, T)."""
    return np.asarray(values.reshape(-1, size, values.shape[1]).sum(axis=1))


def _trues(which: BoolArray) -> IntArray:
    """Count the events of each day, in bytes as long as they suffice."""
    found = np.zeros(which.shape[1], dtype=np.int64)
    for start in range(0, len(which), 255):
        found += which[start : start + 255].view(np.uint8).sum(axis=0, dtype=np.uint8)
    return found
