//! The long texts met before: a system prompt that repeats from record to record is read once.

const std = @import("std");

/// Bytes of texts remembered. Then all are forgotten: what repeats is soon known again, and memory stays flat.
const most_bytes = 1 << 22;

pub const Met = struct { number: u32, new: bool };

pub const Memory = struct {
    allocator: std.mem.Allocator,
    numbers: std.StringHashMapUnmanaged(u32) = .{},
    convicted: std.ArrayListUnmanaged(bool) = .{},
    bytes: usize = 0,
    /// How many were known when the lines that are read now began, and whether all was answered that was asked of them.
    answered: usize = 0,

    pub fn deinit(self: *Memory) void {
        self.forget();
        self.numbers.deinit(self.allocator);
        self.convicted.deinit(self.allocator);
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
