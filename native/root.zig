//! What the library offers to `tunegate.scan.sieve.library`.

const std = @import("std");
const tables = @import("tables.zig");
const questions = @import("questions.zig");
const sieve_ = @import("sieve.zig");

const Sieve = sieve_.Sieve;
const allocator = if (@import("builtin").link_libc) std.heap.c_allocator else std.heap.smp_allocator;

const OfRule = extern struct { rule: usize, joined: [*]const u8, size: usize, starts: [*]const u32, owners: [*]const u32, count: usize };

/// All that came of lines; valid until the next call for the same sieve.
const Sifted = extern struct {
    lines: [*]const u8,
    starts: [*]const u32,
    line_count: usize,
    texts: [*]const questions.Asked,
    text_count: usize,
    stretches: [*]const questions.Asked,
    stretch_count: usize,
    bytes: [*]const u8,
    rule_count: usize,
    of_rule: [questions.rules]OfRule,
};

export fn sieve_digest() [*]const u8 {
    return tables.digest;
}

export fn sieve_rules() usize {
    return questions.rules;
}

/// Null where there is no memory.
export fn sieve_new() ?*Sieve {
    const made = allocator.create(Sieve) catch return null;
    made.* = Sieve.init(allocator) catch {
        allocator.destroy(made);
        return null;
    };
    return made;
}

export fn sieve_free(sieve: *Sieve) void {
    sieve.deinit();
    allocator.destroy(sieve);
}

/// False where there is no memory: then nothing is said of any line.
export fn sieve_sift(sieve: *Sieve, data: [*]const u8, size: usize, form: u8, sifted: *Sifted) bool {
    sieve.sift(data[0..size], @enumFromInt(form)) catch return false;
    const asked = &sieve.asked;
    sifted.* = .{
        .lines = sieve.lines.items.ptr,
        .starts = sieve.starts.items.ptr,
        .line_count = sieve.lines.items.len,
        .texts = asked.texts.items.ptr,
        .text_count = asked.texts.items.len,
        .stretches = asked.stretches.items.ptr,
        .stretch_count = asked.stretches.items.len,
        .bytes = asked.bytes.items.ptr,
        .rule_count = 0,
        .of_rule = undefined,
    };
    for (&asked.of_rule, 0..) |*rule, number| {
        if (rule.owners.items.len == 0) continue;
        sifted.of_rule[sifted.rule_count] = .{
            .rule = number,
            .joined = rule.joined.items.ptr,
            .size = rule.joined.items.len,
            .starts = rule.starts.items.ptr,
            .owners = rule.owners.items.ptr,
            .count = rule.owners.items.len,
        };
        sifted.rule_count += 1;
    }
    return true;
}

export fn sieve_settle(sieve: *Sieve, owners: [*]const u32, count: usize) void {
    sieve.settle(owners[0..count]);
}

export fn sieve_forget(sieve: *Sieve) void {
    sieve.known.forget();
}
