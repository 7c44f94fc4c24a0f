//! Where in a text the words of attack rules stand: a rule could match only where its words are near each other, and has
//! to read no more than what is around them.

const std = @import("std");
const tables = @import("tables.zig");
const Attacks = @import("bits.zig").Bits(tables.word_keyword_words);

const most_met = 1 << 16; // words; in a text with more, every rule could match anywhere
const anywhere = std.math.maxInt(u32);
const alone = Attacks.ofRow(tables.attack_alone, 0);

/// A word of a rule, and how many counted words were read before it.
const Met = struct { number: u32, behind: u32 };

/// Of one rule: where its words were met last, and the stretch in which it could match, both in counted words.
const Near = struct { keyword: u32 = anywhere, companion: u32 = anywhere, first: u32 = anywhere, last: u32 = 0 };

/// A place in what was read: how many characters, counted words and words of rules stand before it.
pub const Place = struct { size: usize = 0, behind: u32 = 0, met: usize = 0 };

/// What was read from some place on, as if that were the beginning.
pub const Part = struct {
    size: usize,
    starts: []u32,
    met: []Met,

    pub fn free(self: Part, allocator: std.mem.Allocator) void {
        allocator.free(self.starts);
        allocator.free(self.met);
    }
};

/// Words are counted that have letters or digits and a space behind them. There may be more of them, as what has no
/// space in 16 characters is not counted, never less.
pub const Places = struct {
    allocator: std.mem.Allocator,
    /// Where each counted word begins.
    starts: std.ArrayListUnmanaged(u32) = .{},
    met: std.ArrayListUnmanaged(Met) = .{},
    /// How much was read, and how many counted words.
    size: usize = 0,
    behind: u32 = 0,
    rules: [tables.attack_rules]Near = undefined,

    pub fn deinit(self: *Places) void {
        self.starts.deinit(self.allocator);
        self.met.deinit(self.allocator);
    }

    pub fn begin(self: *Places) void {
        self.starts.clearRetainingCapacity();
        self.met.clearRetainingCapacity();
        self.size = 0;
        self.behind = 0;
    }

    pub fn here(self: *const Places) Place {
        return .{ .size = self.size, .behind = self.behind, .met = self.met.items.len };
    }

    /// What was read since; the caller owns it.
    pub fn since(self: *const Places, place: Place, allocator: std.mem.Allocator) error{OutOfMemory}!Part {
        const starts = try allocator.dupe(u32, self.starts.items[place.behind..]);
        errdefer allocator.free(starts);
        for (starts) |*start| start.* -= @intCast(place.size);
        const met = try allocator.dupe(Met, self.met.items[place.met..]);
        for (met) |*one| one.behind -= place.behind;
        return .{ .size = self.size - place.size, .starts = starts, .met = met };
    }

    /// As if a part were read.
    pub fn repeat(self: *Places, part: Part) error{OutOfMemory}!void {
        try self.expect(part.size);
        for (self.room()[0..part.starts.len], part.starts) |*to, start| to.* = @intCast(self.size + start);
        for (part.met[0..@min(part.met.len, most_met - self.met.items.len)]) |one| {
            self.met.appendAssumeCapacity(.{ .number = one.number, .behind = self.behind + one.behind });
        }
        self.counted(part.starts.len);
        self.passed(part.size);
    }

    /// Before so many characters are read.
    pub fn expect(self: *Places, size: usize) error{OutOfMemory}!void {
        try self.starts.ensureUnusedCapacity(self.allocator, size / 2 + 2);
        try self.met.ensureTotalCapacity(self.allocator, most_met);
    }

    /// And behind them.
    pub fn passed(self: *Places, size: usize) void {
        self.size += size;
    }

    /// A word that counts, so many characters behind what was passed.
    pub fn count(self: *Places, at: usize) void {
        self.room()[0] = @intCast(self.size + at);
        self.counted(1);
    }

    /// Where the beginnings of the next counted words are put, and one more.
    pub fn room(self: *Places) []u32 {
        return self.starts.unusedCapacitySlice();
    }

    /// That so many were put there.
    pub fn counted(self: *Places, number: usize) void {
        self.starts.items.len += number;
        self.behind += @intCast(number);
    }

    /// A word of a rule, by its number, at the place that was read last.
    pub fn add(self: *Places, number: usize) void {
        if (self.met.items.len == most_met) return;
        self.met.appendAssumeCapacity(.{ .number = @intCast(number), .behind = self.behind });
    }

    /// Of these rules those whose words stand near each other.
    pub fn near(self: *Places, rules: Attacks) Attacks {
        if (rules.isEmpty() or self.met.items.len == most_met) return rules;
        var asked = rules;
        while (asked.take()) |rule| self.rules[rule] = .{};
        var found = Attacks{};
        for (self.met.items) |met| {
            const keyword = Attacks.ofRow(tables.word_keyword, met.number).both(rules);
            const companion = Attacks.ofRow(tables.word_companion, met.number).both(rules);
            if (keyword.isEmpty() and companion.isEmpty()) continue;
            found.join(self.meet(keyword, companion, met.behind));
        }
        return found;
    }

    /// Those of the rules whose keyword or companion is met that have both of them near.
    fn meet(self: *Places, keyword: Attacks, companion: Attacks, at: u32) Attacks {
        var found = Attacks{};
        var of_keyword = keyword;
        while (of_keyword.take()) |rule| self.rules[rule].keyword = at;
        var of_companion = companion.either(keyword.both(alone));
        while (of_companion.take()) |rule| self.rules[rule].companion = at;
        var either = keyword.either(companion);
        while (either.take()) |rule| {
            const of = &self.rules[rule];
            if (of.keyword == anywhere or of.companion == anywhere) continue;
            const before = @min(of.keyword, of.companion);
            const reach: u32 = tables.attack_reach[rule];
            if (at - before > reach) continue;
            of.first = @min(of.first, at -| reach);
            of.last = @max(of.last, before +| reach);
            found.join(Attacks.of(rule));
        }
        return found;
    }

    /// From where to where a rule that is near has to read, in characters.
    pub fn stretch(self: *const Places, rule: usize) [2]usize {
        const end = std.math.maxInt(usize);
        if (self.met.items.len == most_met) return .{ 0, end };
        const starts = self.starts.items;
        const of = &self.rules[rule];
        return .{
            if (of.first > 0) starts[of.first] else 0,
            if (of.last < starts.len) starts[of.last] else end,
        };
    }
};
