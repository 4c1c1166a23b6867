#include "flood_meter.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct place { /* what is known of a host */
    int has_it;
    unsigned hops;
    unsigned receptions;
    size_t neighbours; /* when the record was added, and those that came since */
};

struct flood_meter {
    struct sim *sim;
    char record[64]; /* as it stands in a line */
    size_t count;
    struct place *places;
};

struct flood_meter *flood_meter_create(struct sim *sim, size_t host_count)
{
    struct flood_meter *meter = calloc(1, sizeof(*meter));
    struct place *places = calloc(host_count, sizeof(*places));
    if (meter == NULL || places == NULL) {
        free(meter);
        free(places);
        return NULL;
    }
    *meter = (struct flood_meter){.sim = sim, .count = host_count, .places = places};
    return meter;
}

void flood_meter_free(struct flood_meter *meter)
{
    if (meter == NULL)
        return;
    free(meter->places);
    free(meter);
}

/* The place that `"key":"h17"` names; NULL if there is none. */
static struct place *place_in(const struct flood_meter *meter, const char *line, const char *key)
{
    const char *found = strstr(line, key);
    if (found == NULL || found[strlen(key)] != 'h')
        return NULL;
    size_t number = strtoul(found + strlen(key) + 1, NULL, 10);
    return number >= 1 && number <= meter->count ? &meter->places[number - 1] : NULL;
}

static void note_reception(const struct flood_meter *meter, const char *line)
{
    const struct place *from = place_in(meter, line, "\"from\":\"");
    struct place *to = place_in(meter, line, "\"to\":\"");
    if (from == NULL || to == NULL || strstr(line, meter->record) == NULL)
        return;
    to->receptions++;
    if (!to->has_it)
        to->hops = from->hops + 1; /* a node sends a record only after it got it */
    to->has_it = 1;
}

static void note_neighbours(const struct flood_meter *meter, const char *line)
{
    struct place *from = place_in(meter, line, "\"from\":\"");
    struct place *to = place_in(meter, line, "\"to\":\"");
    if (from == NULL || to == NULL)
        return;
    from->neighbours++;
    to->neighbours++;
}

/* Lines end with a NUL, though that is not counted. */
void flood_meter_line(void *self, const char *line, size_t size)
{
    const struct flood_meter *meter = self;
    (void)size;
    if (meter->record[0] == '\0')
        return;
    if (strstr(line, "\"message\":\"FLOOD\"") != NULL)
        note_reception(meter, line);
    else if (strstr(line, "\"message\":\"WELCOME\"") != NULL)
        note_neighbours(meter, line);
}

static void count_neighbours(const struct flood_meter *meter)
{
    size_t count = peer__sim_list_connections(meter->sim, NULL, 0);
    struct sim_connection *connections = calloc(count, sizeof(*connections));
    if (connections == NULL)
        return; /* then nobody has any, which does not pass unseen */
    peer__sim_list_connections(meter->sim, connections, count);
    for (size_t i = 0; i < count; i++) {
        if (!connections[i].is_neighbour)
            continue;
        meter->places[peer__sim_host_index(connections[i].from)].neighbours++;
        meter->places[peer__sim_host_index(connections[i].to)].neighbours++;
    }
    free(connections);
}

void flood_meter_follow(struct flood_meter *meter, const peer_guid *id, size_t host)
{
    static const char key[] = "\"record\":\"";
    memset(meter->places, 0, meter->count * sizeof(*meter->places));
    memcpy(meter->record, key, sizeof(key) - 1);
    peer__guid_format(id, meter->record + sizeof(key) - 1);
    meter->places[host].has_it = 1;
    count_neighbours(meter);
}

struct flood_result flood_meter_result(const struct flood_meter *meter)
{
    struct flood_result result = {0};
    for (size_t i = 0; i < meter->count; i++) {
        const struct place *place = &meter->places[i];
        result.reached += (size_t)place->has_it;
        result.receptions += place->receptions;
        result.neighbours += place->neighbours;
        result.too_often += place->receptions > place->neighbours;
        if (place->hops > result.hops)
            result.hops = place->hops;
    }
    result.reached--;
    return result;
}
