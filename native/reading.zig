//! One pass over a text: which words of which rules stand in it, and which forms.

const std = @import("std");
const tables = @import("tables.zig");
const signs = @import("signs.zig");
const Bits = @import("bits.zig").Bits;
const words = @import("words.zig");
const grams = @import("grams.zig");
const places = @import("places.zig");

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
    /// The form of an identifier, or a word that speaks of one, or of one with digits.
    identifier: bool = false,
    with_digits: bool = false,
    malware: bool = false,
    /// A run of characters that a credential without keywords could be.
    long: bool = false,
    /// What something hidden in one text needs.
    encoded: bool = false,
    /// What something hidden in one text or over several needs.
    across: bool = false,
    ciphered: bool = false,
    /// Letters with figures between them: in so many parts, or so many times in one; and how many times in all.
    leets: u32 = 0,
    all_leets: u32 = 0,

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

    /// Adds what stands elsewhere, but for what is counted.
    fn join(self: *Traces, other: *const Traces) void {
        self.keywords.join(other.keywords);
        self.companions.join(other.companions);
        self.secrets.join(other.secrets);
        inline for (.{ "identifier", "with_digits", "malware", "long", "encoded", "across", "ciphered" }) |name| {
            @field(self, name) = @field(self, name) or @field(other, name);
        }
    }

    fn hide(self: *const Traces) bool {
        return self.across or self.ciphered or self.leets > 1;
    }
};

/// What came of reading a part.
pub const Summary = struct {
    traces: Traces,
    places: places.Part,
    grams: []const u16,
    states: words.States,
    before: u16,
    /// Of which beginning of `signs` the states are.
    of: usize,

    pub fn free(self: *const Summary, allocator: std.mem.Allocator) void {
        self.places.free(allocator);
        allocator.free(self.grams);
    }
};

