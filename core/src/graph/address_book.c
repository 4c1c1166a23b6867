#include "graph/address_book.h"

#include "base/error.h"
#include "base/time.h"

#include <string.h>

#define SETTING "address_book"
#define BOOK_VERSION 1u
#define ENTRY_SIZE 30u
#define FORGET_AFTER (INT64_C(30) * 86400 * (int64_t)TICKS_PER_SECOND)
/** A saved moment may be so old before it is written again: a restart must not cost a node, nor a reconnect a write. */
#define SAVE_AFTER (INT64_C(3600) * (int64_t)TICKS_PER_SECOND)

static struct book_entry *find(struct address_book *book, const struct address *address)
{
    for (size_t i = 0; i < book->count; i++) {
        if (peer__address_equal(&book->entries[i].address, address))
            return &book->entries[i];
    }
    return NULL;
}

static void forget(struct address_book *book, size_t index)
{
    book->entries[index] = book->entries[--book->count];
}

/* Only now, when the clock was just confirmed by the graph: a machine that wakes with a wrong date keeps its book. */
static void forget_old(struct address_book *book, uint64_t now)
{
    for (size_t i = book->count; i-- > 0;) {
        struct book_entry *entry = &book->entries[i];
        if (entry->met > now)
            entry->met = entry->saved = now;
        if (now - entry->met > (uint64_t)FORGET_AFTER)
            forget(book, i);
    }
}

static size_t oldest(const struct address_book *book)
{
    size_t oldest = 0;
    for (size_t i = 1; i < book->count; i++) {
        if (book->entries[i].met < book->entries[oldest].met)
            oldest = i;
    }
    return oldest;
}

int peer__address_book_met(struct address_book *book, const struct address *address, uint64_t now)
{
    forget_old(book, now);
    struct book_entry *entry = find(book, address);
    if (entry == NULL) {
        if (book->count == ADDRESS_BOOK_MAX)
            forget(book, oldest(book));
        entry = &book->entries[book->count++];
        *entry = (struct book_entry){.address = *address};
    }
    entry->failures = 0;
    entry->met = now;
    if (entry->saved != 0 && now - entry->saved <= (uint64_t)SAVE_AFTER)
        return 0;
    entry->saved = now;
    return 1;
}

void peer__address_book_failed(struct address_book *book, const struct address *address)
{
    struct book_entry *entry = find(book, address);
    if (entry != NULL && entry->failures < UINT32_MAX)
        entry->failures++;
}

void peer__address_book_forget(struct address_book *book, const struct address *address)
{
    struct book_entry *entry = find(book, address);
    if (entry != NULL)
        forget(book, (size_t)(entry - book->entries));
}

peer_status peer__address_book_save(const struct address_book *book, struct store *store)
{
    struct buffer value = {0};
    peer__buffer_u8(&value, BOOK_VERSION);
    for (size_t i = 0; i < book->count; i++) {
        const struct book_entry *entry = &book->entries[i];
        peer__buffer_append(&value, entry->address.ip, sizeof(entry->address.ip));
        peer__buffer_u32(&value, entry->address.scope_id);
        peer__buffer_u16(&value, entry->address.port);
        peer__buffer_u64(&value, entry->met);
    }
    peer_status status = value.failed ? peer__out_of_memory() : PEER_OK;
    if (status >= 0)
        status = store->operations->setting_put(store, SETTING, (struct span){value.data, value.size});
    peer__buffer_free(&value);
    return status;
}

static void read_entries(struct address_book *book, struct span value)
{
    struct reader reader = peer__reader(value);
    if (peer__read_u8(&reader) != BOOK_VERSION)
        return;
    while (peer__read_left(&reader) >= ENTRY_SIZE && book->count < ADDRESS_BOOK_MAX) {
        struct book_entry *entry = &book->entries[book->count++];
        *entry = (struct book_entry){0};
        memcpy(entry->address.ip, peer__read_span(&reader, sizeof(entry->address.ip)).data, sizeof(entry->address.ip));
        entry->address.scope_id = peer__read_u32(&reader);
        entry->address.port = peer__read_u16(&reader);
        entry->met = entry->saved = peer__read_u64(&reader);
    }
}

peer_status peer__address_book_load(struct address_book *book, struct store *store)
{
    struct buffer value = {0};
    book->count = 0;
    peer_status status = store->operations->setting_get(store, SETTING, &value);
    if (status >= 0)
        read_entries(book, (struct span){value.data, value.size});
    peer__buffer_free(&value);
    return status == PEER_E_NOT_FOUND ? PEER_OK : status;
}
