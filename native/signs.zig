//! The forms of identifiers, credentials and encodings, looked for all at once: an automaton made while it is used.

const std = @import("std");
const tables = @import("tables.zig");
const Bits = @import("bits.zig").Bits;

const Places = Bits(tables.sign_starts_words);
const most_states = 1 << 14;
const row_bits = 6;
const unknown = 0xffff;
/// Set in the number of a state in which a pattern ends.
pub const telling = 0x8000;

const State = struct {
    /// Where in the patterns one may stand, the last character being of a word or not, and what has ended.
    places: Places,
    in_word: bool,
    ended: u16,
};

pub const Signs = struct {
    allocator: std.mem.Allocator,
    states: std.ArrayListUnmanaged(State) = .{},
    numbers: std.AutoHashMapUnmanaged(State, u16) = .{},
    next: []u16,
    /// How often it was begun anew.
    begun: usize = 0,

    pub fn init(allocator: std.mem.Allocator) error{OutOfMemory}!Signs {
        var self = Signs{ .allocator = allocator, .next = try allocator.alloc(u16, most_states << row_bits) };
        try self.begin();
        return self;
    }

    pub fn deinit(self: *Signs) void {
        self.allocator.free(self.next);
        self.states.deinit(self.allocator);
        self.numbers.deinit(self.allocator);
    }

    /// State 0 is that of the beginning of a text.
    fn begin(self: *Signs) error{OutOfMemory}!void {
        self.begun += 1;
        self.states.clearRetainingCapacity();
        self.numbers.clearRetainingCapacity();
        _ = try self.number(.{ .places = Places.ofRow(tables.sign_starts, 0), .in_word = false, .ended = 0 });
    }

    /// The state behind `state` when a character of this class is read.
    pub inline fn step(self: *Signs, state: u16, class: u8) error{OutOfMemory}!u16 {
        const known = self.next.ptr[@as(usize, state & ~@as(u16, telling)) << row_bits | class];
        return if (known != unknown) known else self.made(state, class);
    }

    /// Which patterns end in a state, as bits.
    pub fn ended(self: *const Signs, state: u16) u16 {
        return self.states.items[state & ~@as(u16, telling)].ended;
    }

    fn made(self: *Signs, state: u16, class: u8) error{OutOfMemory}!u16 {
        const from: usize = state & ~@as(u16, telling);
        const after = behind(self.states.items[from], class);
        if (self.states.items.len == most_states and !self.numbers.contains(after)) {
            // As good as new: whatever was known can be worked out again.
            try self.begin();
            return self.number(after);
        }
        const found = try self.number(after);
        self.next[from << row_bits | class] = found;
        return found;
    }

    fn number(self: *Signs, state: State) error{OutOfMemory}!u16 {
        const found = try self.numbers.getOrPut(self.allocator, state);
        if (!found.found_existing) {
            const at: u16 = @intCast(self.states.items.len);
            try self.states.append(self.allocator, state);
            @memset(self.next[@as(usize, at) << row_bits ..][0 .. 1 << row_bits], unknown);
            found.value_ptr.* = if (state.ended != 0) at | telling else at;
        }
        return found.value_ptr.*;
    }
};

fn behind(state: State, class: u8) State {
    const in_word = tables.sign_in_word[class] != 0;
    var standing = state.places;
    var done: u16 = 0;
    if (in_word != state.in_word) {
        var borders = standing.both(Places.ofRow(tables.sign_borders, 0));
        while (borders.take()) |place| {
            const crossed = Places.ofRow(tables.sign_crossed, place);
            done |= endsIn(crossed);
            standing.join(crossed);
        }
    }
    var reading = standing.both(Places.ofRow(tables.sign_reading, class));
    var after = Places.ofRow(tables.sign_starts, 0);
    while (reading.take()) |place| after.join(Places.ofRow(tables.sign_after, place));
    return .{ .places = after, .in_word = in_word, .ended = done | endsIn(after) };
}

fn endsIn(places: Places) u16 {
    var found: u16 = 0;
    var ending = places.both(Places.ofRow(tables.sign_ends, 0));
    while (ending.take()) |place| found |= @as(u16, 1) << @intCast(tables.sign_ended[place]);
    return found;
}
