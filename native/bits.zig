//! Sets of small numbers.

pub fn Bits(comptime words_: usize) type {
    return struct {
        const Self = @This();
        pub const words = words_;

        word: [words]u64 = @splat(0),

        /// Row `at` of a table of such sets.
        pub fn ofRow(table: [*]const u64, at: usize) Self {
            return .{ .word = table[at * words ..][0..words].* };
        }

        pub fn of(bit: usize) Self {
            var found = Self{};
            found.word[bit / 64] = @as(u64, 1) << @intCast(bit % 64);
            return found;
        }

        pub fn isEmpty(self: Self) bool {
            for (self.word) |word| if (word != 0) return false;
            return true;
        }

        pub fn both(self: Self, other: Self) Self {
            var found: Self = undefined;
            for (&found.word, self.word, other.word) |*to, one, more| to.* = one & more;
            return found;
        }

        pub fn either(self: Self, other: Self) Self {
            var found: Self = undefined;
            for (&found.word, self.word, other.word) |*to, one, more| to.* = one | more;
            return found;
        }

        pub fn join(self: *Self, other: Self) void {
            self.* = self.either(other);
        }

        /// The lowest number, which is then taken out.
        pub fn take(self: *Self) ?usize {
            for (&self.word, 0..) |*word, at| {
                if (word.* != 0) {
                    const bit: usize = @ctz(word.*);
                    word.* &= word.* - 1;
                    return at * 64 + bit;
                }
            }
            return null;
        }
    };
}
