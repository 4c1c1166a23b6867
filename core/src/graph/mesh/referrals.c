#include "graph/mesh/referrals.h"

#include <string.h>

#define MINUTE_US INT64_C(60000000)
#define REST_FIRST_US (5 * MINUTE_US)
#define REST_AGAIN_US (30 * MINUTE_US)

static void remove_at(struct referrals *referrals, size_t index)
{
    referrals->count--;
    memmove(&referrals->list[index], &referrals->list[index + 1],
            (referrals->count - index) * sizeof(referrals->list[0]));
}

static size_t find(const struct referrals *referrals, const struct address *address)
{
    size_t i = 0;
    while (i < referrals->count && !peer__address_equal(&referrals->list[i].address, address))
        i++;
    return i;
}

void peer__referrals_add(struct referrals *referrals, const struct address *address)
{
    if (find(referrals, address) < referrals->count)
        return;
    if (referrals->count == REFERRAL_LIST_MAX)
        remove_at(referrals, 0);
    referrals->list[referrals->count++] = (struct referral){.address = *address};
}

void peer__referrals_remove(struct referrals *referrals, const struct address *address)
{
    size_t index = find(referrals, address);
    if (index < referrals->count)
        remove_at(referrals, index);
}

int peer__referrals_exhausted(const struct referrals *referrals, int64_t now_us)
{
    size_t next = referrals->dial_count % REFERRED_DIALS_A_MINUTE;
    return referrals->dial_count >= REFERRED_DIALS_A_MINUTE && now_us - referrals->dials_us[next] < MINUTE_US;
}

void peer__referrals_count(struct referrals *referrals, int64_t now_us)
{
    referrals->dials_us[referrals->dial_count++ % REFERRED_DIALS_A_MINUTE] = now_us;
}

void peer__referrals_attempt(struct referrals *referrals, struct referral *referral, int64_t now_us)
{
    referral->attempted = 1;
    peer__referrals_count(referrals, now_us);
}

/* -------------------------------------------------------------------------------------------------------------- rest */

static size_t find_resting(const struct referrals *referrals, const struct address *address)
{
    size_t i = 0;
    while (i < referrals->resting_count && !peer__address_equal(&referrals->resting[i].address, address))
        i++;
    return i;
}

/* Gives way: whoever would rest the shortest. */
static size_t make_room(struct referrals *referrals)
{
    size_t shortest = 0;
    if (referrals->resting_count < RESTING_MAX)
        return referrals->resting_count++;
    for (size_t i = 1; i < RESTING_MAX; i++) {
        if (referrals->resting[i].until_us < referrals->resting[shortest].until_us)
            shortest = i;
    }
    return shortest;
}

static struct resting *rest(struct referrals *referrals, const struct address *address, int64_t now_us)
{
    size_t index = find_resting(referrals, address);
    if (index == referrals->resting_count) {
        index = make_room(referrals);
        referrals->resting[index] = (struct resting){.address = *address};
    }
    struct resting *resting = &referrals->resting[index];
    resting->until_us = now_us + (resting->failures == 0 ? REST_FIRST_US : REST_AGAIN_US);
    resting->failures++;
    return resting;
}

void peer__address_failed(struct referrals *referrals, const struct address *address, int64_t now_us)
{
    rest(referrals, address, now_us)->is_double = 0;
}

void peer__address_is_double(struct referrals *referrals, const struct address *address, int64_t now_us)
{
    rest(referrals, address, now_us)->is_double = 1;
}

int peer__address_was_double(const struct referrals *referrals, const struct address *address, int64_t now_us)
{
    size_t index = find_resting(referrals, address);
    return index < referrals->resting_count && referrals->resting[index].is_double &&
           now_us < referrals->resting[index].until_us;
}

static void forget_resting(struct referrals *referrals, size_t index)
{
    referrals->resting[index] = referrals->resting[--referrals->resting_count];
}

void peer__address_worked(struct referrals *referrals, const struct address *address)
{
    size_t index = find_resting(referrals, address);
    if (index < referrals->resting_count)
        forget_resting(referrals, index);
}

void peer__referrals_forget_doubles(struct referrals *referrals)
{
    for (size_t i = referrals->resting_count; i-- > 0;) {
        if (referrals->resting[i].is_double)
            forget_resting(referrals, i);
    }
}

int peer__address_rests(const struct referrals *referrals, const struct address *address, int64_t now_us)
{
    size_t index = find_resting(referrals, address);
    return index < referrals->resting_count && now_us < referrals->resting[index].until_us;
}