/// Reads texts part by part. What was found since `begin` is in `whole`, since `beginPart` in `part`.
pub const Reading = struct {
    signs: signs.Signs,
    known: words.Words,
    /// Of which beginning of `signs` the states in `words` are.
    known_of: usize = 0,
    states: words.States = .{},
    grams: grams.Grams = .{},
    whole: Traces = .{},
    part: Traces = .{},
    /// Where words of attack rules stand in the whole.
    places: places.Places,
    /// In which part each word was last met, and in which whole and part each gram: it counts once.
    met: [tables.word_compared_count]u64 = @splat(0),
    gram_met_in_whole: [tables.gram_gain_count]u64 = @splat(0),
    gram_met_in_part: [tables.gram_gain_count]u64 = @splat(0),
    /// The grams of the part.
    gram_log: std.ArrayListUnmanaged(u16) = .{},
    /// Where in the whole the part begins.
    part_place: places.Place = .{},
    wholes: u64 = 0,
    parts: u64 = 0,
    /// What known words told that is not yet taken in.
    told: [most_noted]Told = undefined,
    pairs: [most_noted][2]u16 = undefined,

    pub fn init(allocator: std.mem.Allocator) error{OutOfMemory}!Reading {
        var known = try words.Words.init(allocator);
        errdefer known.deinit(allocator);
        var gram_log = try std.ArrayListUnmanaged(u16).initCapacity(allocator, tables.gram_gain_count);
        errdefer gram_log.deinit(allocator);
        return .{
            .gram_log = gram_log,
            .signs = try signs.Signs.init(allocator),
            .known = known,
            .places = .{ .allocator = allocator },
        };
    }

    pub fn deinit(self: *Reading, allocator: std.mem.Allocator) void {
        self.signs.deinit();
        self.known.deinit(allocator);
        self.places.deinit();
        self.gram_log.deinit(allocator);
    }

    pub fn begin(self: *Reading) error{OutOfMemory}!void {
        if (self.known_of != self.signs.begun) try self.forgetKnown();
        self.states = self.known.base;
        self.grams = .{};
        self.whole = .{};
        self.wholes += 1;
        self.places.begin();
        self.beginPart();
    }

    pub fn beginPart(self: *Reading) void {
        self.part = .{};
        self.parts += 1;
        self.gram_log.clearRetainingCapacity();
        self.part_place = self.places.here();
    }

    /// Reads on: a view (see text.zig) of a part, or what stands between parts. `closed`: and a space behind it.
    pub fn feed(self: *Reading, view: []const u8, closed: bool) error{OutOfMemory}!void {
        const read = Read{ .view = view, .size = view.len + @intFromBool(closed) };
        try self.places.expect(read.size);
        var at: usize = 0;
        while (true) {
            at = self.followKnown(read, at);
            if (at == read.size) break;
            at = try self.readNew(read, at);
        }
        self.places.passed(read.size);
    }

    /// Follows words from one place on as long as they are known; where it ends. What they tell is noted and taken in
    /// afterwards: of few words that can be foreseen, and each jump that is not costs as much as a word.
    fn followKnown(self: *Reading, read: Read, begin_at: usize) usize {
        // Begun anew, the numbers of states stand for others.
        if (self.grams.inside or self.known_of != self.signs.begun) return begin_at;
        const base = self.known.base;
        var states = self.states;
        var before = self.grams.before;
        var differs = tables.word_differs[states.word];
        var at = begin_at;
        const starts = self.places.room();
        var counted: usize = 0;
        var told: usize = 0;
        var paired: usize = 0;
        while (at < read.size) {
            const word = words.Word.of(read.load(at)) orelse break;
            const number = self.known.find(word, leading(states, differs, word.text[0], base)) orelse break;
            const entry = &self.known.known[number];
            self.pairs[paired] = .{ before, entry.firstWord() };
            paired += grams.isPair(before, entry.firstWord());
            self.told[told] = .{ .word = @intCast(number), .at = @intCast(at), .behind = @intCast(counted) };
            told += entry.tells();
            starts[counted] = @intCast(self.places.size + at);
            counted += entry.counts();
            states = entry.to;
            differs = entry.differs;
            before = entry.lastWord();
            at += word.size;
            if (told == most_noted or paired == most_noted) {
                self.takeIn(read, told, paired);
                told = 0;
                paired = 0;
            }
        }
        self.takeIn(read, told, paired);
        self.places.counted(counted);
        self.states = states;
        self.grams.before = before;
        return at;
    }

    fn takeIn(self: *Reading, read: Read, told: usize, paired: usize) void {
        for (self.pairs[0..paired]) |pair| self.foundGram(grams.pairOf(pair[0], pair[1]));
        const behind = self.places.behind;
        for (self.told[0..told]) |one| {
            const inside = &self.known.inside[one.word];
            for (inside.grams) |gram| self.foundGram(gram);
            self.places.behind = behind + one.behind;
            for (inside.found) |found| if (found.behind > 0) self.foundWords(found.state, read, one.at + found.behind);
        }
        self.places.behind = behind;
    }

    /// Reads one word byte by byte, or a part of a long one; where it ends.
    fn readNew(self: *Reading, read: Read, at: usize) error{OutOfMemory}!usize {
        if (self.known_of != self.signs.begun) try self.forgetKnown();
        const word = words.Word.of(read.load(at)) orelse {
            const end = @min(read.size, at + words.lanes);
            _ = try self.readBytes(read, at, end);
            return end;
        };
        const end = at + word.size;
        const whole = !self.grams.inside;
        const from = leading(self.states, tables.word_differs[self.states.word], word.text[0], self.known.base);
        var made = try self.readBytes(read, at, end);
        const counts = hasWord(word.text);
        if (counts) self.places.count(at);
        if (made) |*step| {
            step.counts = counts;
            if (whole and self.known_of == self.signs.begun) self.known.keep(word, from, step.*, tables.word_differs[step.to.word]);
        }
        return end;
    }

    /// Begun anew, the numbers of states stand for others.
    fn forgetKnown(self: *Reading) error{OutOfMemory}!void {
        const space = tables.word_classes[' '];
        self.known.forget(.{ .word = tables.word_next[space], .sign = try self.signs.step(0, tables.sign_classes[' ']) });
        self.known_of = self.signs.begun;
    }

    /// Reads from one place of a view to another. Null where more was found than a step over a word can say.
    fn readBytes(self: *Reading, read: Read, begin_at: usize, end: usize) error{OutOfMemory}!?words.Step {
        var word = self.states.word;
        var sign = self.states.sign;
        var made = words.Step{};
        var count: usize = 0;
        var signed = false;
        for (begin_at..end) |at| {
            const byte = read.byte(at);
            word = tables.word_next[@as(usize, word) << row_bits | tables.word_classes[byte]];
            sign = try self.signs.step(sign, tables.sign_classes[byte]);
            if (word >= tables.word_quiet) {
                self.foundWords(word - tables.word_quiet, read, at + 1);
                if (count < words.most_found) {
                    made.inside.found[count] = .{ .state = word - tables.word_quiet, .behind = @truncate(at + 1 - begin_at) };
                }
                count += 1;
            }
            if (sign & signs.telling != 0) {
                signed = true;
                self.foundSigns(self.signs.ended(sign), read, at + 1);
            }
        }
        self.states = .{ .word = word, .sign = sign };
        made.to = self.states;
        const told = self.readGrams(read, begin_at, end, &made);
        return if (told and !signed and count <= words.most_found) made else null;
    }

    /// Reads words of the model. False where more was found than a step can say.
    fn readGrams(self: *Reading, read: Read, begin_at: usize, end: usize, made: *words.Step) bool {
        var count: usize = 0;
        var leads = !self.grams.inside and std.ascii.isAlphanumeric(read.byte(begin_at));
        for (begin_at..end) |at| {
            const ended = self.grams.read(read.byte(at)) orelse continue;
            self.foundGram(ended.pair);
            const alone_gram = tables.token_gram[ended.word];
            self.foundGram(alone_gram);
            // What the first word makes with the one before is of that one too.
            const inside = [_]u16{ alone_gram, if (leads) 0 else ended.pair };
            if (leads) made.first = tables.token_closes[ended.word];
            leads = false;
            for (inside) |gram| {
                if (gram == 0) continue;
                if (count < words.most_found) made.inside.grams[count] = gram;
                count += 1;
            }
        }
        made.last = self.grams.before;
        return count <= words.most_found;
    }

    /// Adds the part that was read to the whole.
    pub fn endPart(self: *Reading) void {
        const part = &self.part;
        self.whole.join(part);
        // Two in one text are not two of a phrase over several.
        self.whole.leets += @intFromBool(part.leets > 0);
        self.whole.all_leets += part.leets;
    }

    /// The same text goes on, in another part.
    pub fn nextPart(self: *Reading) void {
        self.endPart();
        self.beginPart();
    }

    /// What stands in the whole, if it is one text that was read in several parts.
    pub fn alone(self: *const Reading) Traces {
        var found = self.whole;
        found.leets = found.all_leets;
        return found;
    }

    /// What came of the part that was read, so that it need not be read again; the caller owns it.
    pub fn summary(self: *const Reading, allocator: std.mem.Allocator) error{OutOfMemory}!Summary {
        const place = try self.places.since(self.part_place, allocator);
        errdefer place.free(allocator);
        return .{
            .traces = self.part,
            .places = place,
            .grams = try allocator.dupe(u16, self.gram_log.items),
            .states = self.states,
            .before = self.grams.before,
            .of = self.known_of,
        };
    }

    /// As if a part, or the rest of one, were read of which this is the summary. False if it can no more be told.
    pub fn repeat(self: *Reading, found: *const Summary) error{OutOfMemory}!bool {
        if (found.of != self.signs.begun) return false;
        const leets = self.part.leets;
        self.part.join(&found.traces);
        self.part.leets = leets + found.traces.leets;
        for (found.grams) |gram| self.foundGram(gram);
        try self.places.repeat(found.places);
        self.states = found.states;
        self.grams = .{ .before = found.before };
        return true;
    }

    /// The attack rules that could match in the whole, by what stands in it and how near to each other.
    pub fn attacks(self: *Reading) Attacks {
        return self.places.near(self.whole.attacks());
    }

    /// Notes the words that end in a state, which was reached at a place.
    fn foundWords(self: *Reading, state: usize, read: Read, end: usize) void {
        for (tables.word_outputs[tables.word_outputs_at[state]..tables.word_outputs_at[state + 1]]) |number| {
            if (tables.word_compared[number] == 0 or stands(number, read, end)) self.foundWord(number);
        }
    }

    fn foundWord(self: *Reading, number: usize) void {
        if (tables.word_of_attack[number] != 0) self.places.add(number);
        if (self.met[number] == self.parts) return;
        self.met[number] = self.parts;
        const part = &self.part;
        part.keywords.join(Attacks.ofRow(tables.word_keyword, number));
        part.companions.join(Attacks.ofRow(tables.word_companion, number));
        part.secrets.join(Secrets.ofRow(tables.word_secret, number));
        part.ciphered = part.ciphered or tables.word_ciphered[number] != 0;
        part.identifier = part.identifier or tables.word_identifier[number] == tables.without_digits;
        part.with_digits = part.with_digits or tables.word_identifier[number] == tables.with_digits;
        part.malware = part.malware or tables.word_malware[number] != 0;
    }

    /// Notes a gram of the model, of which the number is one less.
    inline fn foundGram(self: *Reading, gram: u16) void {
        if (gram == 0 or self.gram_met_in_part[gram - 1] == self.parts) return;
        const gain = tables.gram_gain[gram - 1];
        self.part.gain += gain;
        if (self.gram_met_in_whole[gram - 1] != self.wholes) self.whole.gain += gain;
        self.gram_met_in_part[gram - 1] = self.parts;
        self.gram_log.appendAssumeCapacity(gram);
        self.gram_met_in_whole[gram - 1] = self.wholes;
    }

    fn foundSigns(self: *Reading, ended: u16, read: Read, end: usize) void {
        const part = &self.part;
        part.identifier = part.identifier or has(ended, tables.sign_identifier);
        part.long = part.long or has(ended, tables.sign_long);
        part.across = part.across or has(ended, tables.sign_across);
        part.leets += @intFromBool(has(ended, tables.sign_leet));
        // What is all of one case is no base64.
        const run = has(ended, tables.sign_run) and hasCapital(read.view[end - tables.run_length .. end]);
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

const most_noted = 64;

/// A known word that has something inside: its number, where it begins, and how many counted words stand before it.
const Told = struct { word: u32, at: u32, behind: u32 };

/// What is read at once: a view, and if it is longer than that a space.
const Read = struct {
    view: []const u8,
    size: usize,

    inline fn byte(self: Read, at: usize) u8 {
        return if (at < self.view.len) self.view[at] else ' ';
    }

    /// What stands at a place; behind the end are no characters.
    inline fn load(self: Read, at: usize) words.Lanes {
        if (at + words.lanes <= self.view.len) return self.view[at..][0..words.lanes].*;
        return self.loadEnd(at);
    }

    noinline fn loadEnd(self: Read, at: usize) words.Lanes {
        var loaded: [words.lanes]u8 = @splat(0);
        for (loaded[0..@min(words.lanes, self.size - at)], at..) |*to, place| to.* = self.byte(place);
        return loaded;
    }
};

/// The states from which a word is read that begins with this byte. Those of the words count only if the byte leads
/// elsewhere from there than from behind any space.
inline fn leading(states: words.States, differs: u32, byte: u8, base: words.States) words.States {
    if (differs >> @intCast(tables.word_classes[byte]) & 1 != 0) {
        @branchHint(.unlikely);
        return states;
    }
    return .{ .word = base.word, .sign = states.sign };
}

/// Whether a word stands at the end of what was read, where its digits and separators count too. What began before
/// that is taken to stand.
fn stands(number: usize, read: Read, end: usize) bool {
    const text = tables.word_text[tables.word_text_at[number]..tables.word_text_at[number + 1]];
    if (text.len > end) return true;
    for (text, end - text.len..) |wanted, at| {
        const lower = std.ascii.toLower(read.byte(@intCast(at)));
        const seen = if (tables.word_exact[number] != 0 or std.ascii.isAlphanumeric(lower)) lower else ' ';
        if (seen != wanted) return false;
    }
    return true;
}

fn hasWord(text: words.Lanes) bool {
    for (@as([words.lanes]u8, text)) |byte| if (std.ascii.isAlphanumeric(byte)) return true;
    return false;
}

fn hasCapital(run: []const u8) bool {
    for (run) |byte| if (std.ascii.isUpper(byte)) return true;
    return false;
}
