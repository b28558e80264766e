/*
 * QEMU TCG plugin (API version 1): counts the instructions that the emulated program executes between two marks,
 * exactly and the same in every run.
 *
 * Marks are instructions that compilers do not emit: `mov r9, r9` begins a region and `mov r10, r10` ends it, on RISC-V
 * `mv s9, s9` and `mv s10, s10`, see counting.h. Arguments: out=FILE. Each region becomes a line: its number of
 * instructions. With core=m0plus, m3, m4 or m33 a tab and a model of that core's cycles follow (timing.h).
 *
 * The few declarations of qemu-plugin.h that it needs are repeated here, since distributions do not ship that header.
 * QEMU documentation, "QEMU TCG Plugins".
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timing.h"

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*callback)(unsigned int, void *),
                                          enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void *), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum mark { NO_MARK, BEGIN, END };

/* A straight run of instructions that QEMU translates and executes as one. The marks' barriers make each mark a block
 * of its own. */
typedef struct {
    uint64_t instructions;
    uint64_t cycles;  /* but for what it costs to come here by a branch */
    uint64_t address; /* of the first instruction */
    uint64_t end;     /* after the last one */
    enum mark mark;
} block;

static FILE *out;
static enum core core;
static bool riscv;
static bool counting;
static uint64_t count;
static uint64_t cycles;
static uint64_t expected; /* address where the block before ended */

static void execute(unsigned int cpu, void *data)
{
    const block *b = data;
    (void)cpu;
    switch (b->mark) {
    case BEGIN:
        counting = true;
        count = 0;
        cycles = 0;
        expected = b->end;
        return;
    case END:
        if (counting) {
            fprintf(out, "%llu", (unsigned long long)count);
            if (core != NO_MODEL) {
                fprintf(out, "\t%llu", (unsigned long long)cycles);
            }
            fputc('\n', out);
        }
        counting = false;
        return;
    default:
        if (counting) {
            count += b->instructions;
            cycles += b->cycles + (b->address == expected ? 0 : refill(core));
            expected = b->end;
        }
    }
}

static enum mark mark_of(const struct qemu_plugin_insn *instruction)
{
    const size_t size = qemu_plugin_insn_size(instruction);
    uint32_t code = 0;
    if (size != (riscv ? 4u : 2u)) { /* as numbers, the other architecture's marks may be anything */
        return NO_MARK;
    }
    memcpy(&code, qemu_plugin_insn_data(instruction), size);
    if (!riscv) {
        return code == 0x46c9 ? BEGIN : code == 0x46d2 ? END : NO_MARK;
    }
    /* RISC-V: addi s9, s9, 0 and addi s10, s10, 0. */
    return code == 0x000c8c93 ? BEGIN : code == 0x000d0d13 ? END : NO_MARK;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    block *b = calloc(1, sizeof *b); /* lives as long as QEMU: translated code refers to it */
    const size_t n = qemu_plugin_tb_n_insns(tb);
    (void)id;
    if (b == NULL) {
        abort();
    }
    b->instructions = n;
    instruction before = {PLAIN, 0, 0, 0};
    for (size_t i = 0; i < n && b->mark == NO_MARK; i++) {
        const struct qemu_plugin_insn *in = qemu_plugin_tb_get_insn(tb, i);
        const instruction now = instruction_of(qemu_plugin_insn_data(in), qemu_plugin_insn_size(in));
        b->cycles += cycles_of(core, before, now);
        before = now;
        b->address = i == 0 ? qemu_plugin_insn_vaddr(in) : b->address;
        b->end = qemu_plugin_insn_vaddr(in) + qemu_plugin_insn_size(in);
        b->mark = mark_of(in);
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, execute, QEMU_PLUGIN_CB_NO_REGS, b);
}

static void finish(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    fclose(out);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            out = fopen(argv[i] + 4, "w");
        } else if (strncmp(argv[i], "core=", 5) == 0) {
            const char *name = argv[i] + 5;
            riscv = strncmp(name, "rv32", 4) == 0;
            core = strcmp(name, "m0plus") == 0 ? M0PLUS
                   : strcmp(name, "m3") == 0   ? M3
                   : strcmp(name, "m4") == 0   ? M4
                   : strcmp(name, "m33") == 0  ? M4 /* Arm publishes no table for the M33 */
                                               : NO_MODEL;
        } else {
            return -1;
        }
    }
    if (out == NULL) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
