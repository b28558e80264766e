/* What the board does in main.c: its camera interface with DMA, e.g. DCMI of an STM32 in double-buffer mode. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Waits for the next picture and has DMA write its lines into both buffers by turns; after each of them the interrupt
 * calls camera_line_received().
 */
void camera_start(uint8_t *even, uint8_t *odd, uint32_t line_bytes);
void camera_stop(void);
void camera_line_received(void);

/* The class and the scores of all of them. */
void show(int32_t top, const int8_t *scores);

#ifdef __cplusplus
}
#endif

#endif /* BOARD_H */
