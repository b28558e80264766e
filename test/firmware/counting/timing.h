/*
 * Cycles that Thumb instructions take on Cortex-M0+, M3 and M4 by the tables of their Technical Reference Manuals (DDI
 * 0484, 0337 and 0439: "Instruction set summary"), from memory without wait states. A model: what caches, flash and
 * buses add is not in it, early ends of divisions and long multiplications are taken as the middle of their range.
 * Taken branches cost `refill` more, which only the run of the program tells.
 */
#ifndef TIMING_H
#define TIMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum core { NO_MODEL, M0PLUS, M3, M4 };

/* What instructions of one kind have in common. */
enum kind { PLAIN, LOAD, STORE, MULTIPLE, MULTIPLY_ADD, MULTIPLY_LONG, DIVIDE };

typedef struct {
    enum kind kind;
    unsigned registers; /* of MULTIPLE: how many are loaded or stored */
    unsigned base;      /* of LOAD: the registers that its address is made of, a bit each */
    unsigned loaded;    /* of LOAD: its register, as a bit */
} instruction;

static inline unsigned ones(unsigned bits)
{
    unsigned n = 0;
    for (; bits != 0; bits &= bits - 1) {
        n++;
    }
    return n;
}

static inline instruction narrow_instruction(unsigned h)
{
    instruction i = {PLAIN, 0, 0, 0};
    const unsigned n = 1u << (h >> 3 & 7);
    const unsigned m = 1u << (h >> 6 & 7);
    const unsigned t = 1u << (h & 7);
    switch (h >> 12) {
    case 4:
        if ((h & 0xf800) == 0x4800) { /* LDR (literal) */
            i = (instruction){LOAD, 1, 0, 1u << (h >> 8 & 7)};
        }
        break;
    case 5: /* register offsets; STR, STRH, STRB come first */
        i = (h >> 9 & 7) < 3 ? (instruction){STORE, 1, 0, 0} : (instruction){LOAD, 1, n | m, t};
        break;
    case 6:
    case 7:
    case 8: /* immediate offsets */
        i = (h & 0x800) == 0 ? (instruction){STORE, 1, 0, 0} : (instruction){LOAD, 1, n, t};
        break;
    case 9: /* relative to SP */
        i = (h & 0x800) == 0 ? (instruction){STORE, 1, 0, 0} : (instruction){LOAD, 1, 1u << 13, 1u << (h >> 8 & 7)};
        break;
    case 11:
        if ((h & 0xf600) == 0xb400) { /* PUSH, POP; bit 8: LR or PC */
            i = (instruction){MULTIPLE, ones(h & 0x1ff), 0, 0};
        }
        break;
    case 12: /* STM, LDM */
        i = (instruction){MULTIPLE, ones(h & 0xff), 0, 0};
        break;
    default:
        break;
    }
    return i;
}

static inline instruction wide_instruction(unsigned h, unsigned second)
{
    const instruction plain = {PLAIN, 0, 0, 0};
    const unsigned n = 1u << (h & 15);
    if ((h & 0xfe40) == 0xe800) { /* LDM, STM, PUSH, POP */
        return (instruction){MULTIPLE, ones(second), 0, 0};
    }
    if ((h & 0xfe40) == 0xe840 && (h & 0x120) != 0) { /* LDRD, STRD */
        return (instruction){MULTIPLE, 2, 0, 0};
    }
    if ((h & 0xff10) == 0xf800) { /* STR and its like */
        return (instruction){STORE, 1, 0, 0};
    }
    if ((h & 0xfe10) == 0xf810) { /* LDR and its like; bit 11 clear and 10 too: a register is added to the address */
        const unsigned m = (h & 0x80) == 0 && (second & 0xfc0) == 0 ? 1u << (second & 15) : 0;
        return (instruction){LOAD, 1, n | m, 1u << (second >> 12)};
    }
    if ((h & 0xff80) == 0xfb00 && (second & 0xf000) != 0xf000) { /* MLA, MLS, SMLAD, SMMLA ... */
        return (instruction){MULTIPLY_ADD, 0, 0, 0};
    }
    if ((h & 0xff80) == 0xfb80) {
        const bool divides = (h & 0x50) == 0x10 && (second & 0xf0) == 0xf0;
        return (instruction){divides ? DIVIDE : MULTIPLY_LONG, 0, 0, 0};
    }
    return plain;
}

static inline instruction instruction_of(const uint8_t *code, size_t size)
{
    const unsigned first = code[0] | (unsigned)code[1] << 8;
    return size == 2 ? narrow_instruction(first) : wide_instruction(first, code[2] | (unsigned)code[3] << 8);
}

/* Cycles of an instruction after the one before it in the same straight run. */
static inline unsigned cycles_of(enum core core, instruction before, instruction i)
{
    switch (i.kind) {
    case LOAD:
        /* Loads follow each other without a gap, unless the address waits for the load before. */
        return core != M0PLUS && before.kind == LOAD && (i.base & before.loaded) == 0 ? 1 : 2;
    case STORE:
        return core == M0PLUS ? 2 : 1; /* the others have a write buffer */
    case MULTIPLE:
        return 1 + i.registers;
    case MULTIPLY_ADD:
        return core == M3 ? 2 : 1;
    case MULTIPLY_LONG:
        return core == M3 ? 5 : 1;
    case DIVIDE:
        return 6;
    default:
        return 1;
    }
}

/* What a taken branch costs beyond its own cycle. */
static inline unsigned refill(enum core core)
{
    return core == M0PLUS ? 1 : 2;
}

#endif
