/*
 * A board with a camera for docs/examples/camera_lines: pictures come from frames.bin, a line with every tick of the
 * timer; scores go to outputs.bin. The program ends after the last picture.
 */
#include "board.h"
#include <string.h>
#include "semihosting.h"

#define FRAME_BYTES (320 * 240 * 2)
#define ROWS        240

#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)

static uint8_t frame[FRAME_BYTES];
static int pictures = -1, results = -1;
static uint8_t *buffers[2];
static uint32_t bytes;
static int32_t row;

void camera_start(uint8_t *even, uint8_t *odd, uint32_t line_bytes)
{
    if (pictures < 0) {
        pictures = semihosting_open("frames.bin", SEMIHOSTING_MODE_RB);
        results = semihosting_open("outputs.bin", SEMIHOSTING_MODE_WB);
    }
    if (!semihosting_read(pictures, frame, sizeof frame)) {
        semihosting_close(results);
        semihosting_exit(0);
    }
    buffers[0] = even;
    buffers[1] = odd;
    bytes = line_bytes;
    row = 0;
    SYST_RVR = TICKS;
    SYST_CVR = 0;
    SYST_CSR = 7;
}

void camera_stop(void)
{
    SYST_CSR = 0;
}

void board_tick(void);
void board_tick(void)
{
    if (row == ROWS) {
        return;
    }
    /* DMA is writing the line after this one by the time that the interrupt comes. */
    memcpy(buffers[row & 1], frame + (uint32_t)row * bytes, bytes);
    row++;
    camera_line_received();
    if (row < ROWS) {
        memset(buffers[row & 1], 0xA5, bytes);
    }
}

void show(int32_t top, const int8_t *scores)
{
    const uint8_t byte = (uint8_t)top;
    if (!semihosting_write(results, &byte, 1) || !semihosting_write(results, scores, CLASSES)) {
        semihosting_exit(5);
    }
}
