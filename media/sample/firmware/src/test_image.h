/* Written by tools/image_to_c.py: the picture gauge_00013.jpg, 96x96, one byte each for red, green and blue. */
#ifndef TEST_IMAGE_H
#define TEST_IMAGE_H

#include <stdint.h>

#define TEST_IMAGE_BYTES 27648
#define TEST_IMAGE_CLASS 13 /* labelled 65 % */

extern const uint8_t test_image[TEST_IMAGE_BYTES];

#endif
