//! One line of JSON as a flat list of nodes. Whatever is unusual is refused: the caller reads such a line elsewhere.

const std = @import("std");

pub const Kind = enum(u8) { object, array, string, integer, other };

/// A value, or the key of the value behind it. `text` is a string without its quotes, or a number as it stands;
/// `next` is the number of the node behind all that is inside.
pub const Node = struct {
    kind: Kind,
    escaped: bool = false,
    ascii: bool = true,
    text: []const u8 = "",
    next: u32 = 0,
};

pub const Error = error{ Unusual, OutOfMemory };

const deepest = 32;
const most_keys = 64;
const most_nodes = 1 << 18; // of a line: what is made of them takes many times their size
const most_digits = 18; // of an integer that every parser reads as one
const lanes = 16;
const Lanes = @Vector(lanes, u8);

pub const Parser = struct {
    allocator: std.mem.Allocator,
    nodes: std.ArrayListUnmanaged(Node) = .{},
    line: []const u8 = "",
    at: usize = 0,

    /// The nodes of a line that is one JSON value; valid until the next call.
    pub fn parse(self: *Parser, line: []const u8) Error![]const Node {
        self.nodes.clearRetainingCapacity();
        self.line = line;
        self.at = 0;
        self.skipSpace();
        try self.value(0);
        self.skipSpace();
        if (self.at != line.len) return error.Unusual;
        return self.nodes.items;
    }

    fn peek(self: *const Parser) u8 {
        return if (self.at < self.line.len) self.line[self.at] else 0;
    }

    fn skipSpace(self: *Parser) void {
        while (self.at < self.line.len) : (self.at += 1) {
            switch (self.line[self.at]) {
                ' ', '\t', '\r', '\n' => {},
                else => return,
            }
        }
    }

    fn expect(self: *Parser, text: []const u8) Error!void {
        if (!std.mem.startsWith(u8, self.line[self.at..], text)) return error.Unusual;
        self.at += text.len;
    }

    fn add(self: *Parser, node: Node) Error!u32 {
        if (self.nodes.items.len == most_nodes) return error.Unusual;
        const at: u32 = @intCast(self.nodes.items.len);
        try self.nodes.append(self.allocator, node);
        self.nodes.items[at].next = at + 1;
        return at;
    }

    fn value(self: *Parser, depth: usize) Error!void {
        switch (self.peek()) {
            '"' => _ = try self.string(),
            '{' => try self.object(depth + 1),
            '[' => try self.array(depth + 1),
            't' => try self.word("true"),
            'f' => try self.word("false"),
            'n' => try self.word("null"),
            else => try self.number(),
        }
    }

    fn word(self: *Parser, text: []const u8) Error!void {
        try self.expect(text);
        _ = try self.add(.{ .kind = .other });
    }

    fn array(self: *Parser, depth: usize) Error!void {
        if (depth > deepest) return error.Unusual;
        const opened = try self.add(.{ .kind = .array });
        self.at += 1;
        self.skipSpace();
        if (self.peek() == ']') {
            self.at += 1;
        } else while (true) {
            self.skipSpace();
            try self.value(depth);
            if (try self.closes(']')) break;
        }
        self.nodes.items[opened].next = @intCast(self.nodes.items.len);
    }

    fn object(self: *Parser, depth: usize) Error!void {
        if (depth > deepest) return error.Unusual;
        const opened = try self.add(.{ .kind = .object });
        var keys: [most_keys]u32 = undefined;
        var count: usize = 0;
        self.at += 1;
        self.skipSpace();
        if (self.peek() == '}') {
            self.at += 1;
        } else while (true) {
            self.skipSpace();
            if (self.peek() != '"') return error.Unusual;
            const key = try self.string();
            const text = self.nodes.items[key].text;
            if (self.nodes.items[key].escaped or count == most_keys) return error.Unusual;
            for (keys[0..count]) |other| {
                if (std.mem.eql(u8, self.nodes.items[other].text, text)) return error.Unusual;
            }
            keys[count] = key;
            count += 1;
            self.skipSpace();
            try self.expect(":");
            self.skipSpace();
            try self.value(depth);
            if (try self.closes('}')) break;
        }
        self.nodes.items[opened].next = @intCast(self.nodes.items.len);
    }

    /// Whether the container ends here; otherwise stands behind the comma.
    fn closes(self: *Parser, end: u8) Error!bool {
        self.skipSpace();
        const found = self.peek();
        self.at += 1;
        if (found == end) return true;
        if (found != ',') return error.Unusual;
        return false;
    }

    fn string(self: *Parser) Error!u32 {
        const begin = self.at + 1;
        var at = begin;
        var escaped = false;
        var high: u8 = 0;
        while (true) {
            while (at + lanes <= self.line.len) {
                const chunk: Lanes = self.line[at..][0..lanes].*;
                const quote = chunk == @as(Lanes, @splat('"'));
                const slash = chunk == @as(Lanes, @splat('\\'));
                const control = chunk < @as(Lanes, @splat(0x20));
                const stops = @as(u16, @bitCast(quote)) | @as(u16, @bitCast(slash)) | @as(u16, @bitCast(control));
                const above = @as(u16, @bitCast(chunk >= @as(Lanes, @splat(0x80))));
                if (stops != 0) {
                    const ahead = @ctz(stops);
                    if (above & ((@as(u16, 1) << @intCast(ahead)) - 1) != 0) high = 0x80;
                    at += ahead;
                    break;
                }
                if (above != 0) high = 0x80;
                at += lanes;
            }
            if (at >= self.line.len) return error.Unusual;
            switch (self.line[at]) {
                '"' => break,
                '\\' => {
                    escaped = true;
                    at += 2;
                },
                else => |byte| {
                    if (byte < 0x20) return error.Unusual;
                    high |= byte;
                    at += 1;
                },
            }
        }
        self.at = at + 1;
        return self.add(.{ .kind = .string, .escaped = escaped, .ascii = high < 0x80, .text = self.line[begin..at] });
    }

    fn number(self: *Parser) Error!void {
        const begin = self.at;
        if (self.peek() == '-') self.at += 1;
        const whole = self.digits();
        if (whole == 0 or (whole > 1 and self.line[self.at - whole] == '0')) return error.Unusual;
        var kind: Kind = .integer;
        if (self.peek() == '.') {
            self.at += 1;
            if (self.digits() == 0) return error.Unusual;
            kind = .other;
        } else if (whole > most_digits) return error.Unusual;
        if (self.peek() | 0x20 == 'e') return error.Unusual;
        _ = try self.add(.{ .kind = kind, .text = self.line[begin..self.at] });
    }

    fn digits(self: *Parser) usize {
        const begin = self.at;
        while (std.ascii.isDigit(self.peek())) self.at += 1;
        return self.at - begin;
    }
};

