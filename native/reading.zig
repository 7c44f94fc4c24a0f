//! One pass over a text: which words of which rules stand in it, and which forms.

const std = @import("std");
const tables = @import("tables.zig");
const signs = @import("signs.zig");
const Bits = @import("bits.zig").Bits;
const words = @import("words.zig");

pub const Attacks = Bits(tables.word_keyword_words);
pub const Secrets = Bits(tables.word_secret_words);
const row_bits = 5;
/// Sums of doubles in another order differ by far less.
const least_gain: f64 = tables.least_gain - 1e-5;
const alone = Attacks.ofRow(tables.attack_alone, 0);

/// What may be in a text.
pub const Kinds = packed struct(u32) {
    identifier: bool = false,
    malware: bool = false,
    long: bool = false,
    hidden: bool = false,
    model: bool = false,
    script: bool = false,
    _: u26 = 0,

    pub fn any(self: Kinds) bool {
        return @as(u32, @bitCast(self)) != 0;
    }
};

/// What stands in a text, or in several that are read on as one.
pub const Traces = struct {
    keywords: Attacks = .{},
    companions: Attacks = .{},
    secrets: Secrets = .{},
    /// Log-odds that the model could give at most.
    gain: f64 = 0,
    identifier: bool = false,
    malware: bool = false,
    /// A run of characters that a credential without keywords could be.
    long: bool = false,
    /// What something hidden in one text needs.
    encoded: bool = false,
    /// What something hidden in one text or over several needs.
    across: bool = false,
    ciphered: bool = false,
    leets: u32 = 0,

    /// The attack rules that could match.
    pub fn attacks(self: *const Traces) Attacks {
        return self.keywords.both(self.companions.either(alone));
    }

    /// What one text has to be asked besides attack rules and credentials with keywords.
    pub fn inside(self: *const Traces) Kinds {
        return .{
            .identifier = self.identifier,
            .malware = self.malware,
            .long = self.long,
            .hidden = self.encoded or self.hide(),
            .model = self.modelled(),
        };
    }

    /// Whether the model could take one text for an attack.
    pub fn modelled(self: *const Traces) bool {
        return self.gain >= least_gain;
    }

    /// Whether only letters with figures between them say that something could hide.
    pub fn onlyLeet(self: *const Traces) bool {
        return !self.encoded and !self.across and !self.ciphered;
    }

    /// What several texts together have to be asked besides attack rules.
    pub fn together(self: *const Traces) Kinds {
        return .{ .hidden = self.hide(), .model = self.gain >= least_gain + tables.seam_margin };
    }

    fn hide(self: *const Traces) bool {
        return self.across or self.ciphered or self.leets > 1;
    }
};

