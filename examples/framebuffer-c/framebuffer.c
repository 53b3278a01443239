/* A picture through Mini-OS's frame buffer front-end: a sky, a sun, hills and a frame around them, drawn part by part. */
#include <mini-os/fbfront.h>
#include <mini-os/mm.h>
#include <mini-os/sched.h>

#include <stdint.h>
#include <stdio.h>

#define WIDTH 320
#define HEIGHT 200
#define BYTES (WIDTH * HEIGHT * 4)
#define PAGES ((BYTES + PAGE_SIZE - 1) / PAGE_SIZE)

static uint32_t *pixels;

static void fill(int left, int top, int width, int height, uint32_t colour) {
  for (int y = top; y < top + height; y++)
    for (int x = left; x < left + width; x++)
      pixels[y * WIDTH + x] = colour;
}

static void sky(void) {
  for (int y = 0; y < HEIGHT; y++)
    fill(0, y, WIDTH, 1, 0x4080c0 + (uint32_t)(y / 4) * 0x010101);
}

static void sun(int x0, int y0, int radius) {
  for (int y = -radius; y <= radius; y++)
    for (int x = -radius; x <= radius; x++)
      if (x * x + y * y <= radius * radius)
        pixels[(y0 + y) * WIDTH + x0 + x] = 0xffd040;
}

/* A parabola that stands on the lower edge. */
static void hill(int x0, int half, int height, uint32_t colour) {
  for (int x = -half; x <= half; x++) {
    int rise = height - height * x * x / (half * half);
    if (x0 + x >= 0 && x0 + x < WIDTH)
      fill(x0 + x, HEIGHT - rise, 1, rise, colour);
  }
}

static void frame(int wide, uint32_t colour) {
  fill(0, 0, WIDTH, wide, colour);
  fill(0, HEIGHT - wide, WIDTH, wide, colour);
  fill(0, 0, wide, HEIGHT, colour);
  fill(WIDTH - wide, 0, wide, HEIGHT, colour);
}

int main(void) {
  unsigned long mfns[PAGES];
  pixels = (uint32_t *)alloc_pages(get_order(BYTES));
  for (int i = 0; i < (int)PAGES; i++)
    mfns[i] = virt_to_mfn((char *)pixels + i * PAGE_SIZE);

  sky();
  struct fbfront_dev *screen = init_fbfront(NULL, mfns, WIDTH, HEIGHT, 32, WIDTH * 4, PAGES);
  if (screen == NULL)
    return 1;
  printf("a screen of %d × %d\n", WIDTH, HEIGHT);
  sun(240, 60, 30);
  fbfront_update(screen, 210, 30, 61, 61);
  hill(60, 120, 90, 0x206020);
  hill(220, 160, 60, 0x309030);
  fbfront_update(screen, 0, HEIGHT - 90, WIDTH, 90);
  frame(8, 0x303030);
  fbfront_update(screen, 0, 0, WIDTH, HEIGHT);

  shutdown_fbfront(screen);
  printf("drawn\n");
  return 0;
}