/// The characters that a string with escapes stands for, behind what is in `into` already.
pub fn unescape(text: []const u8, allocator: std.mem.Allocator, into: *std.ArrayListUnmanaged(u8)) Error!void {
    var at: usize = 0;
    while (at < text.len) {
        const plain = std.mem.indexOfScalarPos(u8, text, at, '\\') orelse text.len;
        try into.appendSlice(allocator, text[at..plain]);
        if (plain == text.len) return;
        if (plain + 1 >= text.len) return error.Unusual;
        at = plain + 2;
        try into.append(allocator, switch (text[plain + 1]) {
            '"', '\\', '/' => |same| same,
            'b' => 0x08,
            'f' => 0x0c,
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                var point: u21 = try unit(text, at);
                at += 4;
                if (point >= 0xdc00 and point < 0xe000) return error.Unusual;
                if (point >= 0xd800 and point < 0xdc00) {
                    if (!std.mem.startsWith(u8, text[at..], "\\u")) return error.Unusual;
                    const low = try unit(text, at + 2);
                    if (low < 0xdc00 or low >= 0xe000) return error.Unusual;
                    at += 6;
                    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                }
                var encoded: [4]u8 = undefined;
                const length = std.unicode.utf8Encode(point, &encoded) catch return error.Unusual;
                try into.appendSlice(allocator, encoded[0..length]);
                continue;
            },
            else => return error.Unusual,
        });
    }
}

/// The number that four hexadecimal digits spell.
fn unit(text: []const u8, at: usize) Error!u21 {
    if (at + 4 > text.len) return error.Unusual;
    var found: u21 = 0;
    for (text[at..][0..4]) |digit| {
        found = found << 4 | (std.fmt.charToDigit(digit, 16) catch return error.Unusual);
    }
    return found;
}