/// Reads texts part by part. What was found since `begin` is in `whole`, since `beginPart` in `part`.
pub const Reading = struct {
    signs: signs.Signs,
    known: words.Words,
    /// Of which beginning of `signs` the states in `words` are.
    known_of: usize = 0,
    states: words.States = .{},
    whole: Traces = .{},
    part: Traces = .{},
    /// In which whole and in which part each word was last met: it counts once.
    met_in_whole: [tables.word_gain_count]u64 = @splat(0),
    met_in_part: [tables.word_gain_count]u64 = @splat(0),
    wholes: u64 = 0,
    parts: u64 = 0,

    pub fn init(allocator: std.mem.Allocator) error{OutOfMemory}!Reading {
        var known = try words.Words.init(allocator);
        errdefer known.deinit(allocator);
        return .{ .signs = try signs.Signs.init(allocator), .known = known };
    }

    pub fn deinit(self: *Reading, allocator: std.mem.Allocator) void {
        self.signs.deinit();
        self.known.deinit(allocator);
    }

    pub fn begin(self: *Reading) error{OutOfMemory}!void {
        self.states = .{};
        self.whole = .{};
        self.wholes += 1;
        self.beginPart();
        try self.feed(" ");
    }

    pub fn beginPart(self: *Reading) void {
        self.part = .{};
        self.parts += 1;
    }

    /// Reads on: a view (see text.zig) of a part, or what stands between parts.
    pub fn feed(self: *Reading, view: []const u8) error{OutOfMemory}!void {
        var at: usize = 0;
        while (at < view.len) {
            const word = words.Word.at(view, at) orelse {
                const end = @min(view.len, at + words.lanes);
                _ = try self.readBytes(view, at, end);
                at = end;
                continue;
            };
            at += word.size;
            // Begun anew, the numbers of states stand for others.
            if (self.known_of != self.signs.begun) self.forgetKnown();
            const from = self.states;
            if (self.known.step(word, from)) |step| {
                self.states = step.to;
                const begun = at - word.size;
                for (step.found) |found| if (found.behind > 0) self.foundWords(found.state, view[0 .. begun + found.behind]);
                continue;
            }
            const made = try self.readBytes(view, at - word.size, at);
            if (self.known_of == self.signs.begun) if (made) |step| self.known.keep(word, from, step);
        }
    }

    fn forgetKnown(self: *Reading) void {
        self.known.forget();
        self.known_of = self.signs.begun;
    }

    /// Reads from one place of a view to another. Null where more was found than a step over a word can say.
    fn readBytes(self: *Reading, view: []const u8, begin_at: usize, end: usize) error{OutOfMemory}!?words.Step {
        var word = self.states.word;
        var sign = self.states.sign;
        var made = words.Step{};
        var count: usize = 0;
        var signed = false;
        for (view[begin_at..end], begin_at..) |byte, at| {
            word = tables.word_next[@as(usize, word) << row_bits | tables.word_classes[byte]];
            sign = try self.signs.step(sign, tables.sign_classes[byte]);
            if (word >= tables.word_quiet) {
                self.foundWords(word - tables.word_quiet, view[0 .. at + 1]);
                if (count < words.most_found) {
                    made.found[count] = .{ .state = word - tables.word_quiet, .behind = @truncate(at + 1 - begin_at) };
                }
                count += 1;
            }
            if (sign & signs.telling != 0) {
                signed = true;
                self.foundSigns(self.signs.ended(sign), view[0 .. at + 1]);
            }
        }
        self.states = .{ .word = word, .sign = sign };
        made.to = self.states;
        return if (signed or count > words.most_found) null else made;
    }

    /// Adds the part that was read to the whole.
    pub fn endPart(self: *Reading) void {
        const part = &self.part;
        const whole = &self.whole;
        whole.keywords.join(part.keywords);
        whole.companions.join(part.companions);
        whole.ciphered = whole.ciphered or part.ciphered;
        whole.across = whole.across or part.across;
        whole.encoded = whole.encoded or part.encoded;
        // Two in one text are not two of a phrase over several.
        whole.leets += @intFromBool(part.leets > 0);
    }

    /// Notes the words that end in a state; `read` is what was read, as far back as it is at hand.
    fn foundWords(self: *Reading, state: usize, read: []const u8) void {
        for (tables.word_outputs[tables.word_outputs_at[state]..tables.word_outputs_at[state + 1]]) |number| {
            if (self.met_in_part[number] == self.parts) continue;
            if (tables.word_compared[number] == 0 or stands(number, read)) self.foundWord(number);
        }
    }

    fn foundWord(self: *Reading, number: usize) void {
        const part = &self.part;
        part.keywords.join(Attacks.ofRow(tables.word_keyword, number));
        part.companions.join(Attacks.ofRow(tables.word_companion, number));
        part.secrets.join(Secrets.ofRow(tables.word_secret, number));
        part.ciphered = part.ciphered or tables.word_ciphered[number] != 0;
        part.identifier = part.identifier or tables.word_identifier[number] != 0;
        part.malware = part.malware or tables.word_malware[number] != 0;
        part.gain += tables.word_gain[number];
        if (self.met_in_whole[number] != self.wholes) self.whole.gain += tables.word_gain[number];
        self.met_in_part[number] = self.parts;
        self.met_in_whole[number] = self.wholes;
    }

    fn foundSigns(self: *Reading, ended: u16, read: []const u8) void {
        const part = &self.part;
        part.identifier = part.identifier or has(ended, tables.sign_identifier);
        part.long = part.long or has(ended, tables.sign_long);
        part.across = part.across or has(ended, tables.sign_across);
        part.leets += @intFromBool(has(ended, tables.sign_leet));
        // What is all of one case is no base64.
        const run = has(ended, tables.sign_run) and hasCapital(read[read.len - tables.run_length ..]);
        part.encoded = part.encoded or run or has(ended, tables.sign_encoded);
        var separators = ended >> tables.sign_separators;
        while (separators != 0) : (separators &= separators - 1) {
            self.foundWord(tables.lettered_words + @as(usize, @ctz(separators)));
        }
    }
};

fn has(ended: u16, sign: u4) bool {
    return ended >> sign & 1 != 0;
}

/// Whether a word stands at the end of what was read, where its digits and separators count too. What began before
/// that is taken to stand.
fn stands(number: usize, read: []const u8) bool {
    const text = tables.word_text[tables.word_text_at[number]..tables.word_text_at[number + 1]];
    if (text.len > read.len) return true;
    for (text, read[read.len - text.len ..]) |wanted, byte| {
        const lower = std.ascii.toLower(byte);
        const seen = if (tables.word_exact[number] != 0 or std.ascii.isAlphanumeric(lower)) lower else ' ';
        if (seen != wanted) return false;
    }
    return true;
}

fn hasCapital(run: []const u8) bool {
    for (run) |byte| if (std.ascii.isUpper(byte)) return true;
    return false;
}
