//! Texts as a reader sees them, and a view with one byte for each character.

const std = @import("std");
const tables = @import("tables.zig");
const json = @import("json.zig");

pub const Error = json.Error;
const Bytes = std.ArrayListUnmanaged(u8);
const lanes = 16;
const Lanes = @Vector(lanes, u8);

/// One text. `original` is what was written, `folded` what a reader sees, both UTF-8; `view` has a byte for each
/// character of `folded`: ASCII as it is, `tables.other` for everything else. The three are one where all is ASCII.
pub const Text = struct {
    original: []const u8,
    folded: []const u8,
    view: []const u8,
    /// Of the original, in characters.
    length: usize,
    role: u8 = 0,
    /// Nothing but white space.
    blank: bool = false,
    /// Characters that only the rules for other scripts read.
    script: bool = false,
    /// Of a long text, its number among those that are known.
    number: ?u32 = null,

    /// Whether each character is one byte.
    pub fn isPlain(self: *const Text) bool {
        return self.folded.len == self.view.len;
    }

    /// Too long to be read whole where texts are joined.
    pub fn isLong(self: *const Text) bool {
        return self.length > 2 * tables.reach;
    }
};

/// Room for what is made of the texts of one line.
pub const Room = struct {
    arena: std.heap.ArenaAllocator,

    pub fn init(allocator: std.mem.Allocator) Room {
        return .{ .arena = std.heap.ArenaAllocator.init(allocator) };
    }

    pub fn empty(self: *Room) void {
        _ = self.arena.reset(.{ .retain_with_limit = 1 << 22 });
    }

    /// The text that a node of a JSON line stands for.
    pub fn ofNode(self: *Room, node: *const json.Node) Error!Text {
        if (!node.escaped) return self.of(node.text, node.ascii);
        const allocator = self.arena.allocator();
        var plain: Bytes = .{};
        try plain.ensureTotalCapacity(allocator, node.text.len);
        try json.unescape(node.text, allocator, &plain);
        return self.of(plain.items, isAscii(plain.items));
    }

    pub fn of(self: *Room, original: []const u8, ascii: bool) Error!Text {
        if (ascii) return .{
            .original = original,
            .folded = original,
            .view = original,
            .length = original.len,
            .blank = isBlank(original),
        };
        return self.fold(original);
    }

    /// What is read of a long text where texts are joined: up to the last space of its first `reach` characters, and from
    /// the first space of its last ones on.
    pub fn ends(self: *Room, text: *const Text) Error![2]Text {
        const original = text.original;
        const plain = text.length == original.len;
        const first = original[0..if (plain) tables.reach else offset(original, tables.reach)];
        const head = if (std.mem.lastIndexOfScalar(u8, first, ' ')) |at| first[0 .. at + 1] else "";
        const last = original[if (plain) original.len - tables.reach else offsetOfLast(original, tables.reach)..];
        const tail = if (std.mem.indexOfScalar(u8, last, ' ')) |at| last[at..] else "";
        return .{ try self.of(head, plain or isAscii(head)), try self.of(tail, plain or isAscii(tail)) };
    }

    fn fold(self: *Room, original: []const u8) Error!Text {
        const allocator = self.arena.allocator();
        var folded: Bytes = .{};
        var view: Bytes = .{};
        try folded.ensureTotalCapacity(allocator, original.len + original.len / 8);
        try view.ensureTotalCapacity(allocator, original.len);
        var found = Text{ .original = original, .folded = "", .view = "", .length = 0, .blank = true };
        var at: usize = 0;
        while (at < original.len) : (found.length += 1) {
            const plain = asciiRun(original[at..]);
            if (plain.len > 0) {
                try folded.appendSlice(allocator, plain);
                try view.appendSlice(allocator, plain);
                found.blank = found.blank and isBlank(plain);
                found.length += plain.len;
                at += plain.len;
                if (at == original.len) break;
            }
            const byte = original[at];
            const size = std.unicode.utf8ByteSequenceLength(byte) catch return error.Unusual;
            if (at + size > original.len) return error.Unusual;
            const char = original[at..][0..size];
            const point = std.unicode.utf8Decode(char) catch return error.Unusual;
            at += size;
            const said = tables.fold[@as(usize, tables.fold_page[point >> 8]) << 8 | (point & 0xff)];
            found.script = found.script or said & tables.fold_script != 0;
            found.blank = found.blank and said & tables.fold_space != 0;
            switch (said & (tables.fold_space - 1)) {
                tables.fold_identity => {
                    try folded.appendSlice(allocator, char);
                    try view.append(allocator, tables.other);
                },
                tables.fold_unread => return error.Unusual,
                else => |number| {
                    const text = replacement(number);
                    for (tables.fold_text[text[0]..text[1]]) |unit| {
                        const part: u8 = @intCast(unit);
                        try folded.append(allocator, part);
                        // The later bytes of a character count with its first.
                        if (part & 0xc0 != 0x80) try view.append(allocator, if (part < 0x80) part else tables.other);
                    }
                },
            }
        }
        found.folded = folded.items;
        found.view = view.items;
        return found;
    }
};

fn replacement(number: usize) [2]usize {
    return .{ tables.fold_text_at[number], tables.fold_text_at[number + 1] };
}

/// Where the character of this number begins.
fn offset(original: []const u8, number: usize) usize {
    var at: usize = 0;
    for (0..number) |_| at += std.unicode.utf8ByteSequenceLength(original[at]) catch unreachable;
    return at;
}

/// Where the last so many characters begin.
fn offsetOfLast(original: []const u8, number: usize) usize {
    var at = original.len;
    for (0..number) |_| {
        at -= 1;
        while (original[at] & 0xc0 == 0x80) at -= 1;
    }
    return at;
}

/// The characters a text begins with that are ASCII.
fn asciiRun(text: []const u8) []const u8 {
    var at: usize = 0;
    while (at + lanes <= text.len) : (at += lanes) {
        const above: u16 = @bitCast(@as(Lanes, text[at..][0..lanes].*) >= @as(Lanes, @splat(0x80)));
        if (above != 0) return text[0 .. at + @ctz(above)];
    }
    while (at < text.len and text[at] < 0x80) at += 1;
    return text[0..at];
}

pub fn isAscii(text: []const u8) bool {
    return asciiRun(text).len == text.len;
}

/// Whether a line holds nothing, as Python's `bytes.isspace` has it.
pub fn isEmptyLine(line: []const u8) bool {
    for (line) |byte| if (!std.ascii.isWhitespace(byte)) return false;
    return true;
}

fn isBlank(text: []const u8) bool {
    for (text) |byte| if (!isSpace(byte)) return false;
    return true;
}

/// White space as Python's `str.isspace` has it.
fn isSpace(byte: u8) bool {
    return byte == ' ' or (byte >= 0x09 and byte <= 0x0d) or (byte >= 0x1c and byte <= 0x1f);
}
