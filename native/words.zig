//! Steps over whole words that were met before from the same states, with what was found in them.

const std = @import("std");

pub const lanes = 16;
pub const Lanes = @Vector(lanes, u8);
const entries = 1 << 16;

/// The states of both automata.
pub const States = packed struct(u32) { word: u16 = 0, sign: u16 = 0 };

/// A state of the first automaton in which words of rules end, reached behind so many characters; none where 0.
pub const Found = packed struct(u32) { state: u16 = 0, behind: u16 = 0 };

pub const most_found = 2;

/// What stands in a word: words of rules, and grams of the model, each plus 1.
pub const Inside = struct {
    found: [most_found]Found = @splat(.{}),
    grams: [most_found]u16 = @splat(0),

    pub fn any(self: Inside) bool {
        return self.found[0].behind != 0 or self.grams[0] != 0;
    }
};

/// What a word led to: the states behind it; the words of the model with which it begins and ends (see grams.zig).
pub const Step = struct {
    to: States = .{},
    first: u16 = 0,
    last: u16 = 0,
    inside: Inside = .{},
    /// Whether it has letters or digits.
    counts: bool = false,
};

/// Two to a line of the processor's cache; what is inside a word is kept apart, as most have nothing inside.
pub const Entry = struct {
    text: Lanes = @splat(0),
    from: States = .{},
    to: States = .{},
    first: u16 = 0,
    last: u16 = 0,
    /// Bytes, by their classes, that lead elsewhere from where it leads to than from behind any space.
    differs: u32 = 0,

    inline fn isOf(self: *const Entry, word: Word, from: States) u1 {
        return @intFromBool(@reduce(.And, self.text == word.text)) & @intFromBool(self.from == from);
    }

    pub inline fn firstWord(self: *const Entry) u16 {
        return self.first & ~flag;
    }

    pub inline fn lastWord(self: *const Entry) u16 {
        return self.last & ~flag;
    }

    /// Whether it has letters or digits.
    pub inline fn counts(self: *const Entry) u1 {
        return @intFromBool(self.first & flag != 0);
    }

    /// Whether something is inside.
    pub inline fn tells(self: *const Entry) u1 {
        return @intFromBool(self.last & flag != 0);
    }
};

const flag: u16 = 0x8000;

/// A word with the space behind it, and nothing behind that.
pub const Word = struct {
    text: Lanes,
    size: usize,

    /// The word that `loaded` begins with; null where it is too long.
    pub inline fn of(loaded: Lanes) ?Word {
        const spaces: u16 = @bitCast(loaded == @as(Lanes, @splat(' ')));
        if (spaces == 0) return null;
        const size = @as(usize, @ctz(spaces)) + 1;
        return .{ .text = loaded & kept[size], .size = size };
    }
};

/// The first so many bytes.
const kept: [lanes + 1]Lanes = all: {
    var masks: [lanes + 1]Lanes = undefined;
    for (&masks, 0..) |*mask, size| mask.* = @as([size]u8, @splat(0xff)) ++ @as([lanes - size]u8, @splat(0));
    break :all masks;
};

pub const Words = struct {
    /// No word is 0: the space behind it is not.
    known: *align(64) [entries]Entry,
    inside: *[entries]Inside,
    /// The states in which most words are met, those behind a space. What follows from them is looked up without waiting
    /// for the states to be known.
    base: States = .{},

    pub fn init(allocator: std.mem.Allocator) error{OutOfMemory}!Words {
        const known = try allocator.alignedAlloc(Entry, 64, entries);
        errdefer allocator.free(known);
        const inside = try allocator.create([entries]Inside);
        var self = Words{ .known = known[0..entries], .inside = inside };
        self.forget(.{});
        return self;
    }

    pub fn deinit(self: *Words, allocator: std.mem.Allocator) void {
        allocator.free(@as([]align(64) Entry, self.known));
        allocator.destroy(self.inside);
    }

    /// Which entry a step is in. Said without a jump for either of the two that it may be in: neither is likelier.
    pub inline fn find(self: *const Words, word: Word, from: States) ?usize {
        const first = self.slot(word, from);
        const found = self.known[first].isOf(word, from);
        const other = self.known[first ^ 1].isOf(word, from);
        return if (found | other != 0) first ^ (1 - found) else null;
    }

    /// Keeps a step in place of the older of two.
    pub fn keep(self: *Words, word: Word, from: States, made: Step, differs: u32) void {
        const at = self.slot(word, from);
        self.known[at ^ 1] = self.known[at];
        self.inside[at ^ 1] = self.inside[at];
        self.inside[at] = made.inside;
        self.known[at] = .{
            .text = word.text,
            .from = from,
            .to = made.to,
            .first = made.first | if (made.counts) flag else 0,
            .last = made.last | if (made.inside.any()) flag else 0,
            .differs = differs,
        };
    }

    pub fn forget(self: *Words, base: States) void {
        self.base = base;
        @memset(self.known, .{});
    }

    inline fn slot(self: *const Words, word: Word, from: States) usize {
        const low, const high = @as([2]u64, @bitCast(word.text));
        var mixed = low *% 0x9e3779b97f4a7c15 ^ high *% 0xc2b2ae3d27d4eb4f;
        if (from != self.base) {
            @branchHint(.unlikely);
            mixed ^= @as(u64, @as(u32, @bitCast(from))) *% 0xd6e8feb86659fd93;
        }
        return @intCast((mixed ^ mixed >> 29) *% 0x165667b19e3779f9 >> 64 - @ctz(@as(u64, entries)));
    }
};
