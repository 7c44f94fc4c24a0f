//! What has to be known of texts before their lines are clean: by rule, joined for one search, or of a text as a whole.

const std = @import("std");
const tables = @import("tables.zig");
const text_ = @import("text.zig");
const reading = @import("reading.zig");
const Places = @import("places.zig").Places;
const Ends = @import("memory.zig").Ends;

const Text = text_.Text;
const Error = @import("json.zig").Error;
const Attacks = reading.Attacks;
const Secrets = reading.Secrets;
const between = tables.between[0..tables.between_count];
/// Stands where the middle of a long text is left out.
pub const cut = "\n \x00 \n";
const most_asked = 1 << 23; // bytes of texts in questions; what is asked beyond is not told apart
pub const anchored = Attacks.ofRow(tables.attack_anchored, 0);

/// What may be in a text: bytes from `begin` to `end`. `owner` is the line, or above all lines a long text.
pub const Asked = extern struct { owner: u32, kinds: reading.Kinds, begin: u32, end: u32 };

/// That a line holds a long text.
pub const Use = struct { line: u32, text: u32 };

/// The texts one rule could match, joined by `tables.between`: text i begins at `starts[i]` and is `owners[i]`'s.
pub const OfRule = struct {
    joined: std.ArrayListUnmanaged(u8) = .{},
    starts: std.ArrayListUnmanaged(u32) = .{},
    owners: std.ArrayListUnmanaged(u32) = .{},
};

pub const rules = tables.attack_rules + tables.secret_rules;

const List = std.ArrayListUnmanaged(Asked);

pub const Questions = struct {
    allocator: std.mem.Allocator,
    /// Attack rules first, then those for credentials.
    of_rule: [rules]OfRule = @splat(.{}),
    texts: List = .{},
    stretches: List = .{},
    bytes: std.ArrayListUnmanaged(u8) = .{},
    uses: std.ArrayListUnmanaged(Use) = .{},
    joined: std.ArrayListUnmanaged(u8) = .{},
    size: usize = 0,

    pub fn deinit(self: *Questions) void {
        for (&self.of_rule) |*rule| {
            rule.joined.deinit(self.allocator);
            rule.starts.deinit(self.allocator);
            rule.owners.deinit(self.allocator);
        }
        self.texts.deinit(self.allocator);
        self.stretches.deinit(self.allocator);
        self.bytes.deinit(self.allocator);
        self.uses.deinit(self.allocator);
        self.joined.deinit(self.allocator);
    }

    pub fn clear(self: *Questions) void {
        for (&self.of_rule) |*rule| {
            rule.joined.clearRetainingCapacity();
            rule.starts.clearRetainingCapacity();
            rule.owners.clearRetainingCapacity();
        }
        self.texts.clearRetainingCapacity();
        self.stretches.clearRetainingCapacity();
        self.bytes.clearRetainingCapacity();
        self.uses.clearRetainingCapacity();
        self.size = 0;
    }

    pub fn ofText(self: *Questions, text: []const Part, kinds: reading.Kinds, owner: u32) Error!void {
        try self.keep(&self.texts, text, kinds, owner);
    }

    /// Asks of several texts joined.
    pub fn ofStretch(self: *Questions, parts: []const Part, kinds: reading.Kinds, owner: u32) Error!void {
        try self.keep(&self.stretches, parts, kinds, owner);
    }

    pub fn ofSecrets(self: *Questions, secrets: Secrets, text: *const Text, owner: u32) Error!void {
        var asked = secrets;
        while (asked.take()) |rule| try self.ofRule(tables.attack_rules + rule, text.folded, owner);
    }

    /// Asks rules of what they have to read of texts: `near` says what that is, or nothing if it is all.
    pub fn ofAttacks(self: *Questions, attacks: Attacks, parts: []const Part, near: ?*const Places, owner: u32) Error!void {
        if (attacks.isEmpty()) return;
        const alone = parts.len == 1 and parts[0].tail == null;
        if (!alone) try self.join(parts, .folded);
        const text = if (alone) parts[0].head.folded else self.joined.items;
        // Places are told in characters.
        const plain = near != null and for (parts) |*part| {
            if (!part.head.isPlain() or (part.tail != null and !part.tail.?.isPlain())) break false;
        } else true;
        var asked = attacks;
        while (asked.take()) |rule| {
            const begin, const end = if (plain) near.?.stretch(rule) else .{ 0, text.len };
            try self.ofRule(rule, text[begin..@min(end, text.len)], owner);
        }
    }

    fn ofRule(self: *Questions, number: usize, text: []const u8, owner: u32) Error!void {
        try self.count(text);
        const rule = &self.of_rule[number];
        if (rule.joined.items.len > 0) try rule.joined.appendSlice(self.allocator, between);
        try rule.starts.append(self.allocator, @intCast(rule.joined.items.len));
        try rule.owners.append(self.allocator, owner);
        try rule.joined.appendSlice(self.allocator, text);
    }

    fn count(self: *Questions, text: []const u8) Error!void {
        if (self.size > most_asked) return error.Unusual;
        self.size += text.len;
    }

    /// The rules for other scripts read what was written, all others the folded text.
    fn keep(self: *Questions, list: *List, parts: []const Part, kinds: reading.Kinds, owner: u32) Error!void {
        var folded = kinds;
        folded.script = false;
        if (folded.any()) {
            try self.join(parts, .folded);
            try self.put(list, folded, owner);
        }
        if (kinds.script) {
            try self.join(parts, .original);
            try self.put(list, .{ .script = true }, owner);
        }
    }

    fn put(self: *Questions, list: *List, kinds: reading.Kinds, owner: u32) Error!void {
        const text = self.joined.items;
        try self.count(text);
        const begin: u32 = @intCast(self.bytes.items.len);
        try self.bytes.appendSlice(self.allocator, text);
        const end: u32 = @intCast(self.bytes.items.len);
        try list.append(self.allocator, .{ .owner = owner, .kinds = kinds, .begin = begin, .end = end });
    }

    /// All that is read of several texts in order, as `tunegate.scan.screen.turns` has it.
    fn join(self: *Questions, parts: []const Part, comptime form: std.meta.FieldEnum(Text)) Error!void {
        self.joined.clearRetainingCapacity();
        for (parts, 0..) |part, at| {
            if (at > 0) try self.joined.append(self.allocator, ' ');
            try self.joined.appendSlice(self.allocator, @field(part.head, @tagName(form)));
            if (part.tail) |tail| {
                try self.joined.appendSlice(self.allocator, cut);
                try self.joined.appendSlice(self.allocator, @field(tail, @tagName(form)));
            }
        }
    }
};

/// What is read of one of several texts: all of it, or the two ends of a long one.
/// `ends`: what came of them when they were read before.
pub const Part = struct { head: Text, tail: ?Text = null, ends: ?*const Ends = null };
