//! The long texts met before: a system prompt that repeats from record to record is read once.

const std = @import("std");
const reading = @import("reading.zig");

/// Bytes of texts remembered. Then all are forgotten: what repeats is soon known again, and memory stays flat.
const most_bytes = 1 << 22;

/// What came of reading the two ends of a long text, which are read again with what stands beside it.
pub const Ends = struct {
    head: reading.Summary,
    tail: reading.Summary,

    pub fn free(self: *const Ends, allocator: std.mem.Allocator) void {
        self.head.free(allocator);
        self.tail.free(allocator);
    }
};

pub const Met = struct { number: u32, new: bool };

pub const Memory = struct {
    allocator: std.mem.Allocator,
    numbers: std.StringHashMapUnmanaged(u32) = .{},
    convicted: std.ArrayListUnmanaged(bool) = .{},
    ends: std.AutoHashMapUnmanaged(u32, Ends) = .{},
    bytes: usize = 0,
    /// How many were known when the lines that are read now began, and whether all was answered that was asked of them.
    answered: usize = 0,

    pub fn deinit(self: *Memory) void {
        self.forget();
        self.numbers.deinit(self.allocator);
        self.convicted.deinit(self.allocator);
        self.ends.deinit(self.allocator);
    }

    /// Before lines are read. What was asked and never answered is asked again.
    pub fn next(self: *Memory) void {
        if (self.bytes > most_bytes or self.answered < self.convicted.items.len) self.forget();
    }

    /// After all was answered.
    pub fn settle(self: *Memory) void {
        self.answered = self.convicted.items.len;
    }

    pub fn forget(self: *Memory) void {
        var keys = self.numbers.keyIterator();
        while (keys.next()) |key| self.allocator.free(key.*);
        self.numbers.clearRetainingCapacity();
        var ends = self.ends.valueIterator();
        while (ends.next()) |one| one.free(self.allocator);
        self.ends.clearRetainingCapacity();
        self.convicted.clearRetainingCapacity();
        self.bytes = 0;
        self.answered = 0;
    }

    pub fn find(self: *Memory, text: []const u8) error{OutOfMemory}!Met {
        if (self.numbers.get(text)) |number| return .{ .number = number, .new = false };
        const kept = try self.allocator.dupe(u8, text);
        errdefer self.allocator.free(kept);
        const number: u32 = @intCast(self.convicted.items.len);
        try self.convicted.append(self.allocator, false);
        errdefer _ = self.convicted.pop();
        try self.numbers.put(self.allocator, kept, number);
        self.bytes += text.len;
        return .{ .number = number, .new = true };
    }

    /// Keeps what came of the ends of a text, which is then the memory's.
    pub fn keepEnds(self: *Memory, number: u32, ends: Ends) error{OutOfMemory}!void {
        try self.ends.putNoClobber(self.allocator, number, ends);
    }

    /// Whether what was asked of a text is still to be answered.
    pub fn isOpen(self: *const Memory, number: u32) bool {
        return number >= self.answered;
    }

    pub fn convict(self: *Memory, number: u32) void {
        self.convicted.items[number] = true;
    }

    pub fn count(self: *const Memory) usize {
        return self.convicted.items.len;
    }

    /// All texts from this number on.
    pub fn convictFrom(self: *Memory, number: usize) void {
        @memset(self.convicted.items[number..], true);
    }

    pub fn isConvicted(self: *const Memory, number: u32) bool {
        return self.convicted.items[number];
    }
};
