//! Tells of many lines at once which of them can hold nothing that the screen finds, and asks about the others.
//!
//! A question is about a text that a rule could match: there may be too many, never too few. A line is clean if none of
//! its questions is answered with yes. A line that is not read in the usual way is always one to read.

const std = @import("std");
const tables = @import("tables.zig");
const json = @import("json.zig");
const text_ = @import("text.zig");
const record = @import("record.zig");
const reading_ = @import("reading.zig");
const memory = @import("memory.zig");
const questions = @import("questions.zig");

const Text = text_.Text;
const Part = questions.Part;
const Traces = reading_.Traces;
const Error = json.Error;

const longest_line = 1 << 24; // bytes
const first_long = 1 << 31; // owners from here on are long texts
const no_record: u8 = 0xfe;
const to_read: u8 = 0xff;

/// How lines are read. `texts` are records of JSON put together by the caller: of each all is asked, and nothing is
/// remembered of its texts.
pub const Form = enum(u8) { jsonl, text, texts };

/// Whether it may refer to a bucket: which of them are trusted is told elsewhere.
fn isReference(text: *const Text) bool {
    return std.mem.startsWith(u8, text.original, "s3") or std.mem.startsWith(u8, text.original, "S3");
}

fn hasDigit(view: []const u8) bool {
    for (view) |byte| if (std.ascii.isDigit(byte)) return true;
    return false;
}

