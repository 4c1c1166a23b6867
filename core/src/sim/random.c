#include "sim/internal.h"

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The stream goes through splitmix once by itself, so that neighbouring seeds and neighbouring streams share nothing. */
void peer__sim_random_seed(struct sim_random *random, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed ^ splitmix(&stream);
    for (int i = 0; i < 4; i++)
        random->state[i] = splitmix(&state);
}

static uint64_t rotate(uint64_t value, int by)
{
    return (value << by) | (value >> (64 - by));
}

uint64_t peer__sim_random_next(struct sim_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t peer__sim_random_below(struct sim_random *random, uint64_t bound)
{
    /* Values below 2^64 mod bound would make the low results likelier. */
    uint64_t excess = -bound % bound;
    uint64_t value;

    do
        value = peer__sim_random_next(random);
    while (value < excess);
    return value % bound;
}

int peer__sim_random_chance(struct sim_random *random, uint32_t percent)
{
    return peer__sim_random_below(random, 100) < percent;
}

uint64_t peer__sim_draw(struct sim *sim, uint64_t bound)
{
    return peer__sim_random_below(&sim->random, bound);
}
