#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/internal.h"
#include "wire/message.h"

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t fnv(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

static void line(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line(struct sim *sim, const char *format, ...)
{
    char text[768];
    va_list arguments;

    if (sim->options.untraced)
        return;
    va_start(arguments, format);
    int written = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t size = written < (int)sizeof(text) ? (size_t)written : sizeof(text) - 1;
    sim->trace_hash = fnv(fnv(sim->trace_hash, text, size), "\n", 1);
    if (sim->recorder != NULL)
        peer__sim_record_line(sim, text, size);
    if (sim->trace_line != NULL)
        sim->trace_line(sim->trace_self, text, size);
}

void peer__sim_trace_connection(struct sim *sim, uint64_t id, const struct sim_host *from, const struct sim_host *to,
                                const char *state)
{
    line(sim, "{\"t\":%" PRId64 ",\"connection\":%" PRIu64 ",\"from\":\"%s\",\"to\":\"%s\",\"state\":\"%s\"}",
         sim->now_us, id, from->name, to != NULL ? to->name : "", state);
}

void peer__sim_trace_host(struct sim *sim, const struct sim_host *host, const char *state)
{
    line(sim, "{\"t\":%" PRId64 ",\"host\":\"%s\",\"state\":\"%s\"}", sim->now_us, host->name, state);
}

void peer__sim_trace_row(struct sim *sim, const struct sim_host *host, const struct store_row *row)
{
    char id[37];
    if (sim->options.untraced)
        return; /* the hash of a body costs as much as storing it */
    peer__guid_format(&row->id, id);
    line(sim,
         "{\"t\":%" PRId64 ",\"host\":\"%s\",\"stored\":\"%s\",\"version\":%" PRIu32 ",\"flags\":%" PRIu32
         ",\"modified\":%" PRIu64 ",\"expires\":%" PRIu64 ",\"hash\":\"%016" PRIx64 "\"}",
         sim->now_us, host->name, id, row->version, row->flags, row->modified, row->expires,
         fnv(FNV_START, row->wire.data, row->wire.size));
}

void peer__sim_trace_removed(struct sim *sim, const struct sim_host *host, const peer_guid *id)
{
    char text[37];
    peer__guid_format(id, text);
    line(sim, "{\"t\":%" PRId64 ",\"host\":\"%s\",\"removed\":\"%s\"}", sim->now_us, host->name, text);
}

/* What a FLOOD carries, read without decoding: id and version stand at fixed places of the record. */
static void flood_line(struct sim *sim, const char *start, struct span message)
{
    struct reader reader = peer__reader(message);
    peer_guid record_id;
    char text[37];

    peer__read_seek(&reader, 8);
    peer__read_seek(&reader, (size_t)peer__read_u16(&reader) + 16);
    record_id = peer__read_guid(&reader);
    uint32_t version = peer__read_u32(&reader);
    if (reader.failed) {
        line(sim, "%s}", start);
        return;
    }
    peer__guid_format(&record_id, text);
    line(sim, "%s,\"record\":\"%s\",\"version\":%" PRIu32 "}", start, text, version);
}

void peer__sim_trace_message(struct sim *sim, uint64_t id, struct sim_host *from, struct sim_host *to,
                             struct span message)
{
    char start[384];
    uint8_t type = message.size > 5 ? message.data[5] : 0;
    const char *name = peer__message_name(type);

    size_t counted = type < MESSAGE_TYPES ? type : 0;
    sim->messages[counted]++;
    from->messages[counted].sent++;
    to->messages[counted].received++;
    if (sim->options.untraced)
        return;
    snprintf(start, sizeof(start),
             "{\"t\":%" PRId64 ",\"message\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"connection\":%" PRIu64
             ",\"size\":%zu,\"hash\":\"%016" PRIx64 "\"",
             sim->now_us, name != NULL ? name : "?", from->name, to->name, id, message.size,
             fnv(FNV_START, message.data, message.size));
    if (type == MESSAGE_FLOOD)
        flood_line(sim, start, message);
    else
        line(sim, "%s}", start);
}

void peer__sim_trace_held(struct sim *sim, const struct sim_message *message, const char *state)
{
    const char *name = peer__message_name(message->bytes.data[5]);
    line(sim,
         "{\"t\":%" PRId64 ",\"held\":%" PRIu64
         ",\"message\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"connection\":%" PRIu64 ",\"size\":%zu,\"state\":\"%s\"}",
         sim->now_us, message->held_id, name != NULL ? name : "?", message->from->name, message->to->name,
         message->connection_id, message->bytes.size, state);
}

void peer__sim_note(struct sim *sim, const char *text)
{
    char safe[640]; /* 200 units of UTF-8, as the API allows */
    size_t size = 0;

    for (; *text != '\0' && size + 1 < sizeof(safe); text++)
        safe[size++] = (char)((unsigned char)*text < 0x20 || *text == '"' || *text == '\\' ? '?' : *text);
    safe[size] = '\0';
    line(sim, "{\"t\":%" PRId64 ",\"note\":\"%s\"}", sim->now_us, safe);
}

void peer__sim_trace_to(struct sim *sim, void (*each)(void *self, const char *text, size_t size), void *self)
{
    sim->trace_line = each;
    sim->trace_self = self;
}

uint64_t peer__sim_trace_hash(const struct sim *sim)
{
    return sim->trace_hash;
}

static struct sim_count count_of(const struct sim *sim, const struct sim_host *host, uint8_t type)
{
    return host != NULL ? host->messages[type] : (struct sim_count){sim->messages[type], sim->messages[type]};
}

struct sim_count peer__sim_count(const struct sim *sim, const struct sim_host *host, uint8_t type)
{
    struct sim_count sum = {0};
    if (type != 0)
        return count_of(sim, host, type);
    for (uint8_t each = 0; each < MESSAGE_TYPES; each++) {
        struct sim_count count = count_of(sim, host, each);
        sum.sent += count.sent;
        sum.received += count.received;
    }
    return sum;
}

uint64_t peer__sim_message_count(const struct sim *sim, uint8_t type, const struct sim_host *to)
{
    if (type >= MESSAGE_TYPES)
        return 0;
    return peer__sim_count(sim, to, type).received;
}