pub const Sieve = struct {
    allocator: std.mem.Allocator,
    reader: record.Reader,
    reading: reading_.Reading,
    known: memory.Memory,
    asked: questions.Questions,
    /// For each line its shape, `no_record` or `to_read`.
    lines: std.ArrayListUnmanaged(u8) = .{},
    /// And where it begins.
    starts: std.ArrayListUnmanaged(u32) = .{},
    parts: std.ArrayListUnmanaged(Part) = .{},
    letters: std.ArrayListUnmanaged(u8) = .{},

    pub fn init(allocator: std.mem.Allocator) error{OutOfMemory}!Sieve {
        return .{
            .allocator = allocator,
            .reader = record.Reader.init(allocator),
            .reading = try reading_.Reading.init(allocator),
            .known = .{ .allocator = allocator },
            .asked = .{ .allocator = allocator },
        };
    }

    pub fn deinit(self: *Sieve) void {
        self.reader.deinit();
        self.reading.deinit(self.allocator);
        self.known.deinit();
        self.asked.deinit();
        self.lines.deinit(self.allocator);
        self.starts.deinit(self.allocator);
        self.parts.deinit(self.allocator);
        self.letters.deinit(self.allocator);
    }

    /// Says of each line, which line feeds separate, what it is, and asks what has to be known of them.
    pub fn sift(self: *Sieve, data: []const u8, form: Form) error{OutOfMemory}!void {
        self.lines.clearRetainingCapacity();
        self.asked.clear();
        self.known.next();
        self.starts.clearRetainingCapacity();
        var lines = std.mem.splitScalar(u8, data, '\n');
        while (lines.next()) |ended| {
            try self.starts.append(self.allocator, @intCast(@intFromPtr(ended.ptr) - @intFromPtr(data.ptr)));
            const line = if (std.mem.endsWith(u8, ended, "\r")) ended[0 .. ended.len - 1] else ended;
            const texts = self.asked.texts.items.len;
            const stretches = self.asked.stretches.items.len;
            const met = self.known.count();
            const said = self.siftLine(line, form) catch |problem| switch (problem) {
                error.Unusual => unusual: {
                    // Half of the questions about a text would be taken for all of them.
                    self.asked.texts.shrinkRetainingCapacity(texts);
                    self.asked.stretches.shrinkRetainingCapacity(stretches);
                    self.known.convictFrom(met);
                    break :unusual to_read;
                },
                error.OutOfMemory => return error.OutOfMemory,
            };
            try self.lines.append(self.allocator, said);
        }
    }

    /// Takes in that something is in the texts of these owners, and nothing in all others: their lines are to be read.
    pub fn settle(self: *Sieve, owners: []const u32) void {
        for (owners) |owner| {
            if (owner < first_long) self.lines.items[owner] = to_read else self.known.convict(owner - first_long);
        }
        for (self.asked.uses.items) |use| {
            if (self.known.isConvicted(use.text)) self.lines.items[use.line] = to_read;
        }
        self.known.settle();
    }

    fn siftLine(self: *Sieve, line: []const u8, form: Form) Error!u8 {
        if (text_.isEmptyLine(line)) return no_record;
        if (line.len > longest_line) return error.Unusual;
        const shape = switch (form) {
            .jsonl, .texts => try self.reader.readJson(line),
            .text => try self.reader.readText(line),
        };
        const texts = self.reader.texts.items;
        for (texts) |*text| {
            if (form != .texts and isReference(text)) return error.Unusual;
            if (!text.isLong()) continue;
            if (form == .texts) try self.askAlone(text, self.number()) else try self.askOfLong(text);
        }
        if (texts.len > 1) {
            try self.askAcross(texts);
        } else if (texts.len == 1 and !texts[0].isLong()) {
            try self.askAlone(&texts[0], self.number());
        }
        return @intFromEnum(shape);
    }

    /// The number of the line that is being read, by which its questions go.
    fn number(self: *const Sieve) u32 {
        return @intCast(self.lines.items.len);
    }

    /// A long text is read once, however many records hold it.
    fn askOfLong(self: *Sieve, text: *Text) Error!void {
        const met = try self.known.find(text.original);
        // Of what stands alone the ends are read no second time.
        if (self.reader.texts.items.len > 1) text.number = met.number;
        if (self.known.isConvicted(met.number)) return error.Unusual;
        if (met.new) try self.askAlone(text, first_long + met.number);
        if (self.known.isOpen(met.number)) {
            try self.asked.uses.append(self.allocator, .{ .line = self.number(), .text = met.number });
        }
    }

    fn askAlone(self: *Sieve, text: *const Text, owner: u32) Error!void {
        const part = [_]Part{.{ .head = text.* }};
        try self.reading.begin();
        if (text.number != null) {
            try self.readWithEnds(text);
        } else {
            try self.readPart(&part[0]);
        }
        var found = self.reading.alone();
        try self.asked.ofAttacks(self.reading.attacks(), &part, &self.reading.places, owner);
        if (found.leets > 1 and found.onlyLeet() and !try self.leetTells(&part)) found.leets = 0;
        try self.askInside(&found, &part, owner, text.script);
    }

    /// Reads a long text, and keeps what came of its ends. Their views are those of its first and last characters.
    fn readWithEnds(self: *Sieve, text: *const Text) Error!void {
        const head, const tail = try self.reader.room.ends(text);
        const view = text.view;
        // The space with which the last words begin is of what stands before them.
        const behind = view.len - tail.view.len + @min(tail.view.len, 1);
        try self.reading.feed(view[0..head.view.len], false);
        const first = try self.reading.summary(self.allocator);
        errdefer first.free(self.allocator);
        self.reading.nextPart();
        try self.reading.feed(view[head.view.len..behind], false);
        self.reading.nextPart();
        try self.reading.feed(view[behind..], true);
        const last = try self.reading.summary(self.allocator);
        errdefer last.free(self.allocator);
        self.reading.endPart();
        try self.known.keepEnds(text.number.?, .{ .head = first, .tail = last });
    }

    /// Asks of one text, just read, all but attack rules.
    fn askInside(self: *Sieve, found: *const Traces, text: []const Part, owner: u32, script: bool) Error!void {
        const view = text[0].head.view;
        var kinds = found.inside();
        if (found.with_digits or text[0].head.script) kinds.identifier = kinds.identifier or hasDigit(view);
        // What ends in a text may have begun in the one before.
        if (view.len < tables.shortest_hidden) kinds.hidden = false;
        if (view.len < tables.shortest_identifier) kinds.identifier = false;
        kinds.script = script;
        if (kinds.any()) try self.asked.ofText(text, kinds, owner);
        try self.asked.ofSecrets(found.secrets, &text[0].head, owner);
    }

    /// Asks what phrases over several texts could be: over all in order, and of each speaker who has several.
    fn askAcross(self: *Sieve, texts: []const Text) Error!void {
        try self.readTexts(texts, null);
        var said: [record.role_count + 1]usize = @splat(0);
        for (texts) |*text| said[text.role] += 1;
        for (said, 0..) |count, role| {
            if (count > 1 and count < texts.len) try self.readTexts(texts, @intCast(role));
        }
    }

    /// Reads texts, of one speaker or of all, as one; many in stretches that overlap, as `turns.seams` has them.
    fn readTexts(self: *Sieve, texts: []const Text, role: ?u8) Error!void {
        self.parts.clearRetainingCapacity();
        for (texts) |*text| {
            if (text.blank or (role != null and text.role != role)) continue;
            try self.parts.append(self.allocator, try self.partOf(text));
        }
        var first: usize = 0;
        var count: usize = 0;
        // Of speakers only stretches are asked: what is in each of their texts was.
        var asked = if (role == null) 0 else self.parts.items.len;
        for (self.parts.items, 0..) |*part, at| {
            if (part.tail != null) {
                count = 1;
            } else if (count < tables.most_texts) {
                count += 1;
            } else {
                try self.readStretch(self.parts.items[first..at], asked -| first);
                asked = @max(asked, at);
                first = at - tables.carried_texts;
                count = tables.carried_texts + 1;
            }
        }
        try self.readStretch(self.parts.items[first..], asked -| first);
    }

    /// Reads parts as one, and asks of them together. What is in each was asked of the first so many already.
    fn readStretch(self: *Sieve, parts: []const Part, asked: usize) Error!void {
        var script = false;
        try self.reading.begin();
        for (parts, 0..) |*part, at| {
            script = script or part.head.script or (part.tail != null and part.tail.?.script);
            try self.readPart(part);
            if (at >= asked and part.tail == null) try self.askOfShort(part.*);
        }
        const found = self.reading.whole;
        var kinds = found.together();
        kinds.script = script;
        try self.asked.ofAttacks(self.reading.attacks(), parts, &self.reading.places, self.number());
        if (kinds.hidden and found.onlyLeet()) kinds.hidden = try self.leetTells(parts);
        if (kinds.any()) try self.asked.ofStretch(parts, kinds, self.number());
    }

    /// Whether parts could hold something if figures are read as the letters they look like.
    fn leetTells(self: *Sieve, parts: []const Part) Error!bool {
        try self.reading.begin();
        for (parts) |*part| {
            self.reading.beginPart();
            try self.reading.feed(try self.asLetters(part.head.view), part.tail == null);
            if (part.tail) |tail| {
                try self.reading.feed(questions.cut, false);
                try self.reading.feed(try self.asLetters(tail.view), true);
            }
            self.reading.endPart();
        }
        const found = &self.reading.whole;
        return !found.attacks().isEmpty() or found.encoded or found.modelled() or found.together().hidden;
    }

    fn asLetters(self: *Sieve, view: []const u8) Error![]const u8 {
        try self.letters.resize(self.allocator, view.len);
        for (self.letters.items, view) |*to, byte| to.* = tables.leet[byte];
        return self.letters.items;
    }

    /// Rules without anchors match in the stretch what they match in one of its texts, and so do those for other scripts.
    fn askOfShort(self: *Sieve, part: Part) Error!void {
        try self.askInside(&self.reading.part, &.{part}, self.number(), false);
        try self.asked.ofAttacks(self.reading.part.attacks().both(questions.anchored), &.{part}, null, self.number());
    }

    fn partOf(self: *Sieve, text: *const Text) Error!Part {
        if (!text.isLong()) return .{ .head = text.* };
        const head, const tail = try self.reader.room.ends(text);
        return .{ .head = head, .tail = tail, .ends = if (text.number) |met| self.known.ends.getPtr(met) else null };
    }

    fn readPart(self: *Sieve, part: *const Part) Error!void {
        self.reading.beginPart();
        const tail = part.tail orelse {
            try self.reading.feed(part.head.view, true);
            return self.reading.endPart();
        };
        const known = part.ends != null and try self.reading.repeat(&part.ends.?.head);
        if (!known) try self.reading.feed(part.head.view, false);
        try self.reading.feed(questions.cut, false);
        const space = @min(tail.view.len, 1);
        try self.reading.feed(tail.view[0..space], false);
        const repeated = known and try self.reading.repeat(&part.ends.?.tail);
        if (!repeated) try self.reading.feed(tail.view[space..], true);
        self.reading.endPart();
    }
};
