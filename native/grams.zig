//! The model's words and pairs of words: which of them stand in a text, told while it is read.

const std = @import("std");
const tables = @import("tables.zig");

const none = 0;

/// Where one stands in a text: within a word, or behind one.
pub const Grams = struct {
    /// Of the word that is being read.
    hash: u64 = tables.token_seed,
    inside: bool = false,
    /// The word that ended one character ago, by its number among those that begin pairs.
    before: u16 = none,

    /// What a byte ends, if it ends a word: that word, and the pair of it and the one before.
    pub const Ended = struct { word: u16, pair: u16 };

    pub inline fn read(self: *Grams, byte: u8) ?Ended {
        const lower = tables.token_byte[byte];
        if (lower != 0) {
            self.hash = mixed(if (self.inside) self.hash else tables.token_seed, lower);
            self.inside = true;
            return null;
        }
        if (!self.inside) {
            self.before = none;
            return null;
        }
        const word = numberOf(self.hash);
        const found = Ended{ .word = word, .pair = pairOf(self.before, tables.token_closes[word]) };
        self.inside = false;
        self.before = tables.token_opens[word];
        return found;
    }
};

fn mixed(hash: u64, byte: u8) u64 {
    return (hash ^ byte) *% tables.token_prime;
}

/// The number of a word of the model, 0 of any other. Two words of one hash make the bound higher, never lower.
fn numberOf(hash: u64) u16 {
    var at = hash >> 64 - tables.token_slot_bits;
    while (tables.token_hash[at] != 0) : (at = (at + 1) % tables.token_hash_count) {
        if (tables.token_hash[at] == hash) return tables.token_number[at];
    }
    return none;
}

/// 1 if the model has a pair of a word that begins pairs and one that ends them, each by its number among those.
pub inline fn isPair(first: u16, second: u16) u1 {
    const row = @as(usize, first) * tables.pair_row_bytes;
    return @truncate(tables.pair_bits[row + second / 8] >> @intCast(second % 8));
}

/// The gram of such a pair, plus 1; 0 where the model has none.
pub fn pairOf(first: u16, second: u16) u16 {
    if (isPair(first, second) == 0) return none;
    const key = @as(u32, first) << 16 | second;
    var at = key *% tables.pair_prime >> 32 - tables.pair_slot_bits;
    while (tables.pair_key[at] != key) at = (at + 1) % tables.pair_key_count;
    return tables.pair_gram[at];
}
