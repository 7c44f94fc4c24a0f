//! Steps over whole words that were met before from the same states, with what was found in them.

const std = @import("std");

pub const lanes = 16;
const Lanes = @Vector(lanes, u8);
const entries = 1 << 14;

/// The states of both automata.
pub const States = packed struct(u32) { word: u16 = 0, sign: u16 = 0 };

/// A state of the first automaton in which words of rules end, reached behind so many characters; none where 0.
pub const Found = packed struct(u32) { state: u16 = 0, behind: u16 = 0 };

pub const most_found = 2;

/// What a word led to: the states behind it, and where words of rules ended in it.
pub const Step = struct { to: States = .{}, found: [most_found]Found = @splat(.{}) };

const Entry = struct { text: u128 = 0, from: States = .{}, step: Step = .{} };

/// A word with the space behind it, as one number.
pub const Word = struct {
    text: u128,
    size: usize,

    /// The word at a place of a view; null where it is too long, or too near to the end to be loaded at once.
    pub inline fn at(view: []const u8, place: usize) ?Word {
        if (place + lanes > view.len) return null;
        const loaded: Lanes = view[place..][0..lanes].*;
        const spaces: u16 = @bitCast(loaded == @as(Lanes, @splat(' ')));
        if (spaces == 0) return null;
        const size = @as(usize, @ctz(spaces)) + 1;
        const others: u7 = @intCast(8 * (lanes - size));
        return .{ .text = @as(u128, @bitCast(loaded)) & ~@as(u128, 0) >> others, .size = size };
    }
};

pub const Words = struct {
    /// No word is 0: the space behind it is not.
    known: *[entries]Entry,

    pub fn init(allocator: std.mem.Allocator) error{OutOfMemory}!Words {
        var self = Words{ .known = try allocator.create([entries]Entry) };
        self.forget();
        return self;
    }

    pub fn deinit(self: *Words, allocator: std.mem.Allocator) void {
        allocator.destroy(self.known);
    }

    pub inline fn step(self: *const Words, word: Word, from: States) ?Step {
        const entry = &self.known[slot(word, from)];
        return if (entry.text == word.text and entry.from == from) entry.step else null;
    }

    pub fn keep(self: *Words, word: Word, from: States, made: Step) void {
        self.known[slot(word, from)] = .{ .text = word.text, .from = from, .step = made };
    }

    pub fn forget(self: *Words) void {
        @memset(self.known, .{});
    }
};

inline fn slot(word: Word, from: States) usize {
    const low: u64 = @truncate(word.text);
    const high: u64 = @truncate(word.text >> 64);
    const mixed = (low ^ @as(u32, @bitCast(from))) *% 0x9e3779b97f4a7c15 ^ high *% 0xc2b2ae3d27d4eb4f;
    return @intCast((mixed ^ mixed >> 29) *% 0x165667b19e3779f9 >> 64 - @ctz(@as(u64, entries)));
}
