//! The texts of one record, who says each, and its shape, as `tunegate.scan.shapes` has them.

const std = @import("std");
const tables = @import("tables.zig");
const json = @import("json.zig");
const text_ = @import("text.zig");

const Text = text_.Text;
const Error = json.Error;

pub const Shape = enum(u8) { prompt_completion, converse, messages, input, image_caption, plain_text, unknown };

const no_role = 0;
pub const role_count = roles.len;
const roles = [_][]const u8{ "system", "user", "assistant" };
const schemas = [_][]const u8{ "bedrock-conversation-2024", "bedrock-conversion-2024" };
const told_keys = [_][]const u8{ "image-ref", "schemaVersion", "s3Location" };
const longest_plain_key = 24;
const least_digits = 9; // of a number that may be an identifier

/// Collects the texts of records; what it holds is valid until the next one.
pub const Reader = struct {
    room: text_.Room,
    parser: json.Parser,
    allocator: std.mem.Allocator,
    texts: std.ArrayListUnmanaged(Text) = .{},
    nodes: []const json.Node = &.{},

    pub fn init(allocator: std.mem.Allocator) Reader {
        return .{ .room = text_.Room.init(allocator), .parser = .{ .allocator = allocator }, .allocator = allocator };
    }

    pub fn deinit(self: *Reader) void {
        self.room.arena.deinit();
        self.parser.nodes.deinit(self.allocator);
        self.texts.deinit(self.allocator);
    }

    pub fn readText(self: *Reader, line: []const u8) Error!Shape {
        self.begin();
        try self.add(try self.room.of(line, text_.isAscii(line)), no_role);
        return .plain_text;
    }

    pub fn readJson(self: *Reader, line: []const u8) Error!Shape {
        self.begin();
        self.nodes = try self.parser.parse(line);
        try self.collect(0, no_role, false);
        return try self.shape();
    }

    fn begin(self: *Reader) void {
        self.texts.clearRetainingCapacity();
        self.room.empty();
    }

    fn add(self: *Reader, text: Text, role: u8) Error!void {
        try self.texts.append(self.allocator, text);
        self.texts.items[self.texts.items.len - 1].role = role;
    }

    /// The texts at and below a node. `spoken`: below the key "messages".
    fn collect(self: *Reader, at: u32, role: u8, spoken: bool) Error!void {
        const node = &self.nodes[at];
        switch (node.kind) {
            .string => try self.add(try self.room.ofNode(node), role),
            .integer => {
                const digits = std.mem.trimLeft(u8, node.text, "-");
                if (digits.len >= least_digits) try self.add(try self.room.of(node.text, true), role);
            },
            .other => {},
            .array => {
                var item = at + 1;
                while (item < node.next) : (item = self.nodes[item].next) try self.collect(item, role, spoken);
            },
            .object => try self.collectObject(at, role, spoken),
        }
    }

    fn collectObject(self: *Reader, at: u32, role: u8, spoken: bool) Error!void {
        const end = self.nodes[at].next;
        var own = role;
        var key = at + 1;
        while (key < end) : (key = self.nodes[key + 1].next) {
            const name = self.nodes[key].text;
            if (!isPlain(name)) try self.add(try self.room.ofNode(&self.nodes[key]), no_role);
            if (spoken and std.mem.eql(u8, name, "role")) {
                if (try self.numberIn(&roles, key + 1)) |number| own = number + 1;
            }
        }
        key = at + 1;
        while (key < end) : (key = self.nodes[key + 1].next) {
            const name = self.nodes[key].text;
            if (try self.isGiven(name, key + 1)) continue;
            const said = if (own != no_role) own else fieldRole(name);
            try self.collect(key + 1, said, spoken or std.mem.eql(u8, name, "messages"));
        }
    }

    /// Whether a value is one that the formats prescribe, and so says nothing.
    fn isGiven(self: *Reader, name: []const u8, at: u32) Error!bool {
        if (std.mem.eql(u8, name, "role")) return try self.numberIn(&roles, at) != null;
        if (std.mem.eql(u8, name, "schemaVersion")) return try self.numberIn(&schemas, at) != null;
        return false;
    }

    fn numberIn(self: *Reader, among: []const []const u8, at: u32) Error!?u8 {
        const node = &self.nodes[at];
        if (node.kind != .string) return null;
        if (node.escaped) return error.Unusual;
        for (among, 0..) |one, number| if (std.mem.eql(u8, node.text, one)) return @intCast(number);
        return null;
    }

    fn shape(self: *Reader) Error!Shape {
        if (self.nodes[0].kind != .object) return .unknown;
        if (self.field("messages")) |messages| {
            if (self.field("schemaVersion")) |schema| {
                if (try self.numberIn(&schemas, schema) != null and self.areMessages(messages, .array)) return .converse;
            }
            if (self.areMessages(messages, .string)) return .messages;
        }
        if (self.isText("prompt") and self.isText("completion")) return .prompt_completion;
        if (self.isText("image-ref") and self.isText("caption")) return .image_caption;
        return if (self.isText("input")) .input else .unknown;
    }

    fn areMessages(self: *const Reader, at: u32, content: json.Kind) bool {
        if (self.nodes[at].kind != .array) return false;
        var turn = at + 1;
        while (turn < self.nodes[at].next) : (turn = self.nodes[turn].next) {
            const role = self.fieldOf(turn, "role") orelse return false;
            const said = self.fieldOf(turn, "content") orelse return false;
            if (self.nodes[role].kind != .string or self.nodes[said].kind != content) return false;
        }
        return turn > at + 1;
    }

    fn isText(self: *const Reader, name: []const u8) bool {
        const at = self.field(name) orelse return false;
        return self.nodes[at].kind == .string;
    }

    fn field(self: *const Reader, name: []const u8) ?u32 {
        return self.fieldOf(0, name);
    }

    /// The node of an object's value.
    fn fieldOf(self: *const Reader, at: u32, name: []const u8) ?u32 {
        if (self.nodes[at].kind != .object) return null;
        var key = at + 1;
        while (key < self.nodes[at].next) : (key = self.nodes[key + 1].next) {
            if (std.mem.eql(u8, self.nodes[key].text, name)) return key + 1;
        }
        return null;
    }
};

fn fieldRole(name: []const u8) u8 {
    if (std.mem.eql(u8, name, "system")) return 1;
    if (std.mem.eql(u8, name, "prompt")) return 2;
    return if (std.mem.eql(u8, name, "completion")) 3 else no_role;
}

/// Whether a key may be told of, and so is no text.
fn isPlain(key: []const u8) bool {
    for (told_keys) |told| if (std.mem.eql(u8, key, told)) return true;
    if (key.len == 0 or key.len > longest_plain_key or !std.ascii.isAlphabetic(key[0])) return false;
    for (key[1..]) |byte| if (!std.ascii.isAlphabetic(byte) and byte != '_' and byte != '-') return false;
    return true;
}
